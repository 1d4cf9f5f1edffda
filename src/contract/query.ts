import type { RequestHandler } from 'express'
import type { Violation } from '../../generated/contract.js'
import type { Operation, Schema } from './contract.js'
import { exchangeOf } from './exchange.js'
import { badRequest } from './problems.js'

/** A query as it was parsed, before any value was turned into what its schema says. */
type Query = Record<string, string | string[] | undefined>

/**
 * Refuses what is wrong with a query and express-openapi-validator lets through or misreports: it takes `status[]` for
 * `status` and then forgets it, 0x10 and blanks for integers, and stops at the first unknown or empty parameter.
 */
export const refuseQueryFaults: RequestHandler = (request, response, next) => {
  const { operation } = exchangeOf(response)
  const faults = operation && request.url.includes('?') ? faultsOf(operation, request.query as Query) : []
  if (faults.length > 0) throw badRequest(faults)
  next()
}

function faultsOf({ parameters }: Operation, query: Query): Violation[] {
  const known = new Map(
    parameters.filter((each) => each.in === 'query').map(({ name, schema }) => [name, schema]),
  )
  return Object.entries(query).flatMap(([parameter, value]) => {
    const detail = queryFault(known.get(parameter), value)
    return detail === undefined ? [] : [{ parameter, detail }]
  })
}

function queryFault(schema: Schema | undefined, value: string | string[] = ''): string | undefined {
  if (!schema) return 'is not a known parameter of this operation'
  if (Array.isArray(value) && schema.type !== 'array') return 'must be given only once'
  if ([value].flat().includes('')) return 'must not be empty'
  // Longer ones become Infinity, which passes for an integer below every maximum.
  const isInteger = typeof value === 'string' && /^-?\d{1,15}$/.test(value)
  return schema.type === 'integer' && !isInteger ? 'must be of type integer' : undefined
}
