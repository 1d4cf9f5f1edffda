/** Express 5, express-openapi-validator and pg-promise, as their documentation teaches. */
import { randomUUID } from 'node:crypto'
import cors from 'cors'
import express, { type NextFunction, type Request, type Response } from 'express'
import * as OpenApiValidator from 'express-openapi-validator'
import helmet from 'helmet'
import { problemDetails } from '../../src/contract/problems.js'
import { promiseStore } from './stores.js'
import {
  contract,
  crossOrigin,
  databaseUrl,
  handlersOn,
  logger,
  operations,
  port,
  security,
} from './surroundings.js'

const answer = handlersOn(promiseStore(databaseUrl))

const app = express()
app.use((request, response, next) => {
  const start = performance.now()
  response.locals.requestId = randomUUID()
  response.set({ 'X-Request-Id': response.locals.requestId, 'Cache-Control': 'no-cache' })
  response.on('finish', () => {
    const { method, originalUrl: url } = request
    const { requestId } = response.locals
    const duration = performance.now() - start
    logger.info({ requestId, method, url, status: response.statusCode, duration }, 'request')
  })
  next()
})
app.use(helmet(security), cors(crossOrigin))
app.use(express.json({ type: ['application/json', 'application/merge-patch+json'] }))
app.use(
  OpenApiValidator.middleware({
    // The validator takes the `id` in a link for that of a schema.
    apiSpec: JSON.parse(
      JSON.stringify(contract.document, (key, value) => (key === 'links' ? undefined : value)),
    ),
    validateRequests: { allErrors: true },
    validateResponses: false,
  }),
)
for (const operation of operations) {
  const method = operation.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete'
  app[method](operation.path.replace('{id}', ':id'), async (request, response) => {
    const { params: path, query, headers, body } = request
    const origin = `${request.protocol}://${request.get('Host')}`
    const result = await answer(operation, { path, query, headers, body, origin })
    if (result.problem) return refuse(response, result.status, result.problem)
    response
      .status(result.status)
      .set(result.headers ?? {})
      .json(result.body)
  })
}
app.use(
  (
    error: { status?: number; message: string; errors?: Fault[] },
    _request: Request,
    response: Response,
    _next: NextFunction,
  ) => {
    const errors = error.errors?.map(({ path, message }) => ({
      pointer: path.replace('/body', ''),
      detail: message,
    }))
    refuse(response, error.status ?? 500, { detail: error.message, ...(errors && { errors }) })
  },
)
app.listen(Number(port), '127.0.0.1')

interface Fault {
  path: string
  message: string
}

function refuse(response: Response, status: number, details: { detail: string }): void {
  response
    .status(status)
    .type('application/problem+json')
    .json(problemDetails(status, details, response.locals.requestId))
}
