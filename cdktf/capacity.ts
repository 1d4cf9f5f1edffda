/**
 * Task sizes (CPU units, MiB of memory), as Fargate offers them, with the requests a minute at which one more
 * task is started. Node.js runs JavaScript on one core, so that more than one belongs into more tasks.
 */
export const taskSizes = {
  small: { cpu: 256, memory: 512, requestsPerMinute: 3_000 },
  medium: { cpu: 512, memory: 1024, requestsPerMinute: 6_000 },
  large: { cpu: 1024, memory: 2048, requestsPerMinute: 12_000 },
} as const

/** A range of Aurora capacity units; each stands for about 2 GiB of memory. */
export interface CapacityRange {
  minimumCapacity: number
  maximumCapacity: number
}

/**
 * The connections that Aurora Serverless v2 for PostgreSQL grants at most: derived from the maximum capacity
 * (189 for one unit), 5,000 in any case, and 2,000 where the minimum is below one unit (Aurora user guide,
 * "Maximum connections for Aurora Serverless v2").
 */
export function maximumConnections({ minimumCapacity, maximumCapacity }: CapacityRange): number {
  return Math.min(189 * maximumCapacity, minimumCapacity < 1 ? 2_000 : 5_000)
}

/** The most connections that each task may hold while a deployment runs twice as many tasks. */
export function largestPool(range: CapacityRange, maximumTasks: number): number {
  const spareForOperators = 10
  return Math.floor((maximumConnections(range) - spareForOperators) / (2 * maximumTasks))
}
