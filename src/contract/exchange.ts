import type { Response } from 'express'
import { connectionOf } from './connections.js'
import type { Operation } from './contract.js'
import type { Route } from './routes.js'

/** Header fields as Node's writeHead takes them at once: name, value, name, value. */
export type Fields = readonly string[]

/** What the steps of a request know of it; it is in the response's `locals`. */
export interface Exchange {
  readonly requestId: string
  /** As the client sent them; the path without its query. */
  readonly method: string
  readonly path: string
  /** What the contract has at the path, if anything. */
  readonly route: Route | undefined
  readonly operation: Operation | undefined
  /** The values of the path's parameters, in the path's order, still percent-encoded. */
  readonly pathValues: readonly string[]
  /** What every answer carries. */
  readonly fields: Fields
  readonly isStopping: () => boolean
  /** Lets the next request be handled in the place of this one; only the first call counts. */
  leave?: () => void
  /** Refused because of overload: counted, and not logged one by one. */
  isShed?: boolean
}

export const exchangeOf = (response: Response | undefined) => response?.locals as Exchange

/** Header fields by name, as a list. */
export function fieldsOf(headers: Record<string, string | undefined>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}

/** What an answer carries that is sent now. A service that stops asks its clients to leave with the answer. */
export function fieldsNow({ fields, isStopping }: Exchange): Fields {
  return isStopping() ? [...fields, 'Connection', 'close'] : fields
}

/** Lets Express end an answer: its connection ends as it does after `answer`. */
export function endAsAnswer(response: Response): void {
  const connection = connectionOf(response.req.socket)
  const end = response.end
  if (!connection) return
  response.end = ((content?: string | Buffer) => {
    response.end = end
    // Only with its head it is known whether it closes: Node closes where it was to say 100 Continue, and did not.
    if (!response.headersSent) response.writeHead(response.statusCode)
    connection.end(response, content, !response.shouldKeepAlive || response.hasHeader('Connection'))
    return response
  }) as Response['end']
}

/** Characters from which Node makes room for three bytes each of a string, until its last has been taken. */
const LARGE_ANSWER = 16_384

/** Sends a whole answer. Written at once, its fields need not be kept and looked up one by one. */
export function answer(response: Response, status: number, fields: Fields, content?: string): void {
  const exchange = exchangeOf(response)
  const all = [...(closes(fields) ? exchange.fields : fieldsNow(exchange)), ...fields]
  const body = content !== undefined && content.length > LARGE_ANSWER ? Buffer.from(content) : content
  if (body !== undefined) all.push('Content-Length', String(Buffer.byteLength(body)))
  response.writeHead(status, all)
  const connection = connectionOf(response.req.socket)
  if (connection) connection.end(response, body, !response.shouldKeepAlive || closes(all))
  else response.end(body)
}

/** Names are at even places: a value may be any word, for instance that of a client's request id. */
const closes = (fields: Fields) => fields.some((text, index) => index % 2 === 0 && text === 'Connection')
