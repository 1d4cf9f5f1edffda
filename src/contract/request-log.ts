import type { Request, Response } from 'express'
import type { Logger } from 'pino'
import { exchangeOf } from './exchange.js'

/**
 * Milliseconds that a finished request waits for others, so that their lines are made together: made one by one between
 * the answers they cost 5 % of a create, because the database's processes fall asleep meanwhile.
 */
const PATIENCE = 20

/** Logs a request that is over; `start` is when it began, by `performance.now()`. */
export type LogRequest = (request: Request, response: Response, start: number) => void

/** One line for each request, at the latest when the process exits. */
export function requestLog(logger: Logger): LogRequest {
  let waiting: Line[] = []
  const write = () => {
    for (const line of waiting) {
      const isFailure = line.status !== undefined && line.status >= 500
      logger[isFailure ? 'error' : 'info'](line, 'request')
    }
    waiting = []
  }
  process.prependListener('exit', write) // before the logger writes its own last piece
  return (request, response, start) => {
    if (exchangeOf(response).isShed) return
    if (waiting.length === 0) setTimeout(write, PATIENCE)
    waiting.push(lineOf(request, response, start))
  }
}

type Line = ReturnType<typeof lineOf>

function lineOf(request: Request, response: Response, start: number) {
  const { requestId, operation, method, path } = exchangeOf(response)
  const duration = Math.round((performance.now() - start) * 1000) / 1000
  // A client that left before the answer got no status.
  const status = response.headersSent ? response.statusCode : undefined
  const aborted = response.writableFinished ? undefined : true
  const { operationId } = operation ?? {}
  const traceparent = traceparentOf(request)
  return { requestId, method, path, operationId, status, duration, aborted, traceparent }
}

/** The trace that the request belongs to (W3C Trace Context, section 3.2). */
function traceparentOf({ headers }: Request): string | undefined {
  const { traceparent } = headers
  if (typeof traceparent !== 'string') return undefined
  return /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/.test(traceparent) ? traceparent : undefined
}
