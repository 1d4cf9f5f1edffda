import type { Client } from './client.js'
import { type Service, waitUntil } from './service.js'

/** Keeps all statements on todos waiting in the database, until what it gives is called. */
export async function lockTodos(service: Service): Promise<() => Promise<unknown>> {
  await service.query('begin')
  await service.query('lock table todo.todos in access exclusive mode')
  return () => service.query('rollback')
}

/** Returns when a statement waits for a lock. */
export async function statementWaits(service: Service): Promise<void> {
  // pg_stat_activity would stay what it was when the transaction that holds the lock looked first.
  const waiting = `select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())`
  await waitUntil('a statement waits', async () => (await service.query(waiting)).length > 0)
}

/**
 * A create that is handled until `release` is called, because it waits in the database. The service needs a
 * STATEMENT_TIMEOUT that is longer than the test.
 */
export async function createInFlight(service: Service, client: Client, title = 'in flight') {
  const release = await lockTodos(service)
  const answer = client.create({ title })
  await statementWaits(service)
  return { answer, release }
}
