import type { Point } from './point.js'

export interface Circumstances {
  readonly database: 'fast' | 'slow'
  /** Connections to it. */
  readonly poolSize: number
  /** Whether refused clients wait as Retry-After asks; otherwise they retry at once. */
  readonly obeys: boolean
}

/** A server in these circumstances, under growing load. */
export interface Curve extends Circumstances {
  readonly server: string
  readonly points: readonly Point[]
}

/** As many connections as saturate the service: with more it answers no more. */
export const SATURATION = 64

/** How often that is what the targets are for. */
export const OVERLOADS = [2, 10, 40]

/** Milliseconds that the slow database takes for a statement. */
export const SLOW = 20

/** Whether other servers are measured too, and the curve begins below saturation. */
export const isCompared = ({ poolSize, obeys }: Circumstances) => poolSize === 10 && !obeys

export const nameOf = ({ database, poolSize, obeys }: Circumstances) =>
  `${database} database, pool of ${poolSize}, ${obeys ? 'obeying Retry-After' : 'retrying at once'}`
