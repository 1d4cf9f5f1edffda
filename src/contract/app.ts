import { parse as parseQuery } from 'node:querystring'
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import type { Logger } from 'pino'
import { admission, type LoadLimits } from './admission.js'
import { bodyParser, bodyReceiver } from './body.js'
import type { Refusal } from './connection.js'
import { type Contract, operationsOf } from './contract.js'
import { dispatcher } from './dispatch.js'
import { answer, type Exchange, exchangeOf, type Fields, fieldsNow, fieldsOf } from './exchange.js'
import { type CrossOrigin, crossOrigin, securityHeaders } from './headers.js'
import { limitLog, type ReportLimit } from './limit-log.js'
import { headersOf, ProblemError, problemDetails, problemFrom } from './problems.js'
import { refuseMisdirected, requestIdOf } from './protocol.js'
import { refuseQueryFaults } from './query.js'
import { requestLog } from './request-log.js'
import { type FindRoute, routesOf } from './routes.js'
import { httpServer, type ServerLimits, type Service } from './server.js'
import type { Handlers } from './types.js'
import { createValidator } from './validator.js'
import { refusal } from './violations.js'

/** Everything that clients can use up has a limit. */
export type ServiceLimits = ServerLimits & LoadLimits

export interface ServiceOptions {
  readonly contract: Contract
  readonly handlers: Handlers
  readonly logger: Logger
  /** Where clients reach the service, without a trailing slash; otherwise each request says it. */
  readonly publicUrl: string | undefined
  /** As Express's `trust proxy` takes it. */
  readonly trustProxy: false | number | string[]
  readonly corsOrigin: '*' | string[]
  readonly limits: ServiceLimits
  /** Routes outside the contract's operations. */
  readonly documentation: RequestHandler
  /** Whether an error that a handler threw means that something it needs cannot be reached now. */
  readonly isUnavailable: (error: unknown) => boolean
  /** Whether the service was told to stop; then connections are closed after their answer. */
  readonly isStopping: () => boolean
}

/**
 * The service that a contract describes, not yet listening. A request that the contract knows takes three steps: body,
 * validator, handler. Every error becomes problem details.
 *
 * Rejects when the validator cannot use the contract.
 */
export async function createService(options: ServiceOptions): Promise<Service> {
  const operations = operationsOf(options.contract)
  const cors = crossOrigin(options.corsOrigin, operations)
  const headers = { ...securityHeaders(), ...cors.headers }
  const reports = {
    limit: limitLog(options.logger),
    refusal: (refusal: Refusal) => options.logger.info(refusal, 'refused'),
  }
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('trust proxy', options.trustProxy)
  app.set('query parser', (query: string) => parseQuery(query, '&', '=', { maxKeys: 0 }))

  app.use(open(options, routesOf(operations), fieldsOf(headers)))
  if (cors.dependsOnOrigin) app.use(cors.middleware)
  app.use(refuseMisdirected, answerOptions(cors))
  app.use(
    onlyOperations(bodyReceiver(options.limits)),
    onlyOperations(admission(options.limits, reports.limit)),
    onlyOperations(bodyParser(options.limits)),
    onlyOperations(refuseQueryFaults),
    onlyOperations(createValidator(options.contract, operations)),
    onlyOperations(dispatcher(operations, options)),
  )
  app.use(setFields, options.documentation, refuseUnknown)
  app.use(answerError(options, reports.limit))
  return httpServer(app, options.limits, headers, reports)
}

/** Begins an answer: finds the operation, gathers what every answer carries, and logs the end. */
function open({ logger, isStopping }: ServiceOptions, findRoute: FindRoute, headers: Fields): RequestHandler {
  const log = requestLog(logger)
  return (request, response, next) => {
    const start = performance.now()
    const { method, path } = request
    const requestId = requestIdOf(request)
    const match = findRoute(path)
    const operation = match?.route.operations.get(method === 'HEAD' ? 'GET' : method)
    const fields = [...headers, ...(operation?.deprecation ?? []), 'X-Request-Id', requestId]
    const exchange = {
      requestId,
      method,
      path,
      route: match?.route,
      operation,
      pathValues: match?.values ?? [],
      fields,
      isStopping,
    }
    response.locals = exchange satisfies Exchange
    response.on('close', () => log(request, response, start))
    next()
  }
}

/** OPTIONS works everywhere; where there is an operation, `Allow` names the methods (RFC 9110, section 9.3.7). */
function answerOptions({ middleware }: CrossOrigin): RequestHandler {
  return (request, response, next) => {
    if (request.method !== 'OPTIONS') return next()
    const { route } = exchangeOf(response)
    if (route) response.setHeader('Allow', route.allow)
    middleware(request, response, () => answer(response, 204, ['Cache-Control', 'no-store']))
  }
}

const onlyOperations = (step: RequestHandler): RequestHandler => {
  return (request, response, next) =>
    exchangeOf(response).operation ? step(request, response, next) : next()
}

/** For what answers in Express's own way. */
const setFields: RequestHandler = (_request, response, next) => {
  const fields = fieldsNow(exchangeOf(response))
  for (let index = 0; index < fields.length; index += 2) {
    response.setHeader(fields[index] as string, fields[index + 1] as string)
  }
  next()
}

/** The paths and methods that nobody knows. */
const refuseUnknown: RequestHandler = (_request, response) => {
  const { route } = exchangeOf(response)
  if (!route) throw new ProblemError(404, { detail: 'There is nothing at this path.' })
  throw new ProblemError(405, { detail: `This path takes ${route.allow}.` }, { Allow: route.allow })
}

/** The one place where an error becomes an answer. */
function answerError({ logger, isUnavailable }: ServiceOptions, report: ReportLimit) {
  return (error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const { requestId, operation, leave } = exchangeOf(response)
    leave?.()
    const problem = (operation && refusal(error, operation, request)) ?? problemFrom(error, isUnavailable)
    if (problem.code === 503 && problem !== error)
      logger.warn({ requestId, reason: (error as Error).message }, 'unavailable') // no fault of the code: no stack
    else if (problem.code >= 500 && problem !== error) logger.error({ requestId, error }, 'request failed')
    if (problem.limit) report(problem.limit, { address: request.socket.remoteAddress })
    if (response.headersSent) return void response.destroy()
    const headers = {
      'Cache-Control': 'no-store',
      'Content-Type': 'application/problem+json',
      ...headersOf(problem.code),
      ...problem.headers,
    }
    const content = JSON.stringify(problemDetails(problem.code, problem.details, requestId))
    answer(response, problem.code, fieldsOf(headers), content)
  }
}
