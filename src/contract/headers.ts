import cors, { type CorsOptions } from 'cors'
import type { Request, RequestHandler, Response } from 'express'
import helmet from 'helmet'
import type { Operation } from './contract.js'

type Middleware = (request: Request, response: Response, next: () => void) => void

/** The headers that a middleware sets on every answer alike, found once instead of at each request. */
function headersFrom(middleware: Middleware): Record<string, string> {
  const headers: Record<string, string> = {}
  const response = {
    getHeader: (name: string) => headers[name],
    setHeader: (name: string, value: string) => {
      headers[name] = value
    },
    removeHeader: () => {},
  }
  middleware({ method: 'GET', headers: {} } as Request, response as unknown as Response, () => {})
  return headers
}

/** Helmet's security headers for an API: nothing of it may be framed or run, but other sites may read it. */
export function securityHeaders(): Record<string, string> {
  return headersFrom(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      crossOriginResourcePolicy: { policy: 'cross-origin' },
    }) as Middleware,
  )
}

/** CORS (https://fetch.spec.whatwg.org/#http-cors-protocol), split into what is the same for all answers and the rest. */
export interface CrossOrigin {
  readonly headers: Record<string, string>
  /** Sets the headers that depend on the request; for preflights, all. */
  readonly middleware: RequestHandler
  readonly dependsOnOrigin: boolean
}

/** Every header that the contract gives the operations' answers, but for what pages may read anyway. */
export function exposedHeaders(operations: readonly Operation[]): string[] {
  const names = operations.flatMap(({ responses, deprecation }) => [
    ...[...responses.values()].flatMap(({ headers }) => Object.keys(headers)),
    ...deprecation.filter((_, index) => index % 2 === 0),
  ])
  return [...new Set(names)].filter((name) => name !== 'Cache-Control')
}

export function crossOrigin(origin: '*' | string[], operations: readonly Operation[]): CrossOrigin {
  const options: CorsOptions = {
    origin,
    methods: [...new Set(operations.map(({ method }) => method))],
    exposedHeaders: exposedHeaders(operations),
    maxAge: 86_400,
    preflightContinue: true,
  }
  const middleware = cors(options)
  const dependsOnOrigin = origin !== '*'
  return {
    headers: dependsOnOrigin ? {} : headersFrom(middleware as Middleware),
    middleware,
    dependsOnOrigin,
  }
}
