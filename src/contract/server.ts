import { randomUUID } from 'node:crypto'
import { createServer, IncomingMessage, maxHeaderSize, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import express, { type Express } from 'express'
import { problemDetails } from './problems.js'
import { toOriginForm } from './protocol.js'

/** Limits in milliseconds and bytes. */
export interface ServerLimits {
  /** A request must have arrived whole within this time; otherwise 408. */
  readonly requestTimeout: number
}

/**
 * Longer than the 60 s after which load balancers give up an idle connection, so that it is never the service that
 * closes first and a request meets a closed connection.
 */
const KEEP_ALIVE = 75_000

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

/** An answer that the app knows nothing of. */
export interface Refusal {
  readonly requestId: string
  readonly status: number
  readonly detail: string
}

/**
 * An HTTP server for an Express app that answers in problem details also where Node's parser refuses a request before
 * the app sees it.
 *
 * @param headers what every answer carries, those of the parser included
 * @param report is told of every request that the app did not see
 */
export function httpServer(
  app: Express,
  limits: ServerLimits,
  headers: Record<string, string>,
  report: (refusal: Refusal) => void,
): Server {
  const options = {
    ...classesOf(app),
    keepAliveTimeout: KEEP_ALIVE,
    requestTimeout: limits.requestTimeout,
    headersTimeout: limits.requestTimeout,
    connectionsCheckingInterval: 1_000,
    requireHostHeader: false, // the app asks for it, and says so in problem details
  }
  const { began, latestOn, refuse } = refusals(headers, report)
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    began(response)
    toOriginForm(request)
    app(request, response)
  }
  const server = createServer(options, listener)
  server.on('checkContinue', listener) // whoever reads the body asks for it
  server.on('checkExpectation', listener)
  // By default fields beyond a thousand are dropped in silence, be it an If-Match. Their size is limited anyway.
  server.maxHeadersCount = 0
  server.on('connection', (socket) => lingerOnClose(socket, () => latestOn(socket)?.req))
  const unused = unusedConnections(server)
  server.on('clientError', (error: ParserError, socket) => {
    if (error.code !== 'ERR_HTTP_REQUEST_TIMEOUT' || !unused.has(socket))
      return refuse(socket, refusalOf(error))
      // A load balancer opened it ahead of need: as patient with it as with one that was used.
    ;(socket as Socket).setTimeout(KEEP_ALIVE, () => socket.destroy())
  })
  server.on('connect', (_request, socket) =>
    refuse(socket, [405, 'CONNECT is not for this service.'], { Allow: '' }),
  )
  return server
}

/** Answers what the app does not see, in its turn, and ends the connection. */
function refusals(headers: Record<string, string>, report: (refusal: Refusal) => void) {
  const latest = new WeakMap<Duplex, ServerResponse>()
  const refused = new WeakSet<Duplex>()

  /** To be told of every response that the app begins. */
  function began(response: ServerResponse): void {
    latest.set(response.req.socket, response)
  }

  function refuse(socket: Duplex, reason: Reason, more: Record<string, string> = {}): void {
    if (refused.has(socket)) return
    refused.add(socket)
    socket.on('error', () => {}) // the client may leave meanwhile, and Node no longer listens
    const before = latest.get(socket)
    if (before?.req.complete && !before.writableFinished)
      before.once('close', () => answer(socket, reason, more))
    else answer(socket, reason, more)
  }

  function answer(socket: Duplex, [status, detail]: Reason, more: Record<string, string>): void {
    if (!socket.writable || isOutOfTurn(latest.get(socket))) return void socket.destroy()
    const refusal = { requestId: randomUUID(), status, detail }
    report(refusal)
    // What still comes has no effect any more, and nobody holds the connection open.
    socket.end(rawProblem(refusal, { ...headers, ...more }), () => socket.destroy())
  }

  return { began, latestOn: (socket: Duplex) => latest.get(socket), refuse }
}

type Reason = readonly [status: number, detail: string]

/**
 * Whether the last request has not come whole and was answered already, or waits for the answers to those before it:
 * then another answer would be taken for that to another request (RFC 9112, section 9.3.2).
 */
const isOutOfTurn = (response: ServerResponse | undefined) =>
  response !== undefined && !response.req.complete && (response.headersSent || response.socket === null)

/**
 * Node closes a connection as soon as its last answer is written. If more of the request came then, it would be answered
 * with a reset, and the client might never see the answer: so the rest is read first (RFC 9112, section 9.6), for as
 * long as a request may take. A client that asked for leave to send the rest, and got none, will not send it.
 */
function lingerOnClose(socket: Socket, latestRequest: () => IncomingMessage | undefined): void {
  const close = socket.destroySoon.bind(socket)
  socket.destroySoon = () => {
    const request = latestRequest()
    if (request === undefined || request.complete || request.headers.expect !== undefined) close()
    else request.once('end', close)
  }
}

/** The connections on which nothing was ever sent. Node leaves them out when it closes idle ones; here they count. */
function unusedConnections(server: Server): { has(socket: Duplex): boolean } {
  const opened = new Set<Socket>()
  const isUnused = (socket: Duplex) => opened.has(socket as Socket) && (socket as Socket).bytesRead === 0
  server.on('connection', (socket) => {
    opened.add(socket)
    socket.once('close', () => opened.delete(socket))
  })
  const closeIdleConnections = server.closeIdleConnections.bind(server)
  server.closeIdleConnections = () => {
    closeIdleConnections()
    for (const socket of opened) if (isUnused(socket)) socket.destroy()
  }
  return { has: isUnused }
}

interface ParserError extends Error {
  readonly code?: string
  readonly rawPacket?: Buffer
}

function refusalOf({ code, rawPacket }: ParserError): Reason {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'The request did not arrive whole in time.']
  if (code !== 'HPE_HEADER_OVERFLOW') return [400, 'This is not a well-formed HTTP request.']
  if (isLongAddress(rawPacket)) return [414, 'The address is too long.']
  return [431, 'The address and the header fields are too large together.']
}

/** Whether what arrived last begins a request whose first line takes most of the room; the parser does not say. */
function isLongAddress(packet: Buffer = Buffer.alloc(0)): boolean {
  const lineEnd = packet.indexOf('\n')
  const length = lineEnd === -1 ? packet.length : lineEnd
  return length > maxHeaderSize / 2 && /^[A-Z]+ /.test(packet.toString('latin1', 0, 20))
}

function rawProblem({ requestId, status, detail }: Refusal, headers: Record<string, string>): string {
  const problem = problemDetails(status, { detail }, requestId)
  const body = JSON.stringify(problem)
  const fields = {
    ...headers,
    Connection: 'close',
    Date: new Date().toUTCString(),
    'X-Request-Id': requestId,
    'Cache-Control': 'no-store',
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${problem.title}\r\n${lines.join('')}\r\n${body}`
}
