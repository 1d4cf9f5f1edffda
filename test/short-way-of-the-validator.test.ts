/**
 * The short way through express-openapi-validator must find what the whole finds: the same requests go to two servers
 * that differ in nothing else, and the answers must be the same: what the handler would be given, or the refusal.
 */
import { deepEqual, equal, throws } from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parse as parseQuery } from 'node:querystring'
import { after, before, test } from 'node:test'
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import { middleware } from 'express-openapi-validator'
import type { OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js'
import { bodyParser, bodyReceiver } from '../src/contract/body.js'
import { contractFile, loadContract, type Operation, operationsOf } from '../src/contract/contract.js'
import { exchangeOf } from '../src/contract/exchange.js'
import { problemFrom } from '../src/contract/problems.js'
import { refuseQueryFaults } from '../src/contract/query.js'
import { routesOf } from '../src/contract/routes.js'
import { createValidator, validatorOptions } from '../src/contract/validator.js'
import { refusal } from '../src/contract/violations.js'

const contract = await loadContract(contractFile)
const operations = operationsOf(contract)
const findRoute = routesOf(operations)
const asGet: RequestHandler = (request, _response, next) => {
  if (request.method === 'HEAD') request.method = 'GET'
  next()
}

const limits = { bodyLimit: 102_400, chunkLimit: 1_000 }
const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
})

const answers = { short: '', whole: '' }

