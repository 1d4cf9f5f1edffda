import { setTimeout as delay } from 'node:timers/promises'
import type { Service } from './contract/server.js'

/** Milliseconds that requests in flight have to finish, once no new ones are taken. */
export const DRAIN_LIMIT = 10_000

/**
 * Stops a server that a load balancer may still send requests to: goes on serving for a while and until what was sent is
 * read, then takes no new connection and waits for the requests in flight, for DRAIN_LIMIT at the most.
 *
 * @param serveOn milliseconds to go on serving
 */
export async function drain({ server, settle }: Service, serveOn: number): Promise<void> {
  await delay(serveOn)
  await settle()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const limit = setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT)
  await closed
  clearTimeout(limit)
}
