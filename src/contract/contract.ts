import { readFile } from 'node:fs/promises'
import { METHODS } from 'node:http'
import $RefParser from '@apidevtools/json-schema-ref-parser'
import type { OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js'
import { JSON_SCHEMA, load } from 'js-yaml'
import { deprecationFields } from './deprecation.js'
import type { Fields } from './exchange.js'

export type Schema = OpenAPIV3.SchemaObject & Record<`x-${string}`, unknown>

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: Schema
}

export interface ResponseHeader {
  readonly schema: Schema
}

/** One operation of the contract, with everything that its path gives it and no reference left to follow. */
export interface Operation {
  readonly operationId: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  /** The request's schema for each media type; none when the operation takes no body. */
  readonly bodies: ReadonlyMap<string, Schema>
  /** For each status, the media type (none for an answer without a body) and the headers. */
  readonly responses: ReadonlyMap<number, { mediaType?: string; headers: Record<string, ResponseHeader> }>
  /** What each of its answers says about the operation's end; nothing unless it is deprecated. */
  readonly deprecation: Fields
}

/** The contract as it was read: `document` keeps its references, `dereferenced` has them replaced by what they name. */
export interface Contract {
  readonly text: string
  readonly document: OpenAPIV3.DocumentV3
  readonly dereferenced: OpenAPIV3.DocumentV3
}

/** The repository's openapi.yaml; the path is the same from src/ and from dist/. */
export const contractFile = new URL('../../openapi.yaml', import.meta.url)

/** What a contract's text says; in YAML's JSON schema, so that nothing unquoted becomes a date. */
export function parseContract(text: string): OpenAPIV3.DocumentV3 {
  return load(text, { schema: JSON_SCHEMA }) as OpenAPIV3.DocumentV3
}

/** Reads a contract. Rejects when the file is missing, is not YAML, or refers to something that is not there. */
export async function loadContract(file: URL): Promise<Contract> {
  const text = await readFile(file, 'utf8')
  const document = parseContract(text)
  const dereferenced = await $RefParser.dereference<OpenAPIV3.DocumentV3>(structuredClone(document))
  return { text, document, dereferenced }
}

/** All operations of a contract, in its order. Throws a StartError when one says something wrong about its end. */
export function operationsOf({ dereferenced }: Contract): Operation[] {
  return Object.entries(dereferenced.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, OpenAPIV3.OperationObject>)
      .filter(([method]) => METHODS.includes(method.toUpperCase()))
      .map(([method, operation]) => ({
        operationId: operation.operationId as string,
        method: method.toUpperCase(),
        path,
        parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])] as Parameter[],
        bodies: bodiesOf(operation),
        responses: responsesOf(operation),
        deprecation: deprecationFields(operation),
      })),
  )
}

function bodiesOf({ requestBody }: OpenAPIV3.OperationObject): Map<string, Schema> {
  const content = (requestBody as OpenAPIV3.RequestBodyObject | undefined)?.content ?? {}
  return new Map(Object.entries(content).map(([mediaType, { schema }]) => [mediaType, schema as Schema]))
}

function responsesOf({ responses }: OpenAPIV3.OperationObject): Operation['responses'] {
  return new Map(
    Object.entries(responses as Record<string, OpenAPIV3.ResponseObject>).map(([status, response]) => {
      const [mediaType] = Object.keys(response.content ?? {})
      const headers = (response.headers ?? {}) as Record<string, ResponseHeader>
      return [Number(status), mediaType === undefined ? { headers } : { mediaType, headers }]
    }),
  )
}