async function serve(steps: RequestHandler | RequestHandler[]): Promise<string> {
  const app = express()
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('query parser', (query: string) => parseQuery(query, '&', '=', { maxKeys: 0 }))
  app.use((request, response, next) => {
    const match = findRoute(request.path)
    const operation = match?.route.operations.get(request.method === 'HEAD' ? 'GET' : request.method)
    response.locals = {
      requestId: 'same',
      method: request.method,
      path: request.path,
      route: match?.route,
      operation,
      pathValues: match?.values,
      fields: [],
    }
    next()
  })
  app.use(refuseQueryFaults, bodyReceiver(limits), bodyParser(limits), steps)
  app.use((request, response) => {
    const { pathParams } = (request as unknown as { openapi: { pathParams: unknown } }).openapi
    const headers = { match: request.headers['if-match'], key: request.headers['idempotency-key'] }
    response.json({ pathParams, query: request.query, body: request.body, headers })
  })
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const refused = refusal(error, exchangeOf(response).operation as Operation, request)
    const { code, details } = refused ?? problemFrom(error, () => false)
    response.status(code).json(details)
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

before(async () => {
  answers.short = await serve(createValidator(contract, operations))
  answers.whole = await serve([asGet, ...middleware({ ...validatorOptions, apiSpec: withoutLinks() })])
})

/** The validator's JSON Schema library takes a link's `id` for a schema's. */
function withoutLinks(): OpenAPIV3.DocumentV3 {
  const copy = structuredClone(contract.document)
  delete copy.components?.links
  for (const item of Object.values(copy.paths)) {
    for (const operation of Object.values(item as object)) {
      for (const response of Object.values(operation.responses ?? {}))
        delete (response as OpenAPIV3.ResponseObject).links
    }
  }
  return copy
}

interface Sample {
  readonly method: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

async function answerOf(server: string, { method, path, headers = {}, body }: Sample) {
  const response = await fetch(server + path, { method, headers, ...(body !== undefined && { body }) })
  return { status: response.status, content: await response.text() }
}

async function compare(sample: Sample): Promise<number> {
  const [short, whole] = await Promise.all([answerOf(answers.short, sample), answerOf(answers.whole, sample)])
  deepEqual(short, whole, JSON.stringify(sample))
  return short.status
}

const id = '01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e'
const paths = [
  '/todos',
  `/todos/${id}`,
  `/todos/${id.toUpperCase()}`,
  '/todos/1',
  '/todos/%zz',
  '/todos/%41',
  '/health',
  '/health/ready',
]
const queries = [
  ...[
    '',
    'limit=1',
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=',
    'limit=1&limit=2',
    'limit[]=1',
    'sort=-deadline',
    'sort=x',
  ],
  ...[
    'status=pending',
    'status=pending&status=completed',
    'status=pending&status=pending',
    'status=x',
    'status=pending,completed',
  ],
  ...[
    'completed=true',
    'completed=false',
    'completed=1',
    'cursor=abc',
    'cursor=a+b',
    'cursor=%00',
    'unknown=1',
    '__proto__=1',
  ],
  ...[
    'deadlineBefore=2030-01-01T00:00:00Z',
    'deadlineBefore=2030-01-01T00:00:00%2B01:00',
    'deadlineAfter=2030-01-01T00:00:00+01:00',
  ],
  ...['deadlineAfter=2030-13-01T00:00:00Z', 'a%zz=1', 'limit=%31', 'toString=1'],
]
const types = [
  'application/json',
  'application/merge-patch+json',
  'APPLICATION/JSON; charset=utf-8',
  'text/plain',
  'application/json; charset=latin1',
  'x',
  '',
]
const bodies = [
  ...[
    '',
    '{}',
    '[]',
    'null',
    '1',
    '"x"',
    '{',
    '{"title":"a"}',
    '{"title":" "}',
    '{"title":null}',
    '{"title":"a","x":1,"y/z":2}',
  ],
  ...[
    '{"title":"a","__proto__":{}}',
    '{"title":"\\u0000"}',
    '{"title":"\\ud800"}',
    `{"title":"${'a'.repeat(201)}"}`,
  ],
  ...[
    '{"title":"a","deadline":"2030-01-01T00:00:00Z"}',
    '{"title":"a","deadline":"2030-02-30T00:00:00Z"}',
    '{"title":"a","deadline":null}',
  ],
  ...[
    '{"title":"a","order":1}',
    '{"title":"a","order":1e99}',
    '{"title":"a","order":"1"}',
    '{"title":"a","status":"x","completed":"true"}',
  ],
  ...['{"description":null}', '{"status":null}', '{"completed":null}', '{"title":["a"],"description":{}}'],
]
const headers = [
  {},
  { 'If-Match': '"1"' },
  { 'If-Match': '1' },
  { 'If-None-Match': '*' },
  { 'If-None-Match': 'W/"1", "2"' },
  { 'Idempotency-Key': 'a' },
  { 'Idempotency-Key': 'a b' },
  { 'Idempotency-Key': 'a'.repeat(256) },
]
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

const isKnown = ({ method, path }: Sample) =>
  findRoute(path.split('?')[0] as string)?.route.operations.has(method === 'HEAD' ? 'GET' : method) ?? false

function sampleOf(
  method: string,
  path: string,
  query: string,
  more: object,
  type: string,
  body: string,
): Sample {
  const target = query === '' ? path : `${path}?${query}`
  if (['GET', 'HEAD'].includes(method)) return { method, path: target, headers: { ...more } }
  const contentType: Record<string, string> = type === '' ? {} : { 'Content-Type': type }
  return { method, path: target, headers: { ...more, ...contentType }, body }
}

test('each kind of good and bad request is answered the same', async () => {
  const statuses = new Set<number>()
  const each = [
    ...queries.flatMap((query) => paths.map((path) => sampleOf('GET', path, query, {}, '', ''))),
    ...headers.flatMap((more) =>
      methods.map((method) =>
        sampleOf(method, `/todos/${id}`, '', more, 'application/json', '{"title":"a"}'),
      ),
    ),
    ...headers.map((more) => sampleOf('POST', '/todos', '', more, 'application/json', '{"title":"a"}')),
    ...['POST /todos', `PUT /todos/${id}`, `PATCH /todos/${id}`].flatMap((target) => {
      const [method = '', path = ''] = target.split(' ')
      return types.flatMap((type) => bodies.map((body) => sampleOf(method, path, '', {}, type, body)))
    }),
  ].filter(isKnown)
  for (const sample of each) statuses.add(await compare(sample))
  deepEqual([...statuses].sort(), [200, 400, 415])
})

/** A small generator with a fixed seed, so that a failure comes again (mulberry32). */
function randomOf(seed: number) {
  let state = seed
  return <Item>(items: readonly Item[]): Item => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return items[((mixed ^ (mixed >>> 14)) >>> 0) % items.length] as Item
  }
}

test('2,000 generated requests are answered the same', async () => {
  const pick = randomOf(9110)
  let accepted = 0
  for (let count = 0; count < 2_000; ) {
    const query = [pick(queries), pick(queries), pick(['', pick(queries)])]
      .filter((part) => part !== '')
      .join('&')
    const sample = sampleOf(
      pick(methods),
      pick(paths),
      pick(['', query]),
      { ...pick(headers), ...pick(headers) },
      pick(types),
      pick(bodies),
    )
    if (!isKnown(sample)) continue
    count += 1
    if ((await compare(sample)) === 200) accepted += 1
  }
  equal(accepted > 100, true, `only ${accepted} requests were good`)
})

test('of more faults than are listed, the same are listed', async () => {
  const fields = Array.from({ length: 2_000 }, (_, index) => `"f${index}":0`).join()
  for (const field of ['"title":"a"', '"title":""', '"status":"x"', '"order":"1"']) {
    equal(await compare(sampleOf('POST', '/todos', '', {}, 'application/json', `{${field},${fields}}`)), 400)
  }
  equal(await compare(sampleOf('GET', '/todos', 'status=x&'.repeat(1_000), {}, '', '')), 400)
})

test('a contract that needs what the short way leaves out is refused at start', () => {
  const document = structuredClone(contract.document)
  document.components = {
    ...document.components,
    securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
  }
  throws(() => createValidator({ ...contract, document }, operations), /security schemes/)
  const multipart = operations.map((each) => ({
    ...each,
    bodies: new Map([['multipart/form-data', {}]]),
  })) as Operation[]
  throws(() => createValidator(contract, multipart), /multipart/)
})

test('a contract that the validator cannot use stops the start', () => {
  const broken = structuredClone(contract.dereferenced)
  Object.assign(broken.components?.schemas?.Title ?? {}, { type: 'words' })
  throws(() => createValidator(contract, operationsOf({ ...contract, dereferenced: broken })), /type/)
})
