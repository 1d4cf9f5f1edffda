import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from './support/cluster.js'
import { examples, flaskDatabase, flaskTable, ordinary, type Row } from './support/flask.js'
import { connect, createDatabaseWithRole, databaseOf, migrate, otherVersion } from './support/migrations.js'
import { startService, waitUntil } from './support/service.js'

async function todosOf(url: string): Promise<(Row & { imported: Record<string, unknown> | null })[]> {
  const { rows } = await (await connect(url)).query(
    `select title, description, to_char(deadline at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as deadline,
       status, imported
     from todo.todos order by id`,
  )
  return rows
}

const everyExample = flaskDatabase(examples.map(({ old }) => old)).then(async (url) => {
  const old = await oldTable(url)
  const lines = await migrate(url)
  return { url, old, lines, todos: await todosOf(url) }
})

async function oldTable(url: string): Promise<unknown[]> {
  // With the system's column of the last change: a row that was written again would show.
  const { rows } = await (await connect(url)).query(
    'select xmin::text, to_jsonb(todos.*) from public.todos order by id',
  )
  return rows
}

for (const [index, { name, old, todo, kept }] of examples.entries()) {
  test(`takes over ${name}`, async () => {
    const { todos } = await everyExample
    const row = { ...ordinary, ...old }
    assert.deepEqual(todos[index], { ...row, ...todo, imported: kept ? { id: index + 1, ...row } : null })
  })
}

test('the old table stays as it is, and the log says what was done', async () => {
  const { url, old, lines } = await everyExample
  assert.deepEqual(await oldTable(url), old)
  const keptRows = examples.filter(({ kept }) => kept).length
  assert.equal(
    lines.at(-1),
    `Taken over from public.todos: ${examples.length} todos, ${keptRows} of them with the old row, which did not fit`,
  )
})

test('two services that start together serve every row once, in the order of the old ids', async () => {
  const DATABASE_URL = await flaskDatabase(examples.map(({ old }) => old))
  const services = await Promise.all([startService({ DATABASE_URL }), startService({ DATABASE_URL })])
  for (const { url } of services) {
    const response = await fetch(`${url}/todos?limit=100`)
    const todos = (await response.json()) as { title: string }[]
    assert.deepEqual(
      todos.map(({ title }) => title),
      examples.map(({ old, todo }) => ({ ...ordinary, ...old, ...todo }).title),
    )
  }
})

test('a second start imports nothing twice, brings back nothing, and takes no later row', async () => {
  const url = await flaskDatabase([{}, { title: 'Deleted' }])
  const database = await connect(url)
  await migrate(url)
  await database.query(`delete from todo.todos where title = 'Deleted'`)
  await database.query(`insert into public.todos (id, title) values (3, 'Later')`)
  assert.deepEqual(await migrate(url), [])
  assert.deepEqual(
    (await todosOf(url)).map(({ title }) => title),
    ['Buy milk'],
  )
})

test('100,000 rows are taken over once by two instances that start together, in their order', async () => {
  const url = await flaskDatabase()
  const database = await connect(url)
  await database.query(
    `insert into public.todos (id, title) select number, number from generate_series(100000, 1, -1) as number`,
  )
  await Promise.all([migrate(url), migrate(url)])
  const { rows } = await database.query(
    `select count(*)::int as todos, count(*) filter (where title = place::text)::int as "in place"
     from (select title, row_number() over (order by id) as place from todo.todos) as ordered`,
  )
  assert.deepEqual(rows, [{ todos: 100_000, 'in place': 100_000 }])
})

