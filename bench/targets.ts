import type { Line } from './statistics.js'
import type { WorkName } from './work.js'

/** How the service must compare with another server: its own value divided by the other's. */
interface Target {
  readonly what: string
  readonly quantity: 'serverCpu' | 'cpu' | 'throughput'
  readonly to: string
  readonly binding: boolean
  readonly limits: Readonly<Partial<Record<WorkName, number>>>
}

const TARGETS: readonly Target[] = [
  target('CPU of the server', 'serverCpu', 'Fastify + pg', true, [0.9, 0.85, 1.05]),
  target('CPU of server and PostgreSQL', 'cpu', 'Fastify + pg', true, [0.85, 0.8, 1.05]),
  target('throughput', 'throughput', 'Fastify + pg', true, [1.15, 1.5, 0.95]),
  target('CPU of the server', 'serverCpu', 'Fastify + pg', false, [0.75, 0.65, 0.9]),
  target('CPU of the server', 'serverCpu', 'node:http on our SQL', false, [1.4, 1.4, 1.3]),
]

function target(
  what: string,
  quantity: Target['quantity'],
  to: string,
  binding: boolean,
  [get, list, create]: [get: number, list: number, create: number],
): Target {
  return { what, quantity, to, binding, limits: { get, list, create } }
}

/** One limit and whether it is kept. */
export interface Verdict {
  readonly what: string
  readonly to: string
  readonly work: string
  readonly limit: string
  readonly measured: number
  readonly isBinding: boolean
  readonly isReached: boolean
}

/** Holds what was measured on one version of Node.js against the targets. */
export function verdictsOn(lines: readonly Line[], node: string): Verdict[] {
  return TARGETS.flatMap(({ what, quantity, to, binding, limits }) =>
    Object.entries(limits).map(([work, limit]) => {
      const line = lines.find((each) => each.node === node && each.work === work && each.server === to)
      const measured = 1 / (line?.toOurs[quantity].median ?? Number.NaN)
      const isReached = quantity === 'throughput' ? measured >= limit : measured <= limit
      const sign = quantity === 'throughput' ? '>=' : '<='
      return { what, to, work, limit: `${sign} ${limit}`, measured, isBinding: binding, isReached }
    }),
  )
}
