import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { PG_MIGRATE_LOCK_ID } from 'node-pg-migrate'
import type pg from 'pg'
import { migrationsApplied } from '../src/database/migrate.js'
import { createDatabase, giveToServer, startCluster } from './support/cluster.js'
import {
  connect,
  createDatabaseWithRole,
  databaseOf,
  migrate,
  migratedDatabase,
} from './support/migrations.js'
import { startFailing, waitUntil } from './support/service.js'

test('five instances that start together bring an empty database to the schema, once', async () => {
  const url = await createDatabase('template0')
  await Promise.all(Array.from({ length: 5 }, () => migrate(url)))
  const database = await connect(url)
  const { rows } = await database.query('select name from todo.migrations order by id')
  assert.deepEqual(
    rows.map(({ name }) => name),
    await migrationNames(),
  )
  assert.equal(await isReady(database), true)
})

test('a second start changes nothing and reports nothing', async () => {
  const url = await createDatabase('template0')
  assert.deepEqual(
    await migrate(url),
    (await migrationNames()).map((name) => `Migrating the database: ${name}`),
  )
  assert.deepEqual(await migrate(url), [])
})

test('the indexes are those that the sorts need, and no more', async () => {
  const database = await connect(await migratedDatabase())
  const { rows } = await database.query(
    `select tablename, substring(indexdef from '\\(.*') as columns from pg_indexes
     where schemaname = 'todo' and tablename <> 'migrations' order by tablename, columns`,
  )
  assert.deepEqual(
    rows.map(({ tablename, columns }) => `${tablename} ${columns}`),
    [
      'idempotency_keys (expires_at)',
      'idempotency_keys (key)',
      'todos ("order", id)',
      'todos (deadline, id)',
      'todos (id)',
      'todos (status, "order", id)',
      'todos (status, deadline, id)',
      'todos (status, id)',
    ],
  )
})

test('a role that owns nothing and may create a schema is enough', async () => {
  const { url, admin, role } = await createDatabaseWithRole()
  await admin.query(`grant create on database "${databaseOf(url)}" to ${role}`)
  await migrate(url)
  assert.equal(await isReady(await connect(url)), true)
})

test('a schema that an administrator made for the role is enough', async () => {
  const { url, admin, role } = await createDatabaseWithRole()
  await admin.query(`create schema todo authorization ${role}`)
  await migrate(url)
  assert.equal(await isReady(await connect(url)), true)
})

test('a role that may not create the schema is told what to run', async () => {
  const { url, role } = await createDatabaseWithRole()
  await assert.rejects(migrate(url), {
    name: 'StartError',
    message:
      `The user "${role}" may not create the schema "todo" in the database "${databaseOf(url)}". ` +
      `Run there as an administrator: CREATE SCHEMA todo AUTHORIZATION "${role}"`,
  })
})

test('a role that may not use the schema of another role is told so', async () => {
  const { url, admin, adminUrl, role } = await createDatabaseWithRole()
  const expected = {
    name: 'StartError',
    message:
      `The user "${role}" may not use the schema "todo" in the database "${databaseOf(url)}". ` +
      'Give the service the user that owns it.',
  }
  await admin.query('create schema todo')
  await assert.rejects(migrate(url), expected)
  await migrate(adminUrl)
  await assert.rejects(migrate(url), expected)
})

const foreign: [what: string, sql: string][] = [
  ['another table', 'create table todo.tasks (id integer)'],
  ['a table of the same name', 'create table todo.todos (id integer)'],
  ['a view', 'create view todo.todos as select 1 as id'],
  ['migrations of another shape', 'create table todo.migrations (version integer)'],
  [
    'migrations of another service',
    `create table todo.migrations (id serial primary key, name varchar(255) not null, run_on timestamp not null);
     insert into todo.migrations (name, run_on) values ('0001_users', now())`,
  ],
]
for (const [what, sql] of foreign) {
  test(`a schema "todo" with ${what} is not ours: refused and left alone`, async () => {
    const url = await createDatabase('template0')
    const database = await connect(url)
    await database.query(`create schema todo; ${sql}`)
    const before = await relations(database)
    await assert.rejects(migrate(url), {
      name: 'StartError',
      message:
        `The schema "todo" in the database "${databaseOf(url)}" was not made by this service. ` +
        'Rename that schema, or give the service another database.',
    })
    assert.deepEqual(await relations(database), before)
  })
}

test('a service that may not migrate ends with this one line', async () => {
  const url = await createDatabase('template0')
  await (await connect(url)).query('create schema todo; create table todo.tasks (id integer)')
  const { exitCode, output } = await startFailing({ DATABASE_URL: url })
  assert.equal(exitCode, 1)
  assert.deepEqual(
    output.split('\n').filter((line) => !line.startsWith('{')),
    [
      `The schema "todo" in the database "${databaseOf(url)}" was not made by this service. ` +
        'Rename that schema, or give the service another database.',
    ],
  )
})

test('an empty schema "todo" is taken', async () => {
  const url = await createDatabase('template0')
  await (await connect(url)).query('create schema todo')
  await migrate(url)
})

test('the statement timeout does not cut the wait for another instance', async () => {
  const url = await createDatabase('template0')
  const database = await connect(url)
  await database.query(`alter database ${databaseOf(url)} set statement_timeout = '500ms'`)
  await database.query('select pg_advisory_lock($1)', [PG_MIGRATE_LOCK_ID])
  const migrated = migrate(url)
  await waitUntil('an instance waits longer than the timeout', async () => {
    const { rowCount } = await database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'
       and now() - query_start > interval '600ms'`,
    )
    return rowCount === 1
  })
  await database.query('select pg_advisory_unlock($1)', [PG_MIGRATE_LOCK_ID])
  await migrated
})

test('on a standby nothing is migrated, and it is not ready', async () => {
  const cluster = await startCluster()
  try {
    const url = await createDatabase('template0', cluster)
    await migrate(url)
    await cluster.stop()
    const signal = join(cluster.dataDirectory, 'standby.signal')
    await writeFile(signal, '')
    await giveToServer(signal)
    await cluster.start()
    assert.deepEqual(await migrate(url), [])
    assert.equal(await isReady(await connect(url)), false)
  } finally {
    await cluster.remove()
  }
})

test('not ready while a migration is missing or the database is read only', async () => {
  const database = await connect(await migratedDatabase())
  assert.equal(await isReady(database), true)
  await database.query('set default_transaction_read_only = on')
  assert.equal(await isReady(database), false)
  await database.query('set default_transaction_read_only = off')
  assert.equal(await isReady(database), true)
  await database.query(`delete from todo.migrations where name = '0001_todos'`)
  assert.equal(await isReady(database), false)
})

async function migrationNames(): Promise<string[]> {
  const files = await readdir('src/database/migrations')
  return files.map((file) => basename(file, '.sql')).sort()
}

function isReady(database: pg.Client): Promise<boolean> {
  return migrationsApplied((text, values) => database.query(text, values))
}

async function relations(database: pg.Client): Promise<string[]> {
  const { rows } = await database.query(
    `select relname::text as relation from pg_class where relnamespace = to_regnamespace('todo') order by 1`,
  )
  return rows.map(({ relation }) => relation)
}
