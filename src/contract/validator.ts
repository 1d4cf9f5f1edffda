import { parse as parseUrl } from 'node:url'
import type { RequestHandler, Response } from 'express'
import { AjvOptions } from 'express-openapi-validator/dist/framework/ajv/options.js'
import { defaultSerDes } from 'express-openapi-validator/dist/framework/base.serdes.js'
import { BadRequest, type OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js'
import { RequestValidator } from 'express-openapi-validator/dist/middlewares/openapi.request.validator.js'
import { SchemaPreprocessor } from 'express-openapi-validator/dist/middlewares/parsers/schema.preprocessor.js'
import type { Contract, Operation } from './contract.js'
import { exchangeOf } from './exchange.js'
import { badRequest, MOST_VIOLATIONS } from './problems.js'

/** As express-openapi-validator's documentation has them. */
export const validatorOptions = {
  validateSecurity: false,
  validateResponses: false,
  validateRequests: { allErrors: true },
  ajvFormats: { mode: 'full' },
  fileUploader: false,
} as const

/** What the validator makes of these options. */
const normalOptions = {
  ...validatorOptions,
  apiSpec: '',
  validateApiSpec: false,
  $refParser: { mode: 'bundle' },
  operationHandlers: false,
  formats: {},
  validateFormats: true,
  serDes: defaultSerDes,
} as const

type ValidatorRequest = Parameters<RequestValidator['validate']>[0]

/**
 * express-openapi-validator for a contract, by a short way: on its whole way it looks the operation up by trying the
 * pattern of every path at each request, which costs more than all its validation and grows with the contract. Here a
 * request goes straight to the validation of its operation.
 *
 * The whole way also compiles the schema of OpenAPI itself at each start, and gives each schema of the contract all of
 * the contract to find references in, so that 200 operations more would take half a minute. Here each operation brings
 * its own schemas along, with no references left.
 *
 * The short way leaves out the steps for security schemes and multipart bodies. It uses parts of version 5.6.2 that are
 * not documented, which is why package.json pins that version and a test holds the short way against the whole.
 *
 * @throws when the contract cannot be used, or needs what is left out
 */
export function createValidator(contract: Contract, operations: readonly Operation[]): RequestHandler {
  refuseUnsupported(contract, operations)
  const options = new AjvOptions(normalOptions)
  const validator = new RequestValidator(documentOf({}), { ...options.request, code: { process: endLoops } })
  const metadata = metadataOf(operations, options)
  for (const [operation, openapi] of metadata) compile(validator, operation, openapi)
  settleUrlWarning()
  return (request, response, next) => {
    const { operation, pathValues } = exchangeOf(response)
    const openapi = metadata.get(operation as Operation)
    const pathParams = pathParameters(operation as Operation, pathValues)
    // HEAD is GET without the content (RFC 9110, section 9.3.2), which Node leaves out by itself.
    if (request.method === 'HEAD') request.method = 'GET'
    const prepared = Object.assign(request, { openapi: { ...openapi, pathParams } })
    return validator.validate(prepared as unknown as ValidatorRequest, response, next)
  }
}

/** A loop of Ajv's code over the fields of an object, or over the items of an array. */
const LOOP = /for\((?:const (\w+) in \w+|let (\w+)=\d+; \w+<len\d+; \w+\+\+)\)\{/g

/** A place breaks at most five keywords by itself, of which one at least is told: this many errors are enough. */
const MOST_ERRORS = 5 * MOST_VIOLATIONS

/**
 * Ends each loop of Ajv's code over what a client sent once it found more errors than are told: Ajv collects all or one.
 *
 * A loop counts only its own. What was found before it may be in another alternative of an `anyOf`, and be forgotten
 * when this one holds: then it must have been looked at to its end.
 */
function endLoops(code: string): string {
  return code.replace(LOOP, (loop, key, index) => {
    const before = `errorsBefore_${key ?? index}`
    return `const ${before}=errors;${loop}if(errors-${before}>${MOST_ERRORS})break;`
  })
}

function refuseUnsupported({ document }: Contract, operations: readonly Operation[]): void {
  if (document.components?.securitySchemes)
    throw new Error('The contract has security schemes, which are not checked.')
  const multipart = operations.find(({ bodies }) =>
    [...bodies.keys()].some((type) => type.startsWith('multipart/')),
  )
  if (multipart) throw new Error(`${multipart.operationId} takes a multipart body, which cannot be read.`)
}

const documentOf = (paths: object) =>
  ({ openapi: '3.0.3', info: { title: '', version: '' }, paths, components: {} }) as OpenAPIV3.DocumentV3

/** What the validator's whole way finds out of a request before it validates it; the same for all of an operation. */
function metadataOf(operations: readonly Operation[], options: AjvOptions): Map<Operation, object> {
  const found = new Map(
    operations.map((operation) => [
      operation,
      { expressRoute: operation.path, openApiRoute: operation.path, schema: schemaOf(operation) },
    ]),
  )
  const paths = [...found.values()].map(({ schema }, index) => [`/${index}`, { post: schema }])
  new SchemaPreprocessor(documentOf(Object.fromEntries(paths)), options.preprocessor, {}).preProcess()
  return found
}

/** A copy in which nothing is the same object twice: the validator changes schemas, and the contract shares them. */
function schemaOf({ parameters, bodies }: Operation): object {
  const content = Object.fromEntries([...bodies].map(([mediaType, schema]) => [mediaType, { schema }]))
  return JSON.parse(JSON.stringify({ parameters, requestBody: bodies.size > 0 ? { content } : undefined }))
}

/** Sends an empty request, once for each media type: its schemas are compiled for it, and it is mostly refused. */
function compile(validator: RequestValidator, { method, path, bodies }: Operation, openapi: object): void {
  for (const mediaType of bodies.size === 0 ? [undefined] : bodies.keys()) {
    const headers = mediaType === undefined ? {} : { 'content-type': mediaType }
    const request = {
      method,
      path,
      originalUrl: path,
      headers,
      query: {},
      body: {},
      openapi: { ...openapi, pathParams: {} },
    }
    try {
      validator.validate(request as unknown as ValidatorRequest, {} as Response, () => {})
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error
    }
  }
}

/**
 * Node looks at every call of url.parse, which the validator makes at each request, for whether to warn of it, until the
 * application itself made one: 4 to 14 microseconds a request on Node 24.
 */
function settleUrlWarning(): void {
  const { noDeprecation = false } = process
  process.noDeprecation = true
  parseUrl('/')
  process.noDeprecation = noDeprecation
}

/** The path's parameters by name, decoded. */
function pathParameters({ path }: Operation, values: readonly string[]): Record<string, string> {
  const names = path.match(/(?<=\{)[^}]+(?=\})/g) ?? []
  return Object.fromEntries(names.map((name, index) => [name, decode(name, values[index] as string)]))
}

function decode(parameter: string, value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw badRequest([{ parameter, detail: 'is not validly percent-encoded' }])
  }
}
