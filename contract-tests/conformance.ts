import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { Schema } from '../src/contract/contract.js'
import type { Exchange } from './exchanges.js'

/** An answer as it came over the wire; the headers' names are in lower case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

// `strict: false`, because OpenAPI has keywords of its own (`example`, `x-…`); `nullable` is one that Ajv knows.
const ajv = new Ajv({ strict: false, allErrors: true })
formats.default(ajv)

const compiled = new WeakMap<Schema, ValidateFunction>()

/** How an answer differs from what the contract documents: nothing, or a line for each difference. */
export function faultsOf(exchange: Exchange, answer: Answer): string[] {
  const status = answer.status === exchange.status ? [] : [`the status is ${answer.status}`]
  return [...status, ...headerFaults(exchange, answer), ...bodyFaults(exchange, answer)]
}

function headerFaults({ headers }: Exchange, answer: Answer): string[] {
  return Object.entries(headers).flatMap(([name, schema]) => {
    const value = answer.headers[name.toLowerCase()]
    if (value === undefined) return [`the header ${name} is missing`]
    return violations(schema, schema.type === 'integer' ? Number(value) : value, `the header ${name}`)
  })
}

function bodyFaults({ status, mediaType, schema }: Exchange, { headers, body }: Answer): string[] {
  if (schema === undefined) return body === '' ? [] : ['there is a body']
  const sent = headers['content-type']
  if (sent !== mediaType) return [`the media type is ${sent ?? 'missing'}, not ${mediaType}`]
  const value = parse(body)
  if (value === undefined) return ['the body is no JSON']
  const faults = violations(schema, value, 'the body')
  return faults.length > 0 || mediaType !== 'application/problem+json'
    ? faults
    : problemFaults(status, headers, value as Problem)
}

interface Problem {
  readonly status: number
  readonly requestId: string
}

/** What the contract says of a problem in words: its status and request id are those of the answer. */
function problemFaults(status: number, headers: Answer['headers'], problem: Problem): string[] {
  const wrongStatus = problem.status === status ? [] : [`the problem's status is ${problem.status}`]
  const sameId = problem.requestId === headers['x-request-id']
  return sameId ? wrongStatus : [...wrongStatus, "the problem's requestId is not that of X-Request-Id"]
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function violations(schema: Schema, value: unknown, place: string): string[] {
  const validate = compiled.get(schema) ?? ajv.compile(closed(schema) as object)
  compiled.set(schema, validate)
  validate(value)
  return (validate.errors ?? []).map((error) => describe(error, place))
}

function describe({ instancePath, message, params }: ErrorObject, place: string): string {
  const surplus = params.additionalProperty === undefined ? '' : ` (${params.additionalProperty})`
  return `${place}${instancePath && ` at ${instancePath}`} ${message}${surplus}`
}

/**
 * The schema with every object closed. The contract leaves its answers open, so that clients let new fields pass; the
 * service itself may send none that the contract does not know.
 */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return copy.type === 'object' ? { ...copy, additionalProperties: false } : copy
}
