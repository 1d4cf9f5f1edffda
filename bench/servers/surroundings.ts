/** What the servers that the service is compared with have in common, so that all give the same answers. */
import { pino } from 'pino'
import { contractFile, loadContract, type Operation, operationsOf } from '../../src/contract/contract.js'
import { exposedHeaders } from '../../src/contract/headers.js'
import type { Handlers, Input, Link, OperationId } from '../../src/contract/types.js'
import { createHandlers } from '../../src/todos/handlers.js'
import type { Store } from '../../src/todos/store.js'

export const contract = await loadContract(contractFile)
export const operations = operationsOf(contract)

export const { PORT: port = '', DATABASE_URL: databaseUrl = '' } = process.env

/** One line a request, as the service writes it. */
export const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime })

/** The options of helmet, for Express and Fastify alike. */
export const security = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  crossOriginResourcePolicy: { policy: 'cross-origin' },
} as const

/** The options of CORS, for Express and Fastify alike. */
export const crossOrigin = {
  origin: '*',
  methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
  exposedHeaders: exposedHeaders(operations),
}

/** A request as handlers take it, from whatever found it. */
export interface Found {
  readonly path: unknown
  readonly query: unknown
  readonly headers: Record<string, unknown>
  readonly body: unknown
  readonly origin: string
}

/** A handler's reply, as every server sends it. */
export interface AnyReply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly problem?: { readonly detail: string }
}

/** The service's own handlers: what differs between the servers is what surrounds them. */
export function handlersOn(store: Store) {
  const handlers: Handlers = createHandlers(store, { isReady: async () => true, isStopping: () => false })
  return ({ operationId, parameters }: Operation, { origin, ...found }: Found): Promise<AnyReply> => {
    const named = parameters.filter((parameter) => parameter.in === 'header')
    const headers = Object.fromEntries(named.map(({ name }) => [name, found.headers[name.toLowerCase()]]))
    const handle = handlers[operationId as OperationId] as (
      input: Input<OperationId>,
    ) => Promise<unknown> as (input: unknown) => Promise<AnyReply>
    return handle({ ...found, headers, link: linkFrom(origin) })
  }
}

function linkFrom(origin: string): Link {
  return (_operationId, { path, query }) => {
    const id = (path as { id?: string } | undefined)?.id
    if (id !== undefined) return `${origin}/todos/${id}`
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const each of [value].flat()) if (each !== undefined) search.append(name, String(each))
    }
    return `${origin}/todos?${search}`
  }
}
