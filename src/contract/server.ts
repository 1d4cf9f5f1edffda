import { createServer, IncomingMessage, type Server, ServerResponse, setMaxIdleHTTPParsers } from 'node:http'
import type { Socket } from 'node:net'
import express, { type Express } from 'express'
import type { LoadLimits } from './admission.js'
import { type BodyLimits, gatherBody } from './body.js'
import { ClientMemory, type MemoryLimits } from './client-memory.js'
import type { ConnectionLimits, Refusal } from './connection.js'
import { Connections, connectionOf } from './connections.js'
import type { ReportLimit } from './limit-log.js'
import { headersOf, problemDetails } from './problems.js'
import { toOriginForm } from './protocol.js'

/** Limits in milliseconds and bytes. */
export interface ServerLimits
  extends ConnectionLimits,
    MemoryLimits,
    BodyLimits,
    Pick<LoadLimits, 'refusalTimeout'> {
  /** A request must have arrived whole within this time; otherwise 408. */
  readonly requestTimeout: number
  /** How many connections are open at most. */
  readonly connectionLimit: number
}

/** Whom the server tells of what the app does not see. */
export interface ServerReports {
  readonly limit: ReportLimit
  /** Told of every request that was answered without the app, unless it exceeded a limit. */
  readonly refusal: (refusal: Refusal) => void
}

/** An HTTP server, not yet listening. */
export interface Service {
  readonly server: Server
  /** Waits until all connections that clients have made so far are accepted, for so many milliseconds at the most. */
  accepted(limit: number): Promise<void>
  /** How many bytes unfinished requests and unread answers hold. */
  held(): number
}

/**
 * Longer than the 60 s after which load balancers give up an idle connection, so that it is never the service that
 * closes first and a request meets a closed connection.
 */
const KEEP_ALIVE = 75_000

/**
 * How many parsers Node keeps for the next connections; by default a thousand. Those that a crowd leaves behind lie
 * scattered over all the memory that it took, and malloc gives back no page of which a part is in use: with fewer of
 * them 10 MB less are resident after an attack.
 */
const IDLE_PARSERS = 64

/**
 * Express gives each request and response its own prototype by Object.setPrototypeOf, which costs more than all the
 * rest of Express: 44 of 54 microseconds a request on Node 20. With classes that already have that prototype the
 * call changes nothing.
 */
function classesOf(app: Express) {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, express.request)
  Object.setPrototypeOf(AppResponse.prototype, express.response)
  const property = { configurable: true, enumerable: true, writable: true, value: app }
  Object.defineProperty(AppRequest.prototype, 'app', property)
  Object.defineProperty(AppResponse.prototype, 'app', property)
  app.request = AppRequest.prototype as unknown as Express['request']
  app.response = AppResponse.prototype as unknown as Express['response']
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse as unknown as typeof ServerResponse }
}

/**
 * An HTTP server for an Express app that answers in problem details also where Node's parser refuses a request before
 * the app sees it, and bounds what clients can make it hold.
 *
 * @param headers what every answer carries, those of the parser included
 */
