import type { Slice } from './measure.js'
import type { Measurement } from './run.js'
import { CONTESTANTS, LAYERS, OURS } from './servers.js'
import type { WorkName } from './work.js'

/** The middle of some numbers, and how far they spread: the first and the third quartile. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const below = sorted[Math.floor(place)] ?? Number.NaN
    const above = sorted[Math.ceil(place)] ?? Number.NaN
    return below + (above - below) * (place % 1)
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

type Quantity = keyof Slice
type Spreads = Record<Quantity, Spread>

const QUANTITIES: Quantity[] = ['serverCpu', 'databaseCpu', 'cpu', 'throughput', 'p50', 'p99', 'resident']

/** A server at a kind of work: over the rounds, and in each round as a multiple of the service's own. */
export interface Line {
  readonly node: string
  readonly work: WorkName
  readonly server: string
  readonly values: Spreads
  readonly toOurs: Spreads
}

/** One line for each measurement, in the order of the list of servers. */
export function linesOf(measurements: readonly Measurement[]): Line[] {
  const order = CONTESTANTS.map(({ name }) => name)
  const sorted = measurements.toSorted((a, b) => order.indexOf(a.server) - order.indexOf(b.server))
  return sorted.map(({ node, work, server, slices }) => {
    const ours = measurements.find(
      (each) => each.server === OURS.name && each.work === work && each.node === node,
    )
    const spreads = (value: (slice: Slice, quantity: Quantity, round: number) => number) =>
      Object.fromEntries(
        QUANTITIES.map((quantity) => [
          quantity,
          spreadOf(slices.map((slice, round) => value(slice, quantity, round))),
        ]),
      ) as Spreads
    return {
      ...{ node, work, server },
      values: spreads((slice, quantity) => slice[quantity]),
      toOurs: spreads(
        (slice, quantity, round) => slice[quantity] / (ours?.slices[round]?.[quantity] ?? Number.NaN),
      ),
    }
  })
}

/** What one layer adds to the server's CPU time a request, in microseconds, for each kind of work. */
export interface Layer {
  readonly layer: string
  readonly adds: Partial<Record<WorkName, number>>
}

/** Each layer against the one below; the last two lines are their sum and what the whole service itself took. */
export function budgetOf(measurements: readonly Measurement[]): Layer[] {
  const works = [...new Set(measurements.map(({ work }) => work))]
  const cost = (server: string, work: WorkName) => {
    const slices = measurements.find((each) => each.server === server && each.work === work)?.slices ?? []
    return spreadOf(slices.map(({ serverCpu }) => serverCpu)).median
  }
  const line = (layer: string, value: (work: WorkName) => number): Layer => ({
    layer,
    adds: Object.fromEntries(works.map((work) => [work, value(work)])),
  })
  const layers = LAYERS.map(({ name }, index) => {
    const below = LAYERS[index - 1]?.name
    return line(name, (work) => cost(name, work) - (below === undefined ? 0 : cost(below, work)))
  })
  const sum = (work: WorkName) => layers.reduce((total, { adds }) => total + (adds[work] ?? 0), 0)
  return [...layers, line('sum', sum), line('the service as it is', (work) => cost(OURS.name, work))]
}
