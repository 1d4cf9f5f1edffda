import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { connect, migrate, migratedDatabase, otherVersion } from './support/migrations.js'
import { startFailing, startService } from './support/service.js'

const folder = 'src/database/migrations'

/** What an older version may stumble over: something it uses is gone, or what it writes is refused. */
const contractions = [
  /\bdrop\b/,
  /\brename\b/,
  /\balter (column )?\S+ (set data )?type\b/,
  /\balter (type|domain)\b/,
  /\bset not null\b/,
  /\badd column (?!.*\bdefault\b).*\bnot null\b/,
  /\badd (constraint|check|unique|primary key|foreign key|exclude)\b/,
  /\badd column .*\b(check|unique|primary key|references)\b/,
  /\bcreate unique index\b/,
  /\bcreate (constraint )?trigger\b/,
  /\bcreate (rule|policy)\b/,
  /\b(truncate|delete from|revoke)\b/,
]

/** The statements that do not only expand. Comments and quoted text do not count. */
function contractionsIn(sql: string): string[] {
  const code = sql.replace(/--.*$/gm, '').replace(/'[^']*'/g, "''")
  const statements = code.split(';').map((statement) => statement.replace(/\s+/g, ' ').trim())
  return statements.filter((statement) =>
    contractions.some((contraction) => contraction.test(statement.toLowerCase())),
  )
}

test('every migration only expands, or declares in its name that it breaks older versions', async () => {
  for (const file of await readdir(folder)) {
    if (file.endsWith('.breaking.sql')) continue
    const found = contractionsIn(await readFile(`${folder}/${file}`, 'utf8'))
    assert.deepEqual(
      found,
      [],
      `${file} must be called ${file.replace('.sql', '.breaking.sql')}, because of this`,
    )
  }
})

const broken = [
  'drop table todo.todos',
  'alter table todo.todos drop column "order"',
  'alter table todo.todos rename column title to name',
  'alter table todo.todos rename to tasks',
  'alter table todo.todos alter column title type varchar(100)',
  'alter table todo.todos alter title set data type varchar(100)',
  'ALTER TABLE todo.todos ALTER COLUMN "order"\n  SET NOT NULL',
  'alter table todo.todos add column owner text not null',
  'alter table todo.todos add column owner text default 1 unique',
  'alter table todo.todos add constraint short check (char_length(title) < 100)',
  'create unique index on todo.todos (title)',
  'create trigger t before insert on todo.todos for each row execute function f()',
  'delete from todo.todos',
  'truncate todo.todos',
]
const expanding = [
  'alter table todo.todos add column owner text',
  "alter table todo.todos add column owner text not null default 'nobody'",
  'create index on todo.todos (title)',
  'create table todo.owners (id uuid primary key, name text not null unique)',
  "-- drop the rest\ncomment on table todo.todos is 'do not drop'",
]
for (const sql of broken) test(`breaks: ${sql}`, () => assert.equal(contractionsIn(sql).length, 1))
for (const sql of expanding) test(`expands: ${sql}`, () => assert.deepEqual(contractionsIn(sql), []))

test('a failed migration changes nothing, names itself, and leaves the schema to the version before', async () => {
  const url = await migratedDatabase()
  const good = { '0003_owners.sql': 'create table todo.owners (id uuid primary key)' }
  const bad = { '0004_colour.sql': 'alter table todo.todos add column colour text; select * from nowhere' }
  await assert.rejects(migrate(url, await otherVersion({ ...good, ...bad })), {
    name: 'StartError',
    message:
      'The migration "0004_colour" failed: relation "nowhere" does not exist. The database is as it was before, ' +
      'and the version that ran on it still works.',
  })
  const sound = await migratedDatabase()
  await migrate(sound, await otherVersion(good))
  assert.deepEqual(await schemaOf(url), await schemaOf(sound))
  assert.deepEqual(await migrate(url), [])
})

async function schemaOf(url: string): Promise<unknown[]> {
  const { rows } = await (await connect(url)).query(
    `select table_name, column_name, data_type from information_schema.columns where table_schema = 'todo'
     union all select 'applied', name, '' from todo.migrations order by 1, 2`,
  )
  return rows
}

test('an older version goes on working while a newer one expands the schema, and starts on it again', async () => {
  const service = await startService({ DATABASE_URL: await migratedDatabase() })
  await useEveryOperation(service.url)
  const newer = await otherVersion({
    '0003_colour.sql': `alter table todo.todos add column colour text not null default 'green'`,
    '0004_owners.sql': 'create table todo.owners (id uuid primary key)',
  })
  assert.equal((await migrate(service.databaseUrl, newer)).length, 2)
  // Over the connections, and with the prepared statements, that were there before.
  await useEveryOperation(service.url)
  assert.equal(await service.stop(), 0)
  await service.restart()
  await useEveryOperation(service.url)
})

async function useEveryOperation(url: string): Promise<void> {
  const created = await send('POST', `${url}/todos`, 201, { title: 'Water the plants' })
  const todo = created.headers.get('location') ?? ''
  await send('GET', todo, 200)
  await send('GET', `${url}/todos?sort=deadline&status=pending`, 200)
  await send('PATCH', todo, 200, { status: 'completed' })
  await send('PUT', todo, 200, { title: 'Water them again' })
  await send('DELETE', todo, 204)
  await send('DELETE', `${url}/todos?completed=true`, 204)
}

async function send(method: string, url: string, status: number, body?: unknown): Promise<Response> {
  const content = { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(url, { method, ...(body === undefined ? {} : content) })
  assert.equal(response.status, status, `${method} ${url}: ${await response.clone().text()}`)
  return response
}

test('an older version refuses to start on a schema that a newer one has broken for it', async () => {
  const url = await migratedDatabase()
  const newer = await otherVersion({
    '0003_no_order.breaking.sql': 'alter table todo.todos drop column "order"',
  })
  await migrate(url, newer)
  assert.deepEqual(await migrate(url, newer), [])
  const message =
    'The database is too new for this version: a later one has applied the migration "0003_no_order.breaking". ' +
    'Start that version or one after it.'
  await assert.rejects(migrate(url), { name: 'StartError', message })
  const { exitCode, output } = await startFailing({ DATABASE_URL: url })
  assert.notEqual(exitCode, 0)
  assert.ok(output.includes(message), output)
})