export function httpServer(
  app: Express,
  limits: ServerLimits,
  headers: Record<string, string>,
  reports: ServerReports,
): Service {
  setMaxIdleHTTPParsers(IDLE_PARSERS)
  const server = createServer({
    ...classesOf(app),
    keepAliveTimeout: KEEP_ALIVE,
    requestTimeout: limits.requestTimeout,
    headersTimeout: limits.requestTimeout,
    maxHeaderSize: limits.headerLimit + 1, // Node refuses this size itself
    connectionsCheckingInterval: 1_000,
    requireHostHeader: false, // the app asks for it, and says so in problem details
  })
  // Fields beyond these are dropped in silence, by default those beyond a thousand: one more tells that there are more.
  server.maxHeadersCount = limits.fieldLimit + 1
  // By itself Node takes a connection for idle whose answer is written and not taken, and forgets those that sent CONNECT.
  server.closeIdleConnections = () => connections.closeIdle()
  server.closeAllConnections = () => connections.closeAll()
  const isTrusted = app.get('trust proxy fn') as (address: string, hops: number) => boolean
  const memory = new ClientMemory(limits)
  const connections = new Connections(server, {
    limits,
    connectionLimit: limits.connectionLimit,
    refusalTimeout: limits.refusalTimeout,
    memory,
    isProxy: (address) => isTrusted(address, 0),
    report: reports.limit,
    gather: (request) => gatherBody(request, limits),
    serve: (request, response) => {
      toOriginForm(request)
      app(request, response)
    },
    refusal: (refusal) => {
      const { hasLeft, ...refused } = refusal
      if (refused.limit !== undefined) reports.limit(refused.limit, { requestId: refused.requestId })
      else if (!hasLeft) reports.refusal(refused)
      return rawProblem(refusal, headers)
    },
  })
  // Whoever reads the body of a request asks for it where it expects that; the app refuses other expectations.
  for (const event of ['request', 'checkContinue', 'checkExpectation']) {
    server.on(event, (request: IncomingMessage, response: ServerResponse) =>
      connectionOf(request.socket)?.begin(request, response),
    )
  }
  server.on('clientError', (error: ParserError, socket) => {
    const connection = connectionOf(socket)
    const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
    const refusal = refusalOf(error, limits.headerLimit)
    // A load balancer opened it ahead of need: as patient as with one that is idle.
    if (isLate && connection?.isUnused) (socket as Socket).setTimeout(KEEP_ALIVE, () => socket.destroy())
    else if (isLate && connection?.waitingTime.isBehind) connection.postpone(refusal, limits.requestTimeout)
    else connection?.refuse(refusal)
  })
  server.on('connect', (request, socket) => {
    const headers = { Allow: '' }
    connectionOf(socket)?.refuse(
      { status: 405, detail: 'CONNECT is not for this service.', headers },
      request,
    )
  })
  return {
    server,
    accepted: (limit) => connections.accepted(limit),
    held: () => memory.total,
  }
}

interface ParserError extends Error {
  readonly code?: string
  readonly rawPacket?: Buffer
}

function refusalOf({ code, rawPacket }: ParserError, headerLimit: number): Omit<Refusal, 'requestId'> {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: 408, detail: 'The request did not arrive whole in time.', limit: 'REQUEST_TIMEOUT' }
  const hasLeft = code === 'HPE_INVALID_EOF_STATE'
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return { status: 413, detail: 'The extensions of the chunks are too large.' }
  if (code !== 'HPE_HEADER_OVERFLOW')
    return { status: 400, detail: 'This is not a well-formed HTTP request.', hasLeft }
  const limit = 'HEADER_LIMIT'
  if (isLongAddress(rawPacket, headerLimit)) return { status: 414, detail: 'The address is too long.', limit }
  return { status: 431, detail: 'The address and the header fields are too large together.', limit }
}

/** Whether what arrived last begins a request whose first line takes most of the room; the parser does not say. */
function isLongAddress(packet: Buffer = Buffer.alloc(0), headerLimit: number): boolean {
  const lineEnd = packet.indexOf('\n')
  const length = lineEnd === -1 ? packet.length : lineEnd
  return length > headerLimit / 2 && /^[A-Z]+ /.test(packet.toString('latin1', 0, 20))
}

function rawProblem(
  { requestId, method, status, detail, headers: own }: Refusal,
  headers: Record<string, string>,
): string {
  const problem = problemDetails(status, { detail }, requestId)
  const body = JSON.stringify(problem)
  const fields = {
    ...headers,
    ...headersOf(status),
    ...own,
    Connection: 'close',
    Date: new Date().toUTCString(),
    'X-Request-Id': requestId,
    'Cache-Control': 'no-store',
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${problem.title}\r\n${lines.join('')}\r\n${method === 'HEAD' ? '' : body}`
}
