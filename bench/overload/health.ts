/** The process that asks for the health of a server: on a new connection, ten times a second, whatever waits already. */
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../load.js'
import { serve } from './helper.js'

interface Watch {
  readonly url: string
  /** In milliseconds since 1970. */
  readonly until: number
}

/** Milliseconds until the answer, from before the connection was made; and how many were none, or not healthy. */
export interface Health {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly unhealthy: number
}

const INTERVAL = 100

/** Milliseconds after which no answer is waited for any more. */
const PATIENCE = 20_000

async function watch({ url, until }: Watch): Promise<Health> {
  let unhealthy = 0
  const askOnce = async () => {
    const start = performance.now()
    const answer = await Promise.race([ask(url, { method: 'GET', path: '/health' }), delay(PATIENCE)]).catch(
      () => undefined,
    )
    if (answer?.status !== 200) unhealthy += 1
    return performance.now() - start
  }
  const asked: Promise<number>[] = []
  while (Date.now() < until) {
    asked.push(askOnce())
    await delay(INTERVAL)
  }
  const times = (await Promise.all(asked)).sort((a, b) => a - b)
  const at = (share: number) => times[Math.ceil(share * times.length) - 1] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1), unhealthy }
}

const skills = { watch }
export type Watcher = typeof skills
serve(skills)
