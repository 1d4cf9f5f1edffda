import { isIPv6, type Socket } from 'node:net'
import type { Request, RequestHandler, Response } from 'express'
import { connectionOf } from './connections.js'
import type { Operation } from './contract.js'
import { answer, exchangeOf, type Fields, fieldsOf } from './exchange.js'
import { inTurn } from './fair-turns.js'
import { ProblemError } from './problems.js'
import type { Handlers, Input, Link, OperationId, ProblemDetails, Target } from './types.js'

interface DispatchOptions {
  readonly handlers: Handlers
  readonly publicUrl: string | undefined
}

/** Any handler's answer, as it is sent. */
interface AnyReply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string | undefined>
  readonly problem?: ProblemDetails
}

type AnyHandler = (input: Input<OperationId>) => Promise<AnyReply>

/** Gives a validated request to the handler of its operation, and sends what that returns. */
export function dispatcher(
  operations: readonly Operation[],
  { handlers, publicUrl }: DispatchOptions,
): RequestHandler {
  const prepared = new Map(operations.map((operation) => [operation, preparedOf(operation, handlers)]))
  // Literal text and names of parameters in turn: a page has a link for each of its todos.
  const paths = new Map(operations.map(({ operationId, path }) => [operationId, path.split(/[{}]/)]))
  const linkOf = (request: Request): Link => {
    let base = publicUrl
    return (operationId, target) => {
      base ??= origin(request)
      return base + address(paths.get(operationId) as string[], target)
    }
  }
  return async (request, response) => {
    const exchange = exchangeOf(response)
    const { handle, headerNames, fixedFields } = prepared.get(exchange.operation as Operation) as Prepared
    const headers = Object.fromEntries(headerNames.map((name) => [name, request.headers[name.toLowerCase()]]))
    const input = {
      path: (request as unknown as Validated).openapi.pathParams,
      query: request.query,
      headers,
      body: request.body,
      link: linkOf(request),
      begun: performance.now() - (connectionOf(request.socket)?.waitingTime.waited ?? 0),
    }
    try {
      const reply = await handle(input as unknown as Input<OperationId>)
      if (reply.problem) throw new ProblemError(reply.status, reply.problem)
      const answerNow = () => send(response, reply, fixedFields.get(reply.status) ?? [])
      // An operation that is never made to wait for its turn does not wait here either.
      if (exchange.leave) await inTurn(answerNow)
      else answerNow()
    } finally {
      exchange.leave?.()
    }
  }
}

/** What the validator leaves at a request. Express's own `params` do not outlive the step that set them. */
interface Validated {
  readonly openapi: { readonly pathParams: Record<string, unknown> }
}

interface Prepared {
  readonly handle: AnyHandler
  readonly headerNames: readonly string[]
  readonly fixedFields: ReadonlyMap<number, Fields>
}

function preparedOf({ operationId, parameters, responses }: Operation, handlers: Handlers): Prepared {
  return {
    handle: handlers[operationId as OperationId] as unknown as AnyHandler,
    headerNames: parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name),
    fixedFields: new Map(
      [...responses].map(([status, { mediaType, headers }]) => {
        const fixed = Object.entries(headers).filter(([, { schema }]) => schema.enum?.length === 1)
        const named = fixed.map(([name, { schema }]) => [name, String(schema.enum?.[0])])
        return [
          status,
          fieldsOf({ 'Cache-Control': 'no-store', 'Content-Type': mediaType, ...Object.fromEntries(named) }),
        ]
      }),
    ),
  }
}

function send(response: Response, { status, body, headers }: AnyReply, fixedFields: Fields): void {
  const fields = headers ? [...fixedFields, ...fieldsOf(headers)] : fixedFields
  answer(response, status, fields, body === undefined ? undefined : JSON.stringify(body))
}

/** Scheme and host as the client sees them: those of the trusted proxy, else the request's own. */
function origin(request: Request): string {
  const host = request.host ?? ownHost(request.socket)
  return `${request.protocol === 'https' ? 'https' : 'http'}://${host}`
}

/** For HTTP/1.0, which knows no `Host`. */
function ownHost({ localAddress = '', localPort }: Socket): string {
  return `${isIPv6(localAddress) ? `[${localAddress}]` : localAddress}:${localPort}`
}

type Values = Record<string, unknown>

/** Most values need no encoding, and encodeURIComponent takes longer than all else of a link. */
const encoded = (value: string) => (/^[\w-]*$/.test(value) ? value : encodeURIComponent(value))

/** The contract's path with its parameters filled in, and the query. */
function address(template: readonly string[], target: Target<OperationId>): string {
  const { path = {}, query } = target as { path?: Values; query?: Values }
  let filled = ''
  for (let index = 0; index < template.length; index += 1) {
    const part = template[index] as string
    filled += index % 2 === 0 ? part : encoded(String(path[part]))
  }
  if (query === undefined) return filled
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) if (each !== undefined) search.append(name, String(each))
  }
  return search.size === 0 ? filled : `${filled}?${search}`
}
