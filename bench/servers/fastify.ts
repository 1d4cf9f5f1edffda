/**
 * Fastify 5 with schemas and a pool of node-postgres, as its documentation teaches. TIMESTAMPS is `date` or `text`; with
 * UNDER_PRESSURE it sheds load.
 */
import { randomUUID } from 'node:crypto'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import underPressure from '@fastify/under-pressure'
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import type { Operation } from '../../src/contract/contract.js'
import { problemDetails } from '../../src/contract/problems.js'
import { poolStore } from './stores.js'
import { contract, crossOrigin, databaseUrl, handlersOn, operations, port, security } from './surroundings.js'

const answer = handlersOn(poolStore(databaseUrl, process.env.TIMESTAMPS ?? 'date'))

const app = Fastify({
  logger: true,
  // Its own two lines a request become the one of the hook below.
  logController: new LogController({ disableRequestLogging: true }),
  genReqId: () => randomUUID(),
  ajv: { customOptions: { allErrors: true, removeAdditional: false, strict: false } },
})
await app.register(helmet, security)
await app.register(cors, crossOrigin)
// Of the limits in its README the one of the delay: a shorter one refuses more and answers less, that of busy time refuses
// whenever the server works without a pause, and 100 MB it has at rest.
if (process.env.UNDER_PRESSURE) await app.register(underPressure, { maxEventLoopDelay: 1_000, retryAfter: 1 })
app.addContentTypeParser(
  'application/merge-patch+json',
  { parseAs: 'string' },
  app.getDefaultJsonParser('error', 'error'),
)
app.addHook('onRequest', async (request, reply) => {
  reply.header('X-Request-Id', request.id).header('Cache-Control', 'no-cache')
})
app.addHook('onResponse', async (request, reply) => {
  const { method, url } = request
  request.log.info({ method, url, status: reply.statusCode, duration: reply.elapsedTime }, 'request')
})
app.setErrorHandler<FastifyError>((error, request, reply) => {
  const faults = error.validation?.map(({ instancePath, params, message = '' }) => ({
    pointer: `${instancePath}${params.additionalProperty ? `/${params.additionalProperty}` : ''}`,
    detail: message,
  }))
  refuse(request, reply, error.statusCode ?? 500, {
    detail: error.message,
    ...(faults && { errors: faults }),
  })
})

for (const operation of operations) {
  app.route({
    method: operation.method,
    url: operation.path.replace('{id}', ':id'),
    schema: schemaOf(operation),
    async handler(request, reply) {
      const { params: path, query, headers, body } = request
      const origin = `${request.protocol}://${request.host}`
      const result = await answer(operation, { path, query, headers, body, origin })
      if (result.problem) return refuse(request, reply, result.status, result.problem)
      return reply
        .code(result.status)
        .headers(result.headers ?? {})
        .send(result.body)
    },
  })
}
await app.listen({ port: Number(port), host: '127.0.0.1' })

function refuse(request: FastifyRequest, reply: FastifyReply, status: number, details: { detail: string }) {
  return reply
    .code(status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problemDetails(status, details, request.id))
}

interface Described {
  responses?: Record<string, { content?: Record<string, { schema: object }> }>
}

/** Schemas for what comes in and, so that answers are serialised fast, for what goes out. */
function schemaOf(operation: Operation) {
  const { parameters, bodies } = operation
  const group = (place: string) => {
    const here = parameters.filter((parameter) => parameter.in === place)
    return {
      type: 'object',
      properties: Object.fromEntries(here.map(({ name, schema }) => [name, schema])),
      ...(place === 'query' && { additionalProperties: false }),
    }
  }
  const [body] = bodies.values()
  return {
    params: group('path'),
    querystring: group('query'),
    headers: group('header'),
    ...(body && { body }),
    response: answersOf(operation),
  }
}

function answersOf({ path, method }: Operation): Record<string, object> {
  const paths = contract.dereferenced.paths as Record<string, Record<string, Described>>
  const { responses = {} } = paths[path]?.[method.toLowerCase()] ?? {}
  const contents = Object.entries(responses).map(([status, { content }]) => [
    status,
    content?.['application/json']?.schema,
  ])
  return Object.fromEntries(contents.filter(([, schema]) => schema))
}
