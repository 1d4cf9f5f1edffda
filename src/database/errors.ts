/** The database cannot be used now, though nothing is wrong with the request: 503, and worth trying again. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable'
}

/** After a failover this server is no longer the one to write to. */
export const READ_ONLY_TRANSACTION = '25006'

/**
 * The SQLSTATEs, by class or in full, that say "not now" and not "never".
 * Source: PostgreSQL's documentation, appendix A.
 */
const PASSING_STATES = [
  '08', //    connection exception, except:
  READ_ONLY_TRANSACTION,
  '25P03', // ended by the server: idle in a transaction for too long
  '25P04', // ended by the server: transaction took too long
  '40001', // serialization failure
  '40P01', // deadlock
  '53', //    out of connections, memory, disk
  '55P03', // a lock was not to be had in time
  '57', //    statement timeout or cancelled (57014), shut down, crashed, starting up (57P0x)
]

/** What the client sent is wrong, in spite of the class: a NUL in a string, for example. */
const PROTOCOL_VIOLATION = '08P01'

/** What Node.js says of a socket that broke while a statement was under way. */
const BROKEN_SOCKET = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** What node-postgres says, without a code, of a connection that ended. */
const ENDED_CONNECTION = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
])

/** Whether an error of the database means 503 (try again) rather than 500 (a fault). */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true
  if (!(error instanceof Error)) return false
  const code = codeOf(error)
  if (code === undefined) return ENDED_CONNECTION.has(error.message)
  if (code === PROTOCOL_VIOLATION) return false
  return (
    BROKEN_SOCKET.has(code) || (isSqlState(code) && PASSING_STATES.some((state) => code.startsWith(state)))
  )
}

/** What an error says, in one line; of several addresses that were tried, what the first said. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ')
}

/** The SQLSTATE or the system's error code, if there is one. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

const isSqlState = (code: string) => /^[0-9A-Z]{5}$/.test(code)
