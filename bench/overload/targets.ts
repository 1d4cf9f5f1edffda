import { type Curve, SATURATION } from './circumstances.js'
import type { Point } from './point.js'

/** The worst of a curve held against a limit. */
export interface Verdict {
  readonly curve: Curve
  readonly what: string
  readonly limit: string
  readonly measured: number
  /** Under how many connections it was worst. */
  readonly connections: number
  readonly isReached: boolean
}

/** The least share of the best goodput. */
const GOODPUT = 0.9
/** Milliseconds. */
const LATENCY = { fast: 1_000, slow: 2_000 }
const HEALTH = 100
const RECOVERY = 1_000

/** Holds curves against what the service must reach from saturation on. */
export function verdictsOn(curves: readonly Curve[]): Verdict[] {
  return curves.flatMap((curve) => {
    const points = curve.points.filter(({ connections }) => connections >= SATURATION)
    const peak = Math.max(...curve.points.map(({ goodput }) => goodput))
    const worst = (values: readonly number[], measured: number) => {
      return { curve, measured, connections: points[values.indexOf(measured)]?.connections ?? Number.NaN }
    }
    const atMost = (what: string, limit: number, value: (point: Point) => number): Verdict => {
      const values = points.map(value)
      const most = Math.max(...values)
      return { ...worst(values, most), what, limit: `<= ${limit}`, isReached: most <= limit }
    }
    const shares = points.map(({ goodput }) => goodput / peak)
    const least = Math.min(...shares)
    const limit = `>= ${GOODPUT}`
    return [
      { ...worst(shares, least), what: 'goodput / its peak', limit, isReached: least >= GOODPUT },
      atMost('accepted p99 ms', LATENCY[curve.database], ({ p99, unanswered }) =>
        unanswered ? Infinity : p99,
      ),
      atMost('/health ms', HEALTH, ({ health }) => (health.unhealthy ? Infinity : health.max)),
      atMost('recovery ms', RECOVERY, ({ recovery }) => recovery),
    ]
  })
}
