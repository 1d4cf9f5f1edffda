/**
 * `npm run bench [-- --minutes 12]`: measures the service side by side with what one would take instead, in one
 * interleaved run, and writes bench/results.json and bench/chart.svg. `-- --short` only sees that all of it works.
 */
import { parseArgs } from 'node:util'
import { acquire, main } from '../contract-tests/processes.js'
import { type Database, seed, startDatabase, stopDatabase, tidy } from './database.js'
import type { Exchange } from './load.js'
import { machineTime, measure, type Slice } from './measure.js'
import { databaseLimits } from './pgbench.js'
import { rehearse } from './rehearsal.js'
import { report } from './report.js'
import { imageRuntime, ownRuntime, type Runtime } from './runtimes.js'
import { CONTESTANTS, type Contestant, LAYERS, OURS, type RunningServer, startServer } from './servers.js'
import { readSamples, type WorkName, type Works, worksOf } from './work.js'

/** All slices of one server at one kind of work, in the order of the rounds. */
export interface Measurement {
  readonly node: string
  readonly work: WorkName
  readonly server: string
  readonly slices: Slice[]
}

interface Plan {
  readonly todos: number
  readonly rounds: number
  /** Milliseconds for each slice, and for each before the first, which makes V8 compile what is hot. */
  readonly slice: number
  readonly warmUp: number
}

const BUDGET_WORKS = ['get', 'list', 'create'] as const

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '12' }, short: { type: 'boolean', default: false } },
})
const minutes = Number(options.minutes)

const servers: RunningServer[] = []

const WRITES = new Set<WorkName>(['create', 'createOnce', 'patch', 'mix'])

async function bench(): Promise<number> {
  if (!(minutes >= 1)) throw new Error(`--minutes is ${options.minutes}; allowed: a number from 1 on`)
  const image = await imageRuntime()
  const runtimes = [image, ...ownRuntime(image)]
  const database = await acquire(startDatabase, stopDatabase)
  await acquire(async () => servers, stopAll)
  const plan = planFor(runtimes)
  await (await startServer(OURS, image, database.url)).stop() // makes the schema
  await seed(database.client, plan.todos)
  const samples = await readSamples(database.client)
  const works = worksOf(samples)
  const before = await machineTime()

  console.log(
    `Measuring ${CONTESTANTS.length} servers on Node.js ${runtimes.map(({ version }) => version).join(' and ')}.`,
  )
  await start(CONTESTANTS, runtimes, database.url)
  for (const { url, validates } of servers) await rehearse(url, works, validates)
  await tidy(database.client)
  const measurements = await measureRounds(database, works, Object.keys(works) as WorkName[], plan)
  await stopAll()

  console.log('Measuring the layers.')
  await start([...LAYERS, OURS], [image], database.url)
  const layers = await measureRounds(database, unchecked(works), BUDGET_WORKS, plan)
  await stopAll()

  const limits = await databaseLimits(database, samples, options.short ? 1 : 10)
  const after = await machineTime()
  const busy = 1 - (after.idle - before.idle) / (after.all - before.all)
  const facts = { ...plan, postgres: database.version, busy, node: image.version }
  await report({ facts, measurements, layers, limits }, options.short)
  return 0
}

/** Two thirds of the time go to the servers, the rest to the layers, the start, and what is done between slices. */
function planFor(runtimes: readonly Runtime[]): Plan {
  if (options.short) return { todos: 3_000, rounds: 1, slice: 100, warmUp: 0 }
  const rounds = 5
  const slices = rounds * runtimes.length * CONTESTANTS.length * 9
  const slice = Math.round((minutes * 60_000 * 0.6) / slices)
  return { todos: 100_000, rounds, slice, warmUp: Math.min(slice, 400) }
}

async function start(
  contestants: readonly Contestant[],
  runtimes: readonly Runtime[],
  url: string,
): Promise<void> {
  for (const runtime of runtimes) {
    for (const contestant of contestants) servers.push(await startServer(contestant, runtime, url))
  }
}

async function stopAll(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
}

/** Lets all running servers do all works, in turn, several times; who begins changes from round to round. */
async function measureRounds(
  database: Database,
  works: Works,
  names: readonly WorkName[],
  plan: Plan,
): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (let round = 0; round <= plan.rounds; round += 1) {
    const isWarmUp = round === 0
    const milliseconds = isWarmUp ? plan.warmUp : plan.slice
    if (milliseconds === 0) continue
    for (const work of names) {
      for (let index = 0; index < servers.length; index += 1) {
        const server = servers[(index + round) % servers.length] as RunningServer
        if (work === 'refuse' && !server.validates) continue
        await server.logged(0)
        const slice = await measure(server, database.processId, milliseconds, () => works[work](server.url))
        if (!isWarmUp) slicesOf(measurements, server, work).push(slice)
        if (WRITES.has(work)) await tidy(database.client)
      }
    }
    console.log(isWarmUp ? 'Warm.' : `Round ${round} of ${plan.rounds}.`)
  }
  return measurements
}

function slicesOf(measurements: Measurement[], { name, runtime }: RunningServer, work: WorkName): Slice[] {
  const node = runtime.version
  const known = measurements.find((each) => each.server === name && each.work === work && each.node === node)
  if (known) return known.slices
  const added = { node, work, server: name, slices: [] }
  measurements.push(added)
  return added.slices
}

/** The same requests, of whose answers only the success is looked at: most layers have none but a fixed one. */
function unchecked(works: Works): Works {
  const check: Exchange['check'] = ({ status }) => (status < 300 ? undefined : 'it failed')
  const entries = Object.entries(works).map(([name, next]) => [
    name,
    (url: string) => ({ ...next(url), check }),
  ])
  return Object.fromEntries(entries) as Works
}

await main(bench)
