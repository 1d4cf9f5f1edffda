import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import pgPromise from 'pg-promise'
import { StartError } from '../start-error.js'
import { NoPassword, UnusableSecret } from './credentials.js'
import { codeOf, DatabaseUnavailable, READ_ONLY_TRANSACTION, reasonOf } from './errors.js'
import { ConnectionPool } from './pool.js'
import type { DatabaseLimits, Server } from './server.js'
import { SessionClient } from './session.js'

/** The one database object of the process. Statements may also go to its pool directly. */
export type Database = pgPromise.IDatabase<unknown> & { readonly $pool: ConnectionPool }

/**
 * The database object for a server; nothing is opened before the first statement. Close it with `database.$pool.end()`.
 *
 * @throws StartError when the file of trusted certificates cannot be read.
 */
export function connect(server: Server, limits: DatabaseLimits): Database {
  const pool = new ConnectionPool(server, limits)
  const library = pgPromise({
    noWarnings: true,
    error: (error) => {
      if (codeOf(error) === READ_ONLY_TRANSACTION) pool.retire()
    },
  })
  function Pool() {
    return pool
  }
  // pg-promise makes its pool with `pgp.pg.Pool` and leaves `pgp.pg` open to be replaced.
  Object.assign(library, { pg: { ...library.pg, Pool } })
  return library<unknown>({}) as Database
}

/**
 * A connection beside the pool, for work that may take its time, such as migrations: nothing but the session's own
 * `statement_timeout` limits a statement on it. Whoever opens it ends it.
 *
 * @param options what differs from the pool's connections
 *
 * @throws DatabaseUnavailable when the database cannot be reached.
 */
export async function openClient(database: Database, options: pg.ClientConfig = {}): Promise<pg.Client> {
  // Finds the transport and the credentials that work now, in which the pool's options then are.
  await checkDatabase(database)
  const client = new SessionClient({ ...database.$pool.options, ...options })
  client.on('error', () => {})
  await client.connect()
  return client
}

/**
 * One round trip that proves that the database answers and takes writes.
 *
 * @throws DatabaseUnavailable or another error of the database when it does not.
 */
export async function checkDatabase(database: Database): Promise<void> {
  const { state } = await database.one<{ state: string }>(
    "SELECT current_setting('transaction_read_only') AS state",
  )
  if (state === 'off') return
  database.$pool.retire()
  throw new DatabaseUnavailable('The database only takes reads at the moment')
}

/** The oldest PostgreSQL that the service runs on. */
const OLDEST_MAJOR = 15
/** Milliseconds between two tries to reach a database that is away. */
const RETRY_INTERVAL = 500

/**
 * Returns when the database answers, takes writes and is fit for the service. While it is away, `report` gets each
 * new reason, and it is tried again for `startTimeout` milliseconds.
 *
 * @throws StartError at once when waiting would not help, and when the time is up.
 */
export async function waitForDatabase(
  database: Database,
  server: Server,
  startTimeout: number,
  report: (message: string) => void,
): Promise<void> {
  const deadline = performance.now() + startTimeout
  let reported = ''
  while (true) {
    try {
      await checkDatabase(database)
      return await requireFit(database, server)
    } catch (error) {
      const reason = rootReason(error)
      refuseLasting(error, server)
      if (performance.now() + RETRY_INTERVAL > deadline) {
        throw new StartError(
          `The database ${place(server)} was away for ${startTimeout / 1000} s (START_TIMEOUT): ${reason}`,
        )
      }
      if (reason !== reported) report(`Waiting for the database ${place(server)}: ${reason}`)
      reported = reason
      await sleep(RETRY_INTERVAL)
    }
  }
}

async function requireFit(database: Database, server: Server): Promise<void> {
  const found = await database.one<{ version: string; number: number; encoding: string }>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number,
      current_setting('server_encoding') AS encoding`,
  )
  if (found.number < OLDEST_MAJOR * 10_000) {
    throw new StartError(
      `The database ${place(server)} is PostgreSQL ${found.version}; ${OLDEST_MAJOR} or newer is needed`,
    )
  }
  if (found.encoding !== 'UTF8') {
    throw new StartError(
      `The database ${place(server)} has the encoding ${found.encoding}; create one with ENCODING 'UTF8' and use that`,
    )
  }
}

/** What waiting does not mend, and what to do about it. All else is worth another try. */
const lasting: Record<string, string> = {
  '28P01': 'check user and password',
  '28000': 'check the user, and what pg_hba.conf lets in',
  '3D000': 'create it, or check its name',
  '42501': 'grant the user CONNECT and CREATE on the database',
  ResourceNotFoundException: 'check DATABASE_SECRET_ARN',
  AccessDeniedException: 'allow secretsmanager:GetSecretValue on DATABASE_SECRET_ARN',
  CredentialsProviderError: 'give the service credentials for AWS',
}

function refuseLasting(error: unknown, server: Server): void {
  if (error instanceof StartError) throw error
  const cause = rootCause(error)
  const advice = lasting[codeOf(cause) ?? ''] ?? (cause instanceof Error ? lasting[cause.name] : undefined)
  if (advice !== undefined) throw new StartError(`${refused(server)}: ${reasonOf(cause)}; ${advice}`)
  if (cause instanceof NoPassword || cause instanceof UnusableSecret) {
    throw new StartError(`${refused(server)}: ${reasonOf(cause)}`)
  }
  if (isTlsFailure(cause)) {
    throw new StartError(
      `${refused(server)}: ${reasonOf(cause)}; check the server's certificate, PGSSLMODE (${server.sslMode}) and PGSSLROOTCERT`,
    )
  }
}

/** OpenSSL's and Node.js's codes for a handshake or a certificate that is not accepted, and node-postgres's words. */
function isTlsFailure(error: unknown): boolean {
  const code = codeOf(error) ?? ''
  return (
    /^(ERR_SSL|ERR_TLS|EPROTO)|CERT|SELF_SIGNED|UNABLE_TO_/.test(code) ||
    reasonOf(error) === 'The server does not support SSL connections'
  )
}

function rootCause(error: unknown): unknown {
  return error instanceof DatabaseUnavailable && error.cause !== undefined ? rootCause(error.cause) : error
}

const rootReason = (error: unknown) => reasonOf(rootCause(error))
const refused = (server: Server) => `The database ${place(server)} cannot be used`

/** Which database, for a message: never the user's password. */
function place({ host, port, database }: Server): string {
  const address = host.startsWith('/') ? `at socket ${host}, port ${port}` : `at ${host}:${port}`
  return database === undefined ? address : `${database} ${address}`
}
