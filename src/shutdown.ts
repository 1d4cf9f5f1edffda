import { setTimeout as delay } from 'node:timers/promises'
import type { Service } from './contract/server.js'

/** Milliseconds that requests in flight have to finish. */
export const DRAIN_LIMIT = 10_000

/** Of these, those that clients have to be accepted: if they come all the time, new ones would put the end off. */
const ACCEPT_LIMIT = 5_000

/**
 * Stops a server that a load balancer may still send requests to: goes on serving for a while and until who came before
 * is accepted, then takes no new connection and waits for the requests in flight, for DRAIN_LIMIT at the most.
 *
 * @param serveOn milliseconds to go on serving
 */
export async function drain({ server, accepted }: Service, serveOn: number): Promise<void> {
  await delay(serveOn)
  const limit = setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT)
  await accepted(ACCEPT_LIMIT)
  await new Promise((resolve) => server.close(resolve))
  clearTimeout(limit)
}
