import { once } from 'node:events'
import pg from 'pg'
import { migrate } from '../../src/database/migrate.js'
import { type Cluster, createDatabase, startCluster } from './cluster.js'

/** Milliseconds that any one step of making the template may take. */
const PATIENCE = 30_000

/**
 * Starts a throw-away PostgreSQL, with a database that has the service's migrations for tests to copy theirs from, and
 * removes it when the work is done or a signal ends it.
 *
 * @param work gets the environment variables by which test files find the cluster; returns an exit code
 * @returns the exit code, 1 after a signal
 */
export async function withSharedCluster(
  work: (environment: Record<string, string>) => Promise<number>,
): Promise<number> {
  const cluster = await startCluster()
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => 1)
  try {
    const facts = { ...cluster, template: await createTemplate(cluster) }
    return await Promise.race([interrupted, work({ TEST_CLUSTER: JSON.stringify(facts) })])
  } finally {
    await cluster.remove()
  }
}

async function createTemplate(cluster: Cluster): Promise<string> {
  const connectionString = await createDatabase('template0', cluster)
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: PATIENCE,
    query_timeout: PATIENCE,
  })
  await client.connect()
  const lines: string[] = []
  try {
    await migrate(client, (line) => lines.push(line))
  } catch (error) {
    throw new Error(`The service's migrations fail in an empty database: ${lines.join('\n')}`, {
      cause: error,
    })
  } finally {
    await client.end()
  }
  return new URL(connectionString).pathname.slice(1)
}
