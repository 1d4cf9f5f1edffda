/**
 * `npm run test:fuzz [-- --connections N] [--seed N] [--only INDEX]`: raw connections of every kind against the service,
 * for a minute unless their number is given, each of them the same whenever seed and index are. The service is
 * started by the Node.js that runs this. Exits with 1 at the first fault, and says how to see it again.
 */
import { parseArgs } from 'node:util'
import { type Service, startService } from '../support/service.js'
import { withSharedCluster } from '../support/shared-cluster.js'
import { REQUEST_TIMEOUT } from './judge.js'
import { type Connections, type Report, round } from './round.js'

/** How many connections the service serves until it is stopped and started again, and how many meet its end. */
const ROUND = 10_000
const LAST = 300

/** Milliseconds. */
const USUAL_TIME = 60_000

/** A machine that is busy is no fault: statements take long, and the answers to slow clients pile up. */
const BUSY_MACHINE = {
  CONNECT_TIMEOUT: '30',
  STATEMENT_TIMEOUT: '30',
  QUEUE_TIMEOUT: '30',
  CLIENT_MEMORY: '1073741824',
  CLIENT_MEMORY_PER_ADDRESS: '1073741824',
}

const { values: options } = parseArgs({
  options: {
    connections: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
})

/** @throws when an option is no whole number */
function numberOf(name: 'connections' | 'seed' | 'only'): number | undefined {
  const text = options[name]
  if (text !== undefined && !/^\d{1,9}$/.test(text))
    throw new Error(`--${name} is ${text}; allowed: a whole number`)
  return text === undefined ? undefined : Number(text)
}

const seed = numberOf('seed') ?? 1
const only = numberOf('only')
const connections = numberOf('connections')

async function main(): Promise<number> {
  const service = await startService({
    REQUEST_TIMEOUT: String(REQUEST_TIMEOUT),
    ...BUSY_MACHINE,
    LOG_LEVEL: 'warn',
  })
  process.on('exit', () => service.process.kill('SIGKILL'))
  console.log(`Node.js ${process.versions.node}, seed ${seed}`)
  if (only !== undefined) return conclude(service, await round(service, chosen([only]), narrate))

  const end = performance.now() + (connections === undefined ? USUAL_TIME : Number.POSITIVE_INFINITY)
  const limit = connections ?? Number.POSITIVE_INFINITY
  for (let first = 0; ; first += ROUND) {
    const report = await round(service, roundFrom(first, limit, end))
    console.log(`from ${first} on: ${report.connections} connections, ${report.answers} answers`)
    const isOver = first + ROUND >= limit || performance.now() >= end
    if (isOver || report.faults.length > 0) return conclude(service, report)
    await service.restart()
  }
}

/** With milliseconds since the run began. */
const narrate = (line: string) => console.log(`${Math.round(performance.now())} ${line}`)

/** A whole round, shorter only where the number of connections or the time ends it. */
function roundFrom(first: number, limit: number, end: number): Connections {
  const count = Math.min(ROUND, limit - first)
  const { calm, last } = chosen(Array.from({ length: count }, (_, place) => first + place))
  return { seed, last, calm: until(calm, end) }
}

/** These connections, each where it stands in a whole round. */
function chosen(indices: readonly number[]) {
  const isLast = (index: number) => index % ROUND >= ROUND - LAST
  return { seed, calm: indices.filter((index) => !isLast(index)), last: indices.filter(isLast) }
}

function* until(indices: readonly number[], end: number): Generator<number> {
  for (const index of indices) {
    if (performance.now() >= end) return
    yield index
  }
}

/** Says what was found, and returns the exit code. */
async function conclude(service: Service, { faults }: Report): Promise<number> {
  if (faults.length > 0)
    for (const { limit, time } of service.logs)
      if (limit !== undefined) console.error(`${limit} was exceeded at ${time}.`)
  for (const { what, suspects } of faults.slice(0, 10)) {
    console.error(`\n${what}`)
    const culprits = await narrowed(service, suspects, what)
    if (culprits.length > 1) console.error('It does not come again with half of these connections.')
    for (const index of culprits.slice(0, 20))
      console.error(`  npm run test:fuzz -- --seed ${seed} --only ${index}`)
  }
  if (faults.length === 0) console.log('No fault.')
  return faults.length === 0 ? 0 : 1
}

/** Halves the suspects for as long as one half alone does it again. */
async function narrowed(
  service: Service,
  suspects: readonly number[],
  what: string,
): Promise<readonly number[]> {
  const middle = Math.ceil(suspects.length / 2)
  if (suspects.length < 2) return suspects
  for (const half of [suspects.slice(0, middle), suspects.slice(middle)]) {
    await service.restart()
    const { faults } = await round(service, chosen(half))
    if (faults.some((fault) => firstLine(fault.what) === firstLine(what)))
      return narrowed(service, half, what)
  }
  return suspects
}

const firstLine = (text: string) => text.split('\n', 1)[0]

process.exit(
  await withSharedCluster((environment) => {
    Object.assign(process.env, environment)
    return main()
  }),
)
