/**
 * Holds every answer that a test receives against openapi.yaml: a status that the operation documents, its media type
 * and headers, a body with no field that the contract does not know. Answers that belong to no operation must be
 * problem details.
 */
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js'
import type { Problem } from '../../generated/contract.js'
import { contractFile, loadContract, type Operation, operationsOf } from '../../src/contract/contract.js'

export interface ReceivedAnswer {
  readonly method: string
  /** As it was sent, query included. */
  readonly path: string
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

const contract = await loadContract(contractFile)
const operations = operationsOf(contract).map((operation) => ({
  ...operation,
  pattern: new RegExp(`^${operation.path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
}))

/** Statuses that stand outside the contract's operations: the router's, and those of Node's own parser. */
const OUTSIDE = [404, 405, 408, 414, 417, 431, 503]

/** What only an answer whose contract says so may carry. */
const CONTRACT_HEADERS = ['etag', 'link', 'location', 'retry-after']

const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false })
formats.default(ajv)
const headerAjv = new Ajv({ strict: false, coerceTypes: true })
formats.default(headerAjv)

const compiled = new Map<object, ValidateFunction>()

function validator(schema: object, library: Ajv, close = false): ValidateFunction {
  const known = compiled.get(schema)
  if (known) return known
  const validate = library.compile(close ? closed(schema) : schema)
  compiled.set(schema, validate)
  return validate
}

/** The contract leaves answers open, for fields to come; a test wants to know of each. */
function closed(schema: object): object {
  return JSON.parse(
    JSON.stringify(schema, (_, value) =>
      value?.properties ? { additionalProperties: false, ...value } : value,
    ),
  )
}

const problemSchema = contract.dereferenced.components?.schemas?.Problem as OpenAPIV3.SchemaObject

/** Throws an assertion error that names the request and what is wrong with its answer. */
export function checkAnswer(answer: ReceivedAnswer): void {
  const { method, path, status, headers } = answer
  const request = `${method} ${path.slice(0, 200)} -> ${status}`
  assert.match(headers['x-request-id'] as string, /^[A-Za-z0-9._-]{1,128}$/, `${request}: X-Request-Id`)
  checkSecurity(request, answer)
  if (isDocumentation(path)) return
  const operation = operationOf(method, path)
  const documented = operation?.responses.get(status)
  if (operation && documented) {
    checkHeaders(request, headers, documented.headers)
    checkBody(request, answer, contentOf(operation, status))
  } else if (method === 'OPTIONS') {
    assert.equal(status, 204, request)
    checkBody(request, answer, undefined)
  } else {
    assert.ok(OUTSIDE.includes(status) || !operation, `${request} is not in the contract`)
    assert.ok(status >= 400, `${request}: only errors stand outside the contract`)
    checkHeaders(request, headers, {})
    checkBody(request, answer, { 'application/problem+json': { schema: problemSchema } })
  }
  if (status >= 400 && method !== 'HEAD') checkProblem(request, answer)
}

const isDocumentation = (path: string) => /^\/($|[?#]|docs|openapi\.)/.test(path)

function operationOf(method: string, path: string) {
  const [pathname = ''] = path.split('?')
  const wanted = method === 'HEAD' ? 'GET' : method
  return operations.find((each) => each.method === wanted && each.pattern.test(pathname))
}

function contentOf({ path, method }: Operation, status: number): OpenAPIV3.ResponseObject['content'] {
  const item = contract.dereferenced.paths[path] as Record<string, OpenAPIV3.OperationObject>
  const responses = item[method.toLowerCase()]?.responses as
    | Record<string, OpenAPIV3.ResponseObject>
    | undefined
  return responses?.[String(status)]?.content
}

function checkSecurity(request: string, { headers }: ReceivedAnswer): void {
  assert.equal(headers['x-content-type-options'], 'nosniff', request)
  assert.match(String(headers['content-security-policy']), /default-src 'none'/, request)
  assert.equal(headers['x-powered-by'], undefined, request)
}

function checkHeaders(
  request: string,
  received: IncomingHttpHeaders,
  documented: Record<string, { schema: object; required?: boolean }>,
): void {
  for (const [name, { schema, required }] of Object.entries(documented)) {
    const value = received[name.toLowerCase()]
    if (value === undefined) assert.ok(!required, `${request}: ${name} is missing`)
    else {
      const validate = validator(schema, headerAjv)
      assert.ok(validate(value), `${request}: ${name} is ${value}: ${headerAjv.errorsText(validate.errors)}`)
    }
  }
  const names = new Set(Object.keys(documented).map((name) => name.toLowerCase()))
  for (const name of CONTRACT_HEADERS)
    assert.ok(names.has(name) || !(name in received), `${request}: ${name} is not in the contract`)
}

function checkBody(
  request: string,
  { method, headers, text }: ReceivedAnswer,
  content: OpenAPIV3.ResponseObject['content'],
): void {
  const [mediaType] = Object.keys(content ?? {})
  assert.equal(headers['content-type'], mediaType, `${request}: Content-Type`)
  if (mediaType === undefined || method === 'HEAD') {
    assert.equal(text, '', `${request} has a body`)
    return
  }
  const validate = validator(content?.[mediaType]?.schema as object, ajv, true)
  assert.ok(
    validate(JSON.parse(text)),
    `${request}: ${ajv.errorsText(validate.errors)}: ${text.slice(0, 500)}`,
  )
}

/** Words of the libraries, the database and the machine, none of which is a client's business. */
const INTERNAL =
  /node_modules|\.[jt]s:\d|\bat \w+ \(|postgres|select |insert |relation|syntax error|ajv|express|Error:/i

function checkProblem(request: string, { status, headers, text }: ReceivedAnswer): void {
  const { detail, errors = [], ...problem }: Problem = JSON.parse(text)
  assert.equal(problem.status, status, request)
  assert.equal(problem.requestId, headers['x-request-id'], request)
  assert.equal(headers['cache-control'], 'no-store', request)
  for (const said of [detail, ...errors.map((error) => error.detail)])
    assert.doesNotMatch(said, INTERNAL, request)
  for (const error of errors) {
    const places = [error.pointer, error.parameter, error.header].filter((place) => place !== undefined)
    assert.equal(places.length, 1, `${request}: a violation has one place: ${JSON.stringify(error)}`)
  }
}
