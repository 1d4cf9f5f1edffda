/**
 * The service with less in it, for the budget: LAYER names the last step that is there. What it leaves out is answered
 * with one fixed todo. The log comes last, and with it the service is whole.
 */
import '../../src/heap.js'
import { createServer } from 'node:http'
import express, { type RequestHandler } from 'express'
import { readConfiguration } from '../../src/configuration.js'
import { createService, type ServiceOptions } from '../../src/contract/app.js'
import { bodyParser, bodyReceiver } from '../../src/contract/body.js'
import { answer, type Exchange, fieldsOf } from '../../src/contract/exchange.js'
import { crossOrigin, securityHeaders } from '../../src/contract/headers.js'
import { refuseQueryFaults } from '../../src/contract/query.js'
import { routesOf } from '../../src/contract/routes.js'
import { httpServer } from '../../src/contract/server.js'
import { createValidator } from '../../src/contract/validator.js'
import { createLogger } from '../../src/logger.js'
import { createHandlers } from '../../src/todos/handlers.js'
import type { Row, Store } from '../../src/todos/store.js'
import { ownStore } from './stores.js'
import { contract, databaseUrl, operations, port } from './surroundings.js'

const { LAYER: layer = '' } = process.env

const row: Row = {
  id: '018bcfe5-6800-7000-8000-000000000000',
  version: '1',
  title: 'Water the plants',
  description: 'The ficus takes half a litre, the cactus nothing.',
  deadline: '2030-06-01T07:00:00.000Z',
  status: 'pending',
  order: 10,
  createdAt: '2023-11-14T22:13:20.000Z',
  updatedAt: '2023-11-14T22:13:20.000Z',
}
const page = Array.from({ length: 20 }, () => row)

/** Answers at once, as if from a database that takes no time. */
const memory = {
  find: async () => row,
  list: async () => ({ rows: page, more: true }),
  create: async () => null,
} as unknown as Store

const options: ServiceOptions = {
  contract,
  handlers: createHandlers(layer === 'dispatch' ? memory : ownStore(databaseUrl), {
    isReady: async () => true,
    isStopping: () => false,
  }),
  logger: createLogger(layer === 'log' ? 'info' : 'silent'),
  publicUrl: undefined,
  trustProxy: false,
  corsOrigin: '*',
  limits: readConfiguration({}, '/').serviceLimits,
  documentation: (_request, _response, next) => next(),
  isUnavailable: () => false,
  isStopping: () => false,
}

const headers = { ...securityHeaders(), ...crossOrigin('*', operations).headers }
const everywhere = fieldsOf(headers)
const link = `<http://127.0.0.1/todos?cursor=${'a'.repeat(100)}>; rel="next"`
const fields = fieldsOf({
  'Cache-Control': 'no-cache',
  'Content-Type': 'application/json',
  ETag: '"1"',
  Link: link,
})
const contents = { one: JSON.stringify(row), page: JSON.stringify(page) }
const contentFor = (method: string, url: string) =>
  method === 'GET' && url.startsWith('/todos?') ? contents.page : contents.one
const requestId = '01932c07-209c-7d4c-9d3e-1b2c3d4e5f60'

/** node:http sends the same bytes and does nothing for them. */
function bare() {
  return createServer((request, response) => {
    const content = contentFor(request.method ?? '', request.url ?? '')
    const length = ['X-Request-Id', requestId, 'Content-Length', String(Buffer.byteLength(content))]
    request
      .resume()
      .on('end', () => response.writeHead(200, [...everywhere, ...fields, ...length]).end(content))
  })
}

/** Express with as many steps as the service has, of which those that the layer lacks do nothing. */
async function partial(withValidator: boolean) {
  const app = express().disable('x-powered-by').disable('etag')
  const findRoute = routesOf(operations)
  app.use((request, response, next) => {
    const match = findRoute(request.path)
    const operation = match?.route.operations.get(request.method)
    const { method, path } = request
    const known = { requestId, method, path, route: match?.route, operation, pathValues: match?.values ?? [] }
    const fields = [...everywhere, 'X-Request-Id', requestId]
    response.locals = { ...known, fields, isStopping: () => false } satisfies Exchange
    next()
  })
  const nothing: RequestHandler = (_request, _response, next) => next()
  const body = [bodyReceiver(options.limits), bodyParser(options.limits)]
  const validation = [...body, refuseQueryFaults, createValidator(contract, operations)]
  app.use(nothing, nothing, nothing, ...(withValidator ? validation : validation.map(() => nothing)))
  app.use((request, response) => answer(response, 200, fields, contentFor(request.method, request.url)))
  return httpServer(app, options.limits, headers, { limit: () => {}, refusal: () => {} }).server
}

const server =
  layer === 'node:http'
    ? bare()
    : layer === 'Express'
      ? await partial(false)
      : layer === 'validator'
        ? await partial(true)
        : (await createService(options)).server
server.listen(Number(port), '127.0.0.1')
