import type { OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js'
import { type Contract, type Operation, operationsOf, type Schema } from '../src/contract/contract.js'

/** One line of what the contract documents: an operation, the media type of its request's body, and a status. */
export interface Exchange {
  /** Unique: `updateTodo application/json 412`. */
  readonly name: string
  readonly operation: Operation
  /** None when the operation takes no body. */
  readonly requestType: string | undefined
  readonly status: number
  /** None when the answer has no body. */
  readonly mediaType: string | undefined
  readonly schema: Schema | undefined
  readonly headers: Readonly<Record<string, Schema>>
}

/** Everything that the contract documents, in its order. */
export function exchangesOf(contract: Contract): Exchange[] {
  return operationsOf(contract).flatMap((operation) => {
    const requestTypes = operation.bodies.size === 0 ? [undefined] : [...operation.bodies.keys()]
    return requestTypes.flatMap((requestType) =>
      [...operation.responses].map(([status, { mediaType, headers }]) => ({
        name: nameOf(operation.operationId, requestType, status),
        operation,
        requestType,
        status,
        mediaType,
        schema: mediaType === undefined ? undefined : schemaOf(contract, operation, status, mediaType),
        headers: Object.fromEntries(Object.entries(headers).map(([name, { schema }]) => [name, schema])),
      })),
    )
  })
}

/** How an exchange is called in every table and message. */
export function nameOf(operationId: string, requestType: string | undefined, status: number): string {
  return [operationId, requestType, status].filter((part) => part !== undefined).join(' ')
}

function schemaOf(
  { dereferenced }: Contract,
  { path, method }: Operation,
  status: number,
  mediaType: string,
): Schema {
  const item = dereferenced.paths[path] as Record<string, OpenAPIV3.OperationObject>
  const response = item[method.toLowerCase()]?.responses?.[status] as OpenAPIV3.ResponseObject
  return response.content?.[mediaType]?.schema as Schema
}
