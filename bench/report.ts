/** What was measured: as tables, as bench/results.json, and as the README's chart. */
import { writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { chart } from './chart.js'
import type { DatabaseLimit } from './pgbench.js'
import type { Measurement } from './run.js'
import { budgetOf, type Layer, type Line, linesOf } from './statistics.js'
import { type Verdict, verdictsOn } from './targets.js'
import type { WorkName } from './work.js'

export interface Measured {
  readonly facts: Facts
  readonly measurements: readonly Measurement[]
  readonly layers: readonly Measurement[]
  /** Undefined where there is no pgbench. */
  readonly limits: readonly DatabaseLimit[] | undefined
}

/** The circumstances. */
interface Facts {
  /** Of the image; the targets are for it. */
  readonly node: string
  readonly postgres: string
  readonly todos: number
  readonly rounds: number
  /** Milliseconds. */
  readonly slice: number
  /** The share of all cores that was busy while it measured, with whatever else the machine did. */
  readonly busy: number
}

const TITLES: Record<WorkName, string> = {
  get: 'Get by id',
  getKnown: 'Get with If-None-Match (304)',
  list: 'Page of 20 with three parameters',
  deep: 'Deep page of 20',
  create: 'Create',
  createOnce: 'Create with Idempotency-Key',
  patch: 'Patch with If-Match',
  refuse: 'Refused body (400)',
  mix: 'Mix, 80 % read',
}

/** Prints everything; writes files only of a whole run, because a short one says nothing about speed. */
export async function report(
  { facts, measurements, layers, limits }: Measured,
  isShort: boolean,
): Promise<void> {
  const lines = linesOf(measurements)
  const budget = budgetOf(layers)
  for (const node of new Set(lines.map((line) => line.node))) printWorks(lines, node)
  printBudget(budget, facts.node)
  printLimits(limits)
  if (isShort) {
    console.log('\nEverything works, and every answer was right. So short a run says nothing about speed.')
    return
  }

  const verdicts = verdictsOn(lines, facts.node)
  printVerdicts(verdicts)
  const date = new Date().toISOString()
  await writeResults('bench/results.json', { date, machine, ...facts, lines, budget, limits, verdicts })
  const shown = lines.filter((line) => line.node === facts.node)
  const caption = `${date.slice(0, 10)}, ${machine}, Node.js ${facts.node}, PostgreSQL ${facts.postgres}`
  await writeFile('bench/chart.svg', chart(shown, caption))
  console.log('\nWritten: bench/results.json and bench/chart.svg.')
}

function printWorks(lines: readonly Line[], node: string): void {
  for (const [work, title] of Object.entries(TITLES)) {
    const here = lines.filter((line) => line.node === node && line.work === work)
    console.log(`\n${title}, Node.js ${node}: median (first to third quartile), and as a multiple of ours`)
    printTable(
      ['', 'server µs', 'PostgreSQL µs', 'x server', 'x both', 'per second', 'x', 'p50 ms', 'p99 ms', 'MB'],
      here.map(({ server, values, toOurs }) => [
        server,
        `${show(values.serverCpu.median)} (${show(values.serverCpu.low)}-${show(values.serverCpu.high)})`,
        show(values.databaseCpu.median),
        show(toOurs.serverCpu.median),
        show(toOurs.cpu.median),
        `${show(values.throughput.median)} (${show(values.throughput.low)}-${show(values.throughput.high)})`,
        show(toOurs.throughput.median),
        show(values.p50.median),
        show(values.p99.median),
        show(values.resident.median),
      ]),
    )
  }
}

function printBudget(budget: readonly Layer[], node: string): void {
  const works = Object.keys(budget[0]?.adds ?? {}) as WorkName[]
  console.log(`\nWhat each layer adds to the server's CPU time a request, in microseconds, Node.js ${node}`)
  printTable(
    ['', ...works],
    budget.map(({ layer, adds }) => [layer, ...works.map((work) => (adds[work] ?? 0).toFixed(1))]),
  )
}

function printLimits(limits: readonly DatabaseLimit[] | undefined): void {
  if (!limits) {
    console.log('\nThere is no pgbench here: the limit of the database was not measured.')
    return
  }
  console.log('\nThe limit of the database: our statements in pgbench')
  printTable(
    ['', 'PostgreSQL µs', 'per second'],
    limits.map(({ work, databaseCpu, throughput }) => [work, show(databaseCpu), show(throughput)]),
  )
}

function printVerdicts(verdicts: readonly Verdict[]): void {
  console.log('\nTo reach: ours divided by the other')
  printTable(
    ['', 'to', 'work', 'limit', 'measured', ''],
    verdicts.map(({ what, to, work, limit, measured, isBinding, isReached }) => {
      const verdict = isReached ? 'reached' : isBinding ? 'MISSED' : 'missed, not binding'
      return [what, to, work, limit, show(measured), verdict]
    }),
  )
}

export const machine = `${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}`

/** Writes what was measured as JSON, every number rounded. */
export async function writeResults(file: string, results: object): Promise<void> {
  const json = JSON.stringify(results, (_, value) => (typeof value === 'number' ? rounded(value) : value), 1)
  await writeFile(file, `${json}\n`)
}

/** Prints columns, the first aligned left and the others right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  for (const row of all) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    )
    console.log(cells.join('  '))
  }
}

/** Three significant digits say more than such a measurement knows. */
const rounded = (value: number) => Number(value.toPrecision(value >= 1_000 ? 4 : 3))
export const show = (value: number) => rounded(value).toLocaleString('en')