const moments: [moment: string, table: string, condition: string][] = [
  ['in the middle', 'todo.todos', `new.title = 'Halfway'`],
  ['after the last row', 'todo.migrations', `new.name = '0002_flask_takeover'`],
]
for (const [moment, table, condition] of moments) {
  test(`interrupted ${moment}: nothing is there, and the next start takes over everything`, async () => {
    const url = await flaskDatabase([...Array(500).fill({}), { title: 'Halfway' }, ...Array(500).fill({})])
    const database = await connect(url)
    await migrate(url, await otherVersion({}, ['0002_flask_takeover.sql']))
    // Holds the migration up at that moment, until the session is terminated.
    await database.query(
      `create function wait() returns trigger language plpgsql as
         'begin perform pg_advisory_xact_lock(1); return new; end';
       create trigger wait before insert on ${table} for each row when (${condition}) execute function wait();
       select pg_advisory_lock(1)`,
    )
    const interrupted = assert.rejects(migrate(url), {
      name: 'StartError',
      message:
        'The migration "0002_flask_takeover" failed: terminating connection due to administrator command. ' +
        'The database is as it was before, and the version that ran on it still works.',
    })
    await waitUntil(`the takeover is held up ${moment}`, async () => {
      const { rowCount } = await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event = 'advisory'`,
      )
      return rowCount === 1
    })
    await interrupted
    assert.deepEqual(await todosOf(url), [])
    await database.query('select pg_advisory_unlock(1)')
    await migrate(url)
    assert.equal((await todosOf(url)).length, 1001)
  })
}

test('neither the settings of the session nor its locale change what is taken over', async () => {
  const url = new URL(await createDatabase('template0'))
  const name = `${url.pathname.slice(1)}_tr`
  const maintenance = await connect(url.href)
  await maintenance.query(
    `create database ${name} template template0 encoding 'UTF8' locale 'C' locale_provider icu icu_locale 'tr-TR'`,
  )
  for (const setting of [
    `timezone = 'Asia/Kathmandu'`,
    `datestyle = 'German'`,
    `intervalstyle = 'sql_standard'`,
    `client_min_messages = 'error'`,
    `search_path = ''`,
    `standard_conforming_strings = on`,
    `bytea_output = 'escape'`,
  ]) {
    await maintenance.query(`alter database ${name} set ${setting}`)
  }
  url.pathname = name
  await (await connect(url.href)).query(
    `${flaskTable} insert into public.todos (title, deadline, status) values ('Pay', '2024-02-03T04:05:06', 'IN PROGRESS')`,
  )
  const lines = await migrate(url.href)
  assert.match(lines.at(-1) ?? '', /^Taken over from public\.todos: 1 todos/)
  assert.deepEqual(await todosOf(url.href), [
    {
      title: 'Pay',
      description: null,
      deadline: '2024-02-03T04:05:06.000Z',
      status: 'in_progress',
      imported: null,
    },
  ])
})

test('a column that the Flask app did not have is kept with its row', async () => {
  const url = await flaskDatabase([{}])
  await (await connect(url)).query(`alter table public.todos add column owner text default 'Ann'`)
  await migrate(url)
  assert.deepEqual(
    (await todosOf(url)).map(({ imported }) => imported),
    [{ id: 1, ...ordinary, owner: 'Ann' }],
  )
})

const otherColumns =
  'its columns are not id integer, title text, description text, deadline timestamp, status text'
const others: [what: string, sql: string, obstacle: string][] = [
  ['a missing column', 'alter table public.todos drop column status', otherColumns],
  ['a column of another type', 'alter table public.todos alter deadline type timestamptz', otherColumns],
  ['ids of another type', 'alter table public.todos alter id type bigint', otherColumns],
  [
    'no table but a view',
    'alter table public.todos rename to t; create view public.todos as table public.t',
    'it is not a table',
  ],
  [
    'no permission to read it',
    'revoke select on public.todos from public',
    'the user ROLE may not read all of it',
  ],
  [
    'rows that are hidden',
    'alter table public.todos enable row level security',
    'the user ROLE may not read all of it',
  ],
  [
    'a schema that is closed',
    'revoke usage on schema public from public',
    'the user ROLE may not read all of it',
  ],
]
for (const [what, sql, obstacle] of others) {
  test(`public.todos with ${what} is left alone, and the log says so`, async () => {
    const { url, admin, role } = await createDatabaseWithRole()
    await admin.query(
      `grant create on database ${databaseOf(url)} to ${role}; ${flaskTable}
       insert into public.todos (title) values ('Somebody else''s'); grant select on public.todos to public; ${sql}`,
    )
    const lines = await migrate(url)
    assert.equal(lines.at(-1), `Nothing is taken over from public.todos: ${obstacle.replace('ROLE', role)}`)
    assert.deepEqual(await todosOf(url), [])
  })
}

test('a role that may only read the old table takes it over', async () => {
  const { url, admin, role } = await createDatabaseWithRole()
  await admin.query(
    `grant create on database ${databaseOf(url)} to ${role}; ${flaskTable}
     insert into public.todos (title) values ('Buy milk'); grant select on public.todos to ${role}`,
  )
  await migrate(url)
  assert.equal((await todosOf(url)).length, 1)
})
