import { BadRequest, UnsupportedMediaType } from 'express-openapi-validator/dist/framework/types.js'
import type { Violation } from '../../generated/contract.js'
import type { Operation, Schema } from './contract.js'
import { badRequest, MOST_VIOLATIONS, ProblemError } from './problems.js'

/** As much of a request as its violations refer to. */
interface Request {
  readonly headers: Record<string, unknown>
  readonly body?: unknown
  readonly query: Record<string, unknown>
}

interface Fault {
  readonly path: string
  readonly errorCode?: string
}

/**
 * What the validator found, in the contract's terms: where it is, and what the schema there asks for.
 * Returns undefined for an error that is not the validator's.
 */
export function refusal(error: unknown, operation: Operation, request: Request): ProblemError | undefined {
  if (error instanceof UnsupportedMediaType) {
    const mediaTypes = [...operation.bodies.keys()].join(' or ')
    return new ProblemError(415, { detail: `The body must be ${mediaTypes}.` })
  }
  if (!(error instanceof BadRequest)) return undefined
  const listed = tellingOnes(error.errors).slice(0, MOST_VIOLATIONS + 1) // one more tells that there are more
  return badRequest(listed.map((fault) => violation(fault, operation, request)))
}

/** The validator has a keyword of its own for the type of what has a format. */
const keywordOf = ({ errorCode }: Fault) => errorCode?.split('.')[0]?.replace('x-eov-type', 'type') ?? ''

/**
 * One place can break several keywords for one reason: a wrong type says it all, what is too short has no form either,
 * and a format says the least. At least one fault of each place is kept.
 */
function tellingOnes(faults: readonly Fault[]): Fault[] {
  const places = new Map<string, Fault[]>()
  for (const fault of faults) {
    const here = places.get(fault.path)
    if (here) here.push(fault)
    else places.set(fault.path, [fault])
  }
  return [...places.values()].flatMap((here) => {
    const type = here.find((fault) => keywordOf(fault) === 'type')
    if (type) return [type]
    const implied = here.some((fault) => keywordOf(fault) === 'minLength')
      ? ['format', 'pattern']
      : ['format']
    const telling = here.filter((fault) => !implied.includes(keywordOf(fault)))
    return telling.length > 0 ? telling : here
  })
}

function violation(fault: Fault, operation: Operation, request: Request): Violation {
  const [, place = '', name = ''] = /^\/?([^/]*)\/?(.*)$/s.exec(fault.path) ?? []
  const keyword = keywordOf(fault)
  if (place === 'body') return bodyViolation(name, keyword, operation, request)
  // The empty name of an unknown field is lost on the way, and its path with it.
  if (keyword === 'additionalProperties') return { pointer: '/', detail: UNKNOWN_FIELD }
  if (['query', 'params', 'headers'].includes(place))
    return parameterViolation(name, place, keyword, operation, request)
  return { parameter: pathParameter(operation), detail: 'is not validly percent-encoded' }
}

const pathParameter = ({ parameters }: Operation) =>
  parameters.find((each) => each.in === 'path')?.name ?? 'path'

function parameterViolation(
  path: string,
  place: string,
  keyword: string,
  operation: Operation,
  { query }: Request,
): Violation {
  const parameter = operation.parameters.find(
    (each) => path === each.name || path.startsWith(`${each.name}/`) || path === each.name.toLowerCase(),
  )
  if (!parameter) return { parameter: path, detail: 'is not a known parameter of this operation' }
  const element = path.startsWith(`${parameter.name}/`)
    ? (parameter.schema as { items: Schema }).items
    : parameter.schema
  const blank = parameter.schema.format === 'date-time' && String(query[parameter.name]).includes(' ')
  const detail =
    requirement(keyword, element) + (blank ? '; a + in a query means a blank, write it as %2B' : '')
  return place === 'headers' ? { header: parameter.name, detail } : { parameter: parameter.name, detail }
}

const UNKNOWN_FIELD = 'is not a known field, or cannot be written'

function bodyViolation(path: string, keyword: string, operation: Operation, request: Request): Violation {
  if (path === '') {
    const missing = request.body === undefined
    return { pointer: '', detail: missing ? 'is required' : 'must be a JSON object' }
  }
  const keys = splitPath(path, request.body)
  const pointer = keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  if (keyword === 'additionalProperties') return { pointer, detail: UNKNOWN_FIELD }
  const schema = schemaAt(keys, operation.bodies.get(String(request.headers['content-type'])))
  return { pointer, detail: requirement(keyword, schema) }
}

/** The validator appends unknown names as they are, slashes included: what the body has under the rest is one key. */
function splitPath(path: string, body: unknown): string[] {
  if (typeof body !== 'object' || body === null || Object.hasOwn(body, path)) return [path]
  const [, first = '', rest] = /^([^/]*)(?:\/(.*))?$/s.exec(path) ?? []
  const key = first.replaceAll('~1', '/').replaceAll('~0', '~')
  return rest === undefined ? [key] : [key, ...splitPath(rest, (body as Record<string, unknown>)[key])]
}

function schemaAt(keys: readonly string[], schema: Schema | undefined): Schema | undefined {
  return keys.reduce<Schema | undefined>((inner, key) => {
    const { properties, items } = (inner ?? {}) as { properties?: Record<string, Schema>; items?: Schema }
    return properties?.[key] ?? items
  }, schema)
}

const plural = (count: unknown, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** What the schema asks for by each of its keywords, in words of our own. */
const REQUIREMENTS: Record<string, (schema: Schema) => string> = {
  required: () => 'is required',
  type: ({ type, nullable }) => `must be of type ${type}${nullable ? ' or null' : ''}`,
  nullable: () => 'must not be null',
  enum: ({ enum: values = [] }) => `must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`,
  format: ({ format }) => `is not a valid ${format}`,
  pattern: (schema) => `must be ${schema['x-pattern-description'] ?? `of the form ${schema.pattern}`}`,
  minLength: ({ minLength }) => `must have at least ${plural(minLength, 'character')}`,
  maxLength: ({ maxLength }) => `must have at most ${plural(maxLength, 'character')}`,
  minimum: ({ minimum }) => `must be at least ${minimum}`,
  maximum: ({ maximum }) => `must be at most ${maximum}`,
  minItems: ({ minItems }) => `must be given at least ${plural(minItems, 'time')}`,
  maxItems: ({ maxItems }) => `must be given at most ${plural(maxItems, 'time')}`,
  uniqueItems: () => 'must not have the same value twice',
}

function requirement(keyword: string, schema: Schema | undefined): string {
  if (keyword === '') return 'has reserved characters; percent-encode them'
  const words = REQUIREMENTS[keyword]
  return words && schema ? words(schema) : 'is not allowed here'
}
