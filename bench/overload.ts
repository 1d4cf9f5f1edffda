/**
 * `npm run bench:overload`: what the service still answers when more is asked than it can do, beside Fastify with
 * @fastify/under-pressure and Go's net/http. Writes bench/overload.json and bench/overload.svg; ends with 1 when a target
 * is missed. `-- --short` only sees that all of it works and that every answer is right.
 */
import { parseArgs } from 'node:util'
import { acquire, main } from '../contract-tests/processes.js'
import { seed, startDatabase, stopDatabase, tidy } from './database.js'
import { ask, type Exchange, load, show } from './load.js'
import {
  type Circumstances,
  type Curve,
  isCompared,
  OVERLOADS,
  SATURATION,
  SLOW,
} from './overload/circumstances.js'
import { contestants } from './overload/contestants.js'
import { createMeter, type Meter, middleOf, type Point } from './overload/point.js'
import { printCurve, report } from './overload/report.js'
import { startSlowDatabase } from './overload/slow-database.js'
import { headerFault } from './rehearsal.js'
import { imageRuntime } from './runtimes.js'
import { OURS, type RunningServer, startServer } from './servers.js'
import { readSamples, type Samples, worksOf } from './work.js'

const HEALTH: Exchange = {
  request: { method: 'GET', path: '/health' },
  check: ({ status }) => (status === 200 ? undefined : '200 was expected'),
}

const { values: options } = parseArgs({ options: { short: { type: 'boolean', default: false } } })

const CIRCUMSTANCES: readonly Circumstances[] = (['fast', 'slow'] as const).flatMap((database) =>
  [10, 2].flatMap((poolSize) => [false, true].map((obeys) => ({ database, poolSize, obeys }))),
)

/**
 * Times in milliseconds; all is measured at the loads, and where servers are compared also at those below. In rounds: what
 * else happens on the machine meanwhile is not to fall on one of the loads.
 */
const PLAN = options.short
  ? {
      ...{ todos: 3_000, warmUp: 100, settle: 200, counted: 300, rounds: 1 },
      ...{ below: [], loads: [16, 320] },
      circumstances: [...CIRCUMSTANCES.slice(0, 1), ...CIRCUMSTANCES.slice(-1)],
    }
  : {
      ...{ todos: 100_000, warmUp: 4_000, settle: 1_500, counted: 2_000, rounds: 5 },
      ...{ below: [SATURATION / 4], loads: [1, ...OVERLOADS].map((times) => times * SATURATION) },
      circumstances: CIRCUMSTANCES,
    }

/** The server that runs now. */
let running: RunningServer | undefined

async function stopServer(): Promise<void> {
  const server = running
  running = undefined
  await server?.stop()
}

async function overload(): Promise<number> {
  const runtime = await imageRuntime()
  const database = await acquire(startDatabase, stopDatabase)
  await (await startServer(OURS, runtime, database.url)).stop() // makes the schema
  await seed(database.client, PLAN.todos)
  const { pages } = await readSamples(database.client)
  const samples: Samples = { known: [], changing: [], pages, deep: [] }
  const slow = await acquire(
    () => startSlowDatabase(database.url, SLOW),
    (proxy) => proxy.close(),
  )
  await acquire(async () => {}, stopServer)
  const meter = await createMeter(database, samples, PLAN)
  const urls = { fast: database.url, slow: slow.url }
  const compared = await contestants()
  const curves: Curve[] = []
  for (const circumstances of PLAN.circumstances) {
    for (const contestant of isCompared(circumstances) ? compared : [OURS]) {
      const settings = { ...contestant.settings, POOL_SIZE: String(circumstances.poolSize) }
      running = await startServer({ ...contestant, settings }, runtime, urls[circumstances.database])
      await prepare(running, samples)
      await tidy(database.client)
      curves.push(await curveOf(running, circumstances, meter))
      await stopServer()
    }
  }
  if (compared.length < 3) console.log('\nGo is not installed: its server was left out.')
  if (options.short) {
    console.log('\nEverything works, and every answer was right. So short a run says nothing about overload.')
    return 0
  }
  const missed = await report(curves, { ...PLAN, node: runtime.version, postgres: database.version })
  return missed > 0 ? 1 : 0
}

/** Sees that a server does all of the work, and lets its compiler find what is hot. */
async function prepare({ name, url }: RunningServer, samples: Samples): Promise<void> {
  const works = worksOf(samples)
  for (const { request, check } of [works.create(), works.list(url), HEALTH]) {
    const answer = await ask(url, request)
    const fault = check(answer) ?? headerFault(answer)
    if (fault) throw new Error(`"${name}": ${request.path}: ${fault}; it answered ${show(answer)}`)
  }
  let count = 0
  await load(url, PLAN.warmUp, () => (count++ % 2 === 0 ? works.create() : works.list(url)))
}

/** Puts one load after the other on a server, in each round. */
async function curveOf(server: RunningServer, circumstances: Circumstances, meter: Meter): Promise<Curve> {
  const loads = isCompared(circumstances) ? [...PLAN.below, ...PLAN.loads] : PLAN.loads
  const measured = loads.map((): Point[] => [])
  for (let round = 0; round < PLAN.rounds; round += 1)
    for (const [index, connections] of loads.entries())
      measured[index]?.push(await meter(server, connections, circumstances.obeys))
  const curve = { server: server.name, ...circumstances, points: measured.map(middleOf) }
  printCurve(curve)
  return curve
}

await main(overload)
