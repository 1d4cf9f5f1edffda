/** What was measured under overload: as tables, as bench/overload.json, and as the README's chart. */
import { writeFile } from 'node:fs/promises'
import { machine, printTable, show, writeResults } from '../report.js'
import { chart } from './chart.js'
import { type Curve, nameOf } from './circumstances.js'
import { verdictsOn } from './targets.js'

/** The circumstances; times in milliseconds. */
interface Facts {
  readonly node: string
  readonly postgres: string
  readonly todos: number
  readonly settle: number
  readonly counted: number
  readonly rounds: number
}

const HEAD = [
  ...['connections', '200+201/s', '503/s', 'p50 ms', 'p99 ms', 'broken', 'unanswered'],
  ...['/health p50 ms', 'p99', 'max', 'not 200', 'MB', 'recovery ms', 'clients busy'],
]

export function printCurve(curve: Curve): void {
  console.log(`\n${curve.server}: ${nameOf(curve)}`)
  printTable(
    HEAD,
    curve.points.map(({ connections, goodput, refused, p50, p99, broken, unanswered, health, ...end }) => [
      show(connections),
      ...[goodput, refused, p50, p99, broken, unanswered].map(show),
      ...[health.p50, health.p99, health.max, health.unhealthy, end.resident, end.recovery].map(show),
      `${Math.round(100 * end.busy)} %`,
    ]),
  )
}

/** Prints the targets, and writes the files. Gives how many targets were missed. */
export async function report(curves: readonly Curve[], facts: Facts): Promise<number> {
  const ours = curves.filter(({ server }) => server === 'ours')
  const verdicts = verdictsOn(ours).map(({ curve, ...verdict }) => ({ situation: nameOf(curve), ...verdict }))
  console.log('\nTo reach by ours, the worst of each situation')
  printTable(
    ['', '', 'limit', 'measured', 'at connections', ''],
    verdicts.map(({ situation, what, limit, measured, connections, isReached }) => [
      ...[situation, what, limit, show(measured), show(connections)],
      isReached ? 'reached' : 'MISSED',
    ]),
  )
  const date = new Date().toISOString()
  await writeResults('bench/overload.json', { date, machine, ...facts, curves, verdicts })
  const caption = `${date.slice(0, 10)}, ${machine}, Node.js ${facts.node}, PostgreSQL ${facts.postgres}`
  await writeFile('bench/overload.svg', chart(curves, caption))
  console.log('\nWritten: bench/overload.json and bench/overload.svg.')
  return verdicts.filter(({ isReached }) => !isReached).length
}
