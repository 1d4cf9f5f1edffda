import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import { type ClientBase, DatabaseError } from 'pg'
import { StartError } from '../start-error.js'

/** Beside the source, from where src/ and dist/ find it alike. */
const folder = fileURLToPath(new URL('../../src/database/migrations', import.meta.url))

/** What this version needs, in order. Read once: files that change under a running service do not concern it. */
const needed = readdirSync(folder)
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.slice(0, -'.sql'.length))
  .sort()

/** A migration whose name ends so breaks the versions that do not know it; every other one only expands. */
const breaking = '.breaking'

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const SUCCESSFUL_COMPLETION = '00000'
const UNDEFINED_COLUMN = '42703'
const INSUFFICIENT_PRIVILEGE = '42501'

const silent = { info() {}, warn() {}, error() {} }

interface State {
  user: string
  database: string
  schemaExists: boolean
  mayCreate: boolean
  relations: string[]
}

/**
 * Brings the schema `todo` to what this version needs: each missing migration in a transaction of its own, one
 * instance at a time while the others wait. What a later version has added stays.
 *
 * @param client connected, used by nobody else, without `query_timeout`: a migration, and waiting for another
 *   instance's, may take long. Close it afterwards: its session is left without `statement_timeout`, and after a
 *   failure with a transaction and a lock.
 * @param report gets a line for each migration, and what the migrations themselves have to say.
 * @throws StartError when the schema is not ours, is too new for this version or may not be changed by this user,
 *   or when a migration fails; then everything is as it was before that migration, and to start over is safe.
 */
export async function migrate(client: ClientBase, report: (line: string) => void): Promise<void> {
  // The server's own notices (a schema is already there) have other codes than what a migration raises.
  const reportNotice = ({ code, message }: { code?: string | undefined; message?: string | undefined }) => {
    if (code === SUCCESSFUL_COMPLETION && message !== undefined) report(message)
  }
  client.on('notice', reportNotice)
  try {
    await client.query('set statement_timeout = 0')
    const state = await readState(client)
    const applied = await readApplied(client, state)
    refuseForeignSchema(state, applied)
    refuseIfTooNew(applied)
    const missing = needed.filter((name) => !applied.includes(name))
    if (missing.length > 0) refuseUnlessAllowed(state)
    for (const name of missing) {
      report(`Migrating the database: ${name}`)
      await apply(client, name, state)
    }
  } finally {
    client.off('notice', reportNotice)
  }
}

/**
 * Whether every migration that this version needs is there and the database takes writes (a standby does not).
 * One cheap query; rejects as the query does, when the database does not answer or the schema is gone.
 */
export async function migrationsApplied(
  query: (text: string, values: unknown[]) => Promise<{ rows: { ready: boolean }[] }>,
): Promise<boolean> {
  const { rows } = await query(
    `select count(*) = cardinality($1::text[]) and current_setting('transaction_read_only') = 'off' as ready
     from todo.migrations where name = any($1)`,
    [needed],
  )
  return rows[0]?.ready === true
}

async function readState(client: ClientBase): Promise<State> {
  // One snapshot, and before the names of the migrations are read: whoever sees one of our tables here also
  // sees the migration that made it there. The catalogue may be read by everybody, whatever the schema allows.
  const { rows } = await client.query<State>(
    `select current_user as "user", current_database() as database,
       schema.oid is not null as "schemaExists",
       case when schema.oid is null then has_database_privilege(current_database(), 'create')
         else has_schema_privilege(schema.oid, 'create') end as "mayCreate",
       array(select relname::text from pg_class
         where relnamespace = schema.oid and relkind in ('r', 'p', 'v', 'm', 'f')) as relations
     from (values ('todo')) as wanted (name) left join pg_namespace as schema on schema.nspname = wanted.name`,
  )
  return rows[0] as State
}

/** The names of the migrations that were applied, those of later versions included. */
async function readApplied(client: ClientBase, { user, database, relations }: State): Promise<string[]> {
  if (!relations.includes('migrations')) return []
  try {
    const { rows } = await client.query<{ name: string }>('select name from todo.migrations')
    return rows.map(({ name }) => name)
  } catch (error) {
    const code = error instanceof DatabaseError ? error.code : undefined
    if (code === UNDEFINED_COLUMN) throw foreignSchema(database)
    if (code === INSUFFICIENT_PRIVILEGE) throw new StartError(ownerWanted(user, database))
    throw error
  }
}

function refuseForeignSchema({ database, relations }: State, applied: string[]): void {
  const empty = relations.every((name) => name === 'migrations') && applied.length === 0
  if (!empty && !applied.includes(needed[0] ?? '')) throw foreignSchema(database)
}

function foreignSchema(database: string): StartError {
  return new StartError(
    `The schema "todo" in the database "${database}" was not made by this service. ` +
      'Rename that schema, or give the service another database.',
  )
}

function refuseUnlessAllowed({ user, database, schemaExists, mayCreate }: State): void {
  if (mayCreate) return
  throw new StartError(
    schemaExists
      ? ownerWanted(user, database)
      : `The user "${user}" may not create the schema "todo" in the database "${database}". ` +
          `Run there as an administrator: CREATE SCHEMA todo AUTHORIZATION "${user}"`,
  )
}

function ownerWanted(user: string, database: string): string {
  return (
    `The user "${user}" may not use the schema "todo" in the database "${database}". ` +
    'Give the service the user that owns it.'
  )
}

function refuseIfTooNew(applied: string[]): void {
  const cause = applied.find((name) => name.endsWith(breaking) && !needed.includes(name))
  if (cause === undefined) return
  throw new StartError(
    `The database is too new for this version: a later one has applied the migration "${cause}". ` +
      'Start that version or one after it.',
  )
}

async function apply(client: ClientBase, name: string, { schemaExists }: State): Promise<void> {
  try {
    await runner({
      dbClient: client,
      dir: folder,
      file: name,
      direction: 'up',
      migrationsTable: 'migrations',
      migrationsSchema: 'todo',
      // Even with IF NOT EXISTS this asks for the permission to create one.
      createMigrationsSchema: !schemaExists,
      advisoryLockMode: 'wait',
      // A transaction for each file, whose end the server brings about: after a failure the session is of no use,
      // and the ROLLBACK that would come here hides the error when it is the connection that failed.
      singleTransaction: false,
      // It would compare by the time of day they ran at, which a server's clock may turn around.
      checkOrder: false,
      logger: silent,
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : error
    throw new StartError(
      `The migration "${name}" failed: ${reason}. The database is as it was before, ` +
        'and the version that ran on it still works.',
    )
  }
}
