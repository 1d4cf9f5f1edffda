import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { parse } from 'yaml'
import { createDatabase } from './support/cluster.js'
import { connect, migrate, migratedDatabase } from './support/migrations.js'

const shared = migratedDatabase()

/** What is stored when nothing else is said. */
function aTodo(): Record<string, unknown> {
  return { id: uuidv7(), title: 'Water the plants', updated_at: 'now' }
}

async function insert(database: pg.Client, changes: Record<string, unknown>): Promise<void> {
  const todo = { ...aTodo(), ...changes }
  const columns = Object.keys(todo).map((column) => `"${column}"`)
  const places = columns.map((_, index) => `$${index + 1}`)
  await database.query(`insert into todo.todos (${columns}) values (${places})`, Object.values(todo))
}

const refused: [constraint: string, changes: Record<string, unknown>][] = [
  ['id_is_version_7', { id: '9b2f3c64-6a1f-4d1e-8a53-0d8f6f1f4c11' }],
  ['id_is_version_7', { id: '019a8f3c-1234-7abc-cdef-0123456789ab' }],
  ['title_is_not_blank', { title: '' }],
  ['version_is_positive', { version: 0 }],
  ['deadline_has_a_year_of_four_digits', { deadline: 'infinity' }],
  ['deadline_has_a_year_of_four_digits', { deadline: '-infinity' }],
  ['deadline_has_a_year_of_four_digits', { deadline: '0001-12-31 23:59:59.999+00 BC' }],
  ['deadline_has_a_year_of_four_digits', { deadline: '10000-01-01 00:00:00+00' }],
  ['status_is_known', { status: 'archived' }],
  ['status_is_known', { status: 'Pending' }],
  ['updated_after_creation', { updated_at: '2020-01-01 00:00:00+00' }],
]
for (const [constraint, changes] of refused) {
  test(`the database refuses ${JSON.stringify(changes)}`, async () => {
    const database = await connect(await shared)
    await assert.rejects(insert(database, changes), { code: '23514', constraint })
  })
}

test('the database takes the first and the last moment of the years 0001 to 9999', async () => {
  const database = await connect(await shared)
  await insert(database, { deadline: '0001-01-01 00:00:00.000+00' })
  await insert(database, { deadline: '9999-12-31 23:59:59.999+00' })
})

test('created_at is the time in the id', async () => {
  const database = await connect(await shared)
  await database.query('delete from todo.todos')
  const moments = [0, 1, 1234567890123, Date.now(), 253402300799999]
  for (const msecs of moments) await insert(database, { id: uuidv7({ msecs }), updated_at: 'infinity' })
  const { rows } = await database.query(
    'select extract(epoch from created_at) * 1000 as milliseconds from todo.todos order by id',
  )
  assert.deepEqual(
    rows.map(({ milliseconds }) => Number(milliseconds)),
    moments,
  )
})

for (const locale of ['C', 'ICU und', 'ICU tr-TR', 'ICU cs-CZ']) {
  test(`white space is what JavaScript takes for it, in the locale ${locale}`, async () => {
    const database = await connect(await createDatabaseWithLocale(locale))
    const characters = Array.from({ length: 0x10000 }, (_, code) => String.fromCodePoint(code)).filter(
      (character) => !/[\0\uD800-\uDFFF]/.test(character),
    )
    for (const character of characters.filter((character) => /\s/.test(character))) {
      await assert.rejects(insert(database, { title: character }), { constraint: 'title_is_not_blank' })
    }
    const visible = characters.filter((character) => !/\s/.test(character))
    await database.query(
      `insert into todo.todos (id, title, updated_at)
       select id, ' ' || title, 'infinity' from unnest($1::uuid[], $2::text[]) as new (id, title)`,
      [visible.map(() => uuidv7()), visible],
    )
  })
}

/** A migrated database whose every text comparison follows a locale. */
async function createDatabaseWithLocale(locale: string): Promise<string> {
  const url = new URL(await createDatabase('template0'))
  const database = await connect(url.href)
  const name = `${url.pathname.slice(1)}_locale`
  const [provider, icuLocale] = locale.split(' ')
  const options = provider === 'ICU' ? `locale_provider icu icu_locale '${icuLocale}'` : ''
  await database.query(`create database ${name} template template0 encoding 'UTF8' locale 'C' ${options}`)
  url.pathname = name
  await migrate(url.href)
  return url.href
}

test('where the database says a limit of the contract again, it says the same', async () => {
  const database = await connect(await shared)
  const contract = parse(await readFile('openapi.yaml', 'utf8'))
  const { Title, Description, TodoStatus, Order, Instant } = contract.components.schemas

  for (const [column, limit] of [
    ['title', Title.maxLength],
    ['description', Description.maxLength],
  ]) {
    // The second has two UTF-16 units and four bytes: every other way of counting gives another length.
    for (const character of ['x', '🪴']) {
      await insert(database, { [column]: character.repeat(limit) })
      await assert.rejects(insert(database, { [column]: character.repeat(limit + 1) }), { code: '23514' })
    }
  }
  assert.equal(Title.minLength, 1)

  const { rows } = await database.query(
    `select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'status_is_known'`,
  )
  assert.deepEqual(rows[0].definition.match(/(?<=')\w+(?=')/g), TodoStatus.enum)

  for (const order of [Order.minimum, Order.maximum]) await insert(database, { order })
  for (const order of [Order.minimum - 1, Order.maximum + 1]) {
    await assert.rejects(insert(database, { order }), { code: '22003' })
  }

  const instant = new RegExp(Instant.pattern)
  for (const [deadline, allowed] of [
    ['0000-12-31T23:59:59Z', false],
    ['0001-01-01T00:00:00Z', true],
    ['9999-12-31T23:59:59Z', true],
    ['10000-01-01T00:00:00Z', false],
  ] as const) {
    assert.equal(instant.test(deadline), allowed, deadline)
    const stored = insert(database, { deadline: deadline.replace(/^0000-(.*)$/, '0001-$1 BC') })
    assert.equal(
      await stored.then(
        () => true,
        () => false,
      ),
      allowed,
      deadline,
    )
  }
})
