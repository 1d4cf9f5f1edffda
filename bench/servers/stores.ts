/** Our statements on our own way to the database, and on others. */
import pg from 'pg'
import pgPromise from 'pg-promise'
import { connect, type Database } from '../../src/database/connection.js'
import { PipelinedReads, type Statement } from '../../src/database/pipelined-reads.js'
import { rearrangeTimestamp } from '../../src/database/session.js'
import { createStore, type Store } from '../../src/todos/store.js'

/** As many connections as the service has, by default and when told otherwise. */
const max = Number(process.env.POOL_SIZE ?? 10)

/** The service's own: writes on its pool, short reads on pipelined connections. */
export function ownStore(connectionString: string): Store {
  const { hostname: host, port, username: user, password, pathname } = new URL(connectionString)
  const server = { host, port: Number(port), user, password, database: pathname.slice(1) }
  const database = connect(
    { ...server, sslMode: 'disable', sslRootCertificate: undefined, secretArn: undefined },
    { poolSize: max, connectTimeout: 2_000, statementTimeout: 5_000 },
  )
  return createStore(database, new PipelinedReads(database, 6_000))
}

/** All that the store asks of a database. */
function storeOn(any: (statement: Statement) => Promise<unknown[]>): Store {
  const database = { any, none: any, $pool: { rows: any } }
  return createStore(database as unknown as Database, { any } as unknown as PipelinedReads)
}

/**
 * node-postgres's pool with prepared statements.
 *
 * @param timestamps `date` as node-postgres reads them, or `text` as the service does
 */
export function poolStore(connectionString: string, timestamps: string): Store {
  if (timestamps === 'text') pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, rearrangeTimestamp)
  const pool = new pg.Pool({ connectionString, max, options: '-c timezone=UTC' })
  return storeOn(async (statement) => (await pool.query(statement)).rows)
}

/** pg-promise as its documentation begins: it puts the values into the text itself. */
export function promiseStore(connectionString: string): Store {
  const database = pgPromise()({ connectionString, max })
  return storeOn(({ text, values }) => database.any(text, values))
}
