import { STATUS_CODES } from 'node:http'
import type { Problem, Violation } from '../../generated/contract.js'
import type { ProblemDetails } from './types.js'

/** An answer that is an error, thrown where no handler is there to return it. */
export class ProblemError extends Error {
  readonly code: number
  readonly details: ProblemDetails
  readonly headers: Record<string, string>
  readonly limit: string | undefined

  /** @param limit the setting whose value was exceeded, if it was one */
  constructor(code: number, details: ProblemDetails, headers: Record<string, string> = {}, limit?: string) {
    super(details.detail)
    this.code = code
    this.details = details
    this.headers = headers
    this.limit = limit
  }
}

/** The contract lists at most this many violations (`Problem.errors.maxItems`); nobody counts those beyond. */
export const MOST_VIOLATIONS = 100

/** Clients try again after 1 to this many seconds, each after another time, so that they do not all come at once. */
const LONGEST_RETRY_AFTER = 5

/** `400` that names all violations at once, or the first of too many. */
export function badRequest(violations: readonly Violation[]): ProblemError {
  const errors = violations.slice(0, MOST_VIOLATIONS)
  const isAll = errors.length === violations.length
  const count = `${isAll ? '' : 'more than '}${errors.length} fault${errors.length === 1 ? '' : 's'}`
  const rest = isAll ? '' : `; the first ${MOST_VIOLATIONS} are listed`
  return new ProblemError(400, { detail: `The request has ${count}${rest}.`, errors })
}

/** The whole problem object (RFC 9457) and the headers that belong to its status. */
export function problemDetails(status: number, details: ProblemDetails, requestId: string): Problem {
  const { type = 'about:blank', detail, errors } = details
  const title = TITLES[status] ?? STATUS_CODES[status] ?? 'Error'
  return { type, title, status, detail, requestId, ...(errors && { errors: [...errors] }) }
}

/** Headers that every answer of a status carries. */
export function headersOf(status: number): Record<string, string> {
  return status === 503 ? { 'Retry-After': String(1 + Math.floor(Math.random() * LONGEST_RETRY_AFTER)) } : {}
}

/** RFC 9110's names, where Node still has those of RFC 7231. */
const TITLES: Record<number, string> = {
  413: 'Content Too Large',
  414: 'URI Too Long',
  422: 'Unprocessable Content',
}

/**
 * Every error that can be thrown on the way to an answer, as a problem. What is not known here is a fault of the
 * service: `500`, whose cause is logged and not shown.
 */
export function problemFrom(error: unknown, isUnavailable: (error: unknown) => boolean): ProblemError {
  if (error instanceof ProblemError) return error
  if (isUnavailable(error)) {
    return new ProblemError(503, { detail: 'The database cannot be used now. Try again later.' })
  }
  return new ProblemError(500, {
    detail: "The service failed to answer. The fault is in its log under this request's id.",
  })
}
