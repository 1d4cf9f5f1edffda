import { inspect } from 'node:util'
import { type Logger, pino } from 'pino'
import sonic, { type SonicBoom } from 'sonic-boom'

/** Causes of causes that are logged: an error may be its own cause. */
const MOST_CAUSES = 8

/** What the log may say of an error. Drivers put statements and values on theirs, which are nobody's business here. */
function describe(error: unknown, causes = MOST_CAUSES): unknown {
  if (!(error instanceof Error)) return { message: inspect(error, { depth: 0 }) }
  const { code, constraint } = error as { code?: unknown; constraint?: unknown }
  const cause = error.cause === undefined || causes === 0 ? undefined : describe(error.cause, causes - 1)
  return { type: error.name, message: error.message, code, constraint, stack: error.stack, cause }
}

/** Loaded only where it is used: 17 ms of CPU time and 2 MB at every start otherwise. */
const pretty = process.stdout.isTTY ? (await import('pino-pretty')).default : undefined

/**
 * Standard output in the background, in pieces of 4 kB, a tenth of a second late at most: a write for each line costs
 * 8 % of what a create costs the service. While nobody reads it, 4 MB are kept, and the lines after those are dropped.
 */
const BATCHED = { dest: 1, sync: false, minLength: 4_096, periodicFlush: 100, maxLength: 4_194_304 }

/** Milliseconds for which the end of the process waits for somebody to read the last lines. */
const LAST_LINES = 1_000

/** One JSON line an event on standard output, or readable text when a person watches a terminal. */
export function createLogger(level: string): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: (error: unknown) => describe(error) },
  }
  if (pretty) return pino(options, pretty({ sync: true, translateTime: 'HH:MM:ss', singleLine: true }))
  let latest = Number.POSITIVE_INFINITY
  const output = new sonic.SonicBoom({ ...BATCHED, retryEAGAIN: () => performance.now() < latest })
  const logger = pino(options, output)
  // Whoever read it has gone, or the disk is full: no reason to fail those who have todos here.
  output.on('error', ({ message }: Error) => {
    logger.level = 'silent'
    output.destroy() // it would try again every time
    console.error(`From now on nothing is logged: ${message}`)
  })
  let dropped = 0
  output.on('drop', () => {
    dropped += 1
  })
  output.on('drain', () => {
    if (dropped === 0) return
    const count = dropped
    dropped = 0
    logger.warn({ count }, 'Lines were not logged, for nobody read those before them.')
  })
  process.on('exit', () => {
    latest = performance.now() + LAST_LINES
    writeLast(output)
  })
  return logger
}

function writeLast(output: SonicBoom): void {
  try {
    output.flushSync()
  } catch {
    // Nobody reads, and to whom could it be told then?
  }
}
