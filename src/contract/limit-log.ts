import type { Logger } from 'pino'

/** Milliseconds for which further cases of the same limit are only counted. */
const SUMMARY_INTERVAL = 60_000

/** Told each time that a limit is exceeded; `limit` is the name of its setting. */
export type ReportLimit = (limit: string, details?: Record<string, unknown>) => void

/**
 * Logs that a limit was exceeded: the first case at once and in full, those of the next minute as one line with their
 * number, at the latest when the process exits. So an attack costs a line a minute, and not one for each request.
 */
export function limitLog(logger: Logger): ReportLimit {
  const further = new Map<string, number>()
  const summarise = (limit: string) => {
    const count = further.get(limit) ?? 0
    further.delete(limit)
    if (count > 0) logger.warn({ limit, count }, `${limit} was exceeded again.`)
  }
  process.prependListener('exit', () => {
    for (const limit of [...further.keys()]) summarise(limit)
  })
  return (limit, details) => {
    const count = further.get(limit)
    if (count !== undefined) return void further.set(limit, count + 1)
    further.set(limit, 0)
    logger.warn({ limit, ...details }, `${limit} was exceeded.`)
    setTimeout(summarise, SUMMARY_INTERVAL, limit).unref()
  }
}
