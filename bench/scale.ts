/**
 * `npm run bench:scale`: what must not grow. How many pages PostgreSQL reads with 10^3, 10^5 and 10^7 todos, what a request
 * costs with more operations in the contract, how long a start takes, and the memory of the service. Writes
 * bench/scale.json; ends with 1 when a limit is not kept. `-- --short` only sees that all of it works: with the smaller
 * tables, whose pages it holds to the limits, and without judging times.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { acquire, main } from '../contract-tests/processes.js'
import { seed, startDatabase, stopDatabase } from './database.js'
import { measureOperations, type OperationsCost } from './operations.js'
import { measurePages, type PageReads } from './pages.js'
import { printTable } from './report.js'
import { imageRuntime } from './runtimes.js'
import { OURS, startServer } from './servers.js'
import { measureMemory, measureStarts, type Start } from './starts.js'

const { values: options } = parseArgs({ options: { short: { type: 'boolean', default: false } } })

/** The most that a start on a database that is there may take, in milliseconds, and the service at rest, in MB. */
const START_LIMIT = 500
const MEMORY_LIMIT = 120
/** How much dearer a request may seem with 200 more operations: differences under this are chance. */
const GROWTH_LIMIT = 1.1

async function scale(): Promise<number> {
  const runtime = await imageRuntime()
  const database = await acquire(startDatabase, stopDatabase)
  await (await startServer(OURS, runtime, database.url)).stop() // makes the schema

  const tables = new Map<number, PageReads[]>()
  for (const todos of options.short ? [1_000, 10_000] : [1_000, 10_000_000, 100_000]) {
    await seed(database.client, todos)
    tables.set(todos, await measurePages(database.client))
  }
  const grown = printPages(new Map([...tables].sort(([a], [b]) => a - b)))
  const [rounds, milliseconds] = options.short ? [1, 100] : [5, 1_500]
  const operations = await measureOperations(database, runtime, rounds, milliseconds)
  printOperations(operations)
  const starts = await measureStarts(database, runtime, options.short ? 1 : 5)
  const memory = await measureMemory(database, runtime, options.short ? 500 : 10_000)
  printStarts(starts, memory)
  if (grown.length > 0) console.log(`\nMore pages than allowed: ${grown.join('; ')}`)
  if (options.short) return grown.length > 0 ? 1 : 0

  const facts = { date: new Date().toISOString(), node: runtime.version, postgres: database.version }
  const results = { ...facts, pages: Object.fromEntries(tables), operations, starts, memory }
  await writeFile('bench/scale.json', `${JSON.stringify(results, null, 1)}\n`)
  const broken = [...grown, ...brokenLimits(operations, starts, memory)]
  console.log(
    broken.length > 0 ? `\nNot kept: ${broken.join('; ')}` : '\nNothing grows, and every limit is kept.',
  )
  return broken.length > 0 ? 1 : 0
}

/** Prints the pages read by table size, and gives what read more of them than it may. */
function printPages(tables: ReadonlyMap<number, readonly PageReads[]>): string[] {
  const sizes = [...tables.keys()]
  console.log(
    '\nPages of 8 kB that PostgreSQL reads, by the number of todos; and how many it may read on the largest',
  )
  const whats = tables.get(sizes[0] as number)?.map(({ what }) => what) ?? []
  const read = (todos: number, what: string) =>
    tables.get(todos)?.find((each) => each.what === what) as PageReads
  printTable(
    ['', ...sizes.map((todos) => todos.toLocaleString('en')), 'at most'],
    whats.map((what) => {
      const allowed = read(sizes.at(-1) as number, what).allowed
      return [what, ...sizes.map((todos) => String(read(todos, what).pages)), String(allowed)]
    }),
  )
  return sizes.flatMap((todos) =>
    whats
      .filter((what) => read(todos, what).pages > read(todos, what).allowed)
      .map((what) => `${what} with ${todos} todos`),
  )
}

function printOperations(costs: readonly OperationsCost[]): void {
  console.log("\nThe server's CPU time a request, with more operations in the contract")
  printTable(
    ['', 'more', 'microseconds', 'x', 'start ms'],
    costs.map(({ work, added, serverCpu, toNone, start }) => [
      work,
      String(added),
      serverCpu.toFixed(1),
      toNone.toFixed(2),
      start.toFixed(0),
    ]),
  )
}

interface Memory {
  readonly idle: number
  readonly loaded: number
}

function printStarts(starts: readonly Start[], { idle, loaded }: Memory): void {
  console.log('\nUntil the first healthy answer')
  printTable(
    ['', 'milliseconds'],
    starts.map(({ what, milliseconds }) => [what, milliseconds.toFixed(0)]),
  )
  console.log(
    `\nResident memory: ${idle.toFixed(0)} MB at rest, ${loaded.toFixed(0)} MB at its most under load`,
  )
}

function brokenLimits(
  costs: readonly OperationsCost[],
  starts: readonly Start[],
  { idle }: Memory,
): string[] {
  const slow = starts.filter(({ what, milliseconds }) => !what.includes('own') && milliseconds > START_LIMIT)
  return [
    ...costs
      .filter(({ toNone }) => toNone > GROWTH_LIMIT)
      .map(({ work, added }) => `${work} with ${added} operations`),
    ...slow.map(({ what }) => `a start ${what}`),
    ...(idle > MEMORY_LIMIT ? ['memory at rest'] : []),
  ]
}

await main(scale)
