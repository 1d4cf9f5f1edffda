/** One load on one server: what it answers meanwhile, how healthy it seems, and how soon it is as before. */
import { setTimeout as delay } from 'node:timers/promises'
import { acquire } from '../../contract-tests/processes.js'
import { type Database, tidy } from '../database.js'
import { ask, type Exchange } from '../load.js'
import { memory } from '../measure.js'
import type { RunningServer } from '../servers.js'
import { spreadOf } from '../statistics.js'
import { type Samples, worksOf } from '../work.js'
import type { Answered, Clients } from './clients.js'
import type { Health, Watcher } from './health.js'
import { startHelper } from './helper.js'

export interface Point extends Omit<Answered, 'created'> {
  readonly connections: number
  readonly health: Health
  /** MB of the server at the end of the load. */
  readonly resident: number
  /** Milliseconds from the end of the load until a page is answered within 100 ms. */
  readonly recovery: number
}

/** Milliseconds before answers count, in which queues fill; and in which they count. */
export interface Times {
  readonly settle: number
  readonly counted: number
}

/** Milliseconds. */
const SOON = 100
const RECOVERY_LIMIT = 30_000

export type Meter = Awaited<ReturnType<typeof createMeter>>

/** Starts the processes that ask. What it gives measures one load after the other. */
export async function createMeter(database: Database, samples: Samples, { settle, counted }: Times) {
  const clients = await acquire(
    async () => startHelper<Clients>('clients.ts'),
    (helper) => helper.stop(),
  )
  const watcher = await acquire(
    async () => startHelper<Watcher>('health.ts'),
    (helper) => helper.stop(),
  )
  const works = worksOf(samples)

  /**
   * @param obeys whether refused clients wait as Retry-After asks; otherwise they retry at once
   * @throws when an answer is wrong, or a todo is missing that was said to be created
   */
  return async (server: RunningServer, connections: number, obeys: boolean): Promise<Point> => {
    const { name, url, processId } = server
    await clients.run('gather', { url, samples, connections, obeys })
    const from = Date.now() + settle
    const until = from + counted
    const endOf = async () => {
      await delay(until - Date.now())
      const { resident } = await memory(processId)
      return { resident, recovery: await recoveryOf(works.list(url), url) }
    }
    const [{ created, ...answered }, health, end] = await Promise.all([
      clients.run('ask', { from, until }),
      watcher.run('watch', { url, until }),
      endOf(),
    ])
    const stored = await tidy(database.client)
    if (stored < created)
      throw new Error(`"${name}" confirmed ${created} todos, of which ${stored} are stored`)
    await server.logged(0) // empties the file
    return { connections, ...answered, health, ...end }
  }
}

/** What several rounds measured: the middle of it; of what is never to happen, all of it. */
export function middleOf(rounds: readonly Point[]): Point {
  const middle = (value: (point: Point) => number) => spreadOf(rounds.map(value)).median
  const sum = (value: (point: Point) => number) => rounds.reduce((total, point) => total + value(point), 0)
  return {
    connections: middle(({ connections }) => connections),
    goodput: middle(({ goodput }) => goodput),
    refused: middle(({ refused }) => refused),
    broken: sum(({ broken }) => broken),
    unanswered: sum(({ unanswered }) => unanswered),
    p50: middle(({ p50 }) => p50),
    p99: middle(({ p99 }) => p99),
    busy: middle(({ busy }) => busy),
    health: {
      p50: middle(({ health }) => health.p50),
      p99: middle(({ health }) => health.p99),
      max: middle(({ health }) => health.max),
      unhealthy: sum(({ health }) => health.unhealthy),
    },
    resident: middle(({ resident }) => resident),
    recovery: middle(({ recovery }) => recovery),
  }
}

async function recoveryOf({ request, check }: Exchange, url: string): Promise<number> {
  const start = performance.now()
  while (true) {
    const next = delay(SOON)
    const answer = await Promise.race([ask(url, request).catch(() => undefined), next])
    const passed = performance.now() - start
    if ((answer && !check(answer)) || passed > RECOVERY_LIMIT) return passed
    await next
  }
}
