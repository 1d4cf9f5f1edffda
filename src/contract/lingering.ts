import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { hasBody, isUnderWay } from './protocol.js'

/** Limits in milliseconds and bytes. */
export interface LingerLimits {
  readonly lingerTimeout: number
  readonly lingerLimit: number
}

/** What lingering needs of its connection. */
export interface Lingerer {
  readonly socket: Socket
  /** Reads, unless it is not the connection's turn. */
  resume(): void
  /** Throws away what comes of a request's body. */
  discard(request: IncomingMessage): void
  /** Closes the connection, and says which setting's limit it exceeded. */
  exceeds(limit: string): void
}

/**
 * What still comes behind an answer, be it the rest of its own request or anything behind the last answer of a connection,
 * is read and thrown away within limits of time and bytes: closing at once would reset the connection, and the client
 * might never see that answer (RFC 9112, section 9.6).
 */
export class Lingering {
  readonly #connection: Lingerer
  readonly #limits: LingerLimits
  /** How it ends at last, until when, and up to which of the connection's bytes is read. */
  #reading: { readonly end: () => void; until: number; readonly bytes: number } | undefined

  constructor(connection: Lingerer, limits: LingerLimits) {
    this.#connection = connection
    this.#limits = limits
  }

  get isActive(): boolean {
    return this.#reading !== undefined
  }

  /** The answer was taken, and the connection stays: others may follow. */
  stop(): void {
    this.#reading = undefined
  }

  /** Called several times a second. */
  check(now: number): void {
    if (!this.#reading) return
    const { socket } = this.#connection
    if (now > this.#reading.until || socket.readableEnded) this.#reading.end()
    if (socket.bytesRead > this.#reading.bytes) this.#connection.exceeds('LINGER_LIMIT')
  }

  /** Ends an answer whose content was sent already, when all of its request has come. */
  behind(response: ServerResponse): void {
    const { req: request } = response
    this.#readOn(() => response.end())
    if (isUnderWay(request)) this.#connection.discard(request.once('end', () => response.end()))
    else {
      this.discardUnread(request)
      response.end()
    }
  }

  /** What has come of a body and nobody read would not be counted. */
  discardUnread(request: IncomingMessage): void {
    if (hasBody(request) && request.complete && !request.readableEnded) this.#connection.discard(request)
  }

  /** Says that nothing more will be sent, and reads on until the client has closed its side as well. */
  halfClose(): void {
    const { socket } = this.#connection
    socket.end()
    this.#readOn(() => socket.destroy()).until = performance.now() + this.#limits.lingerTimeout
  }

  /** Up to a limit, and until `until` is set and over. */
  #readOn(end: () => void) {
    const bytes = this.#connection.socket.bytesRead + this.#limits.lingerLimit
    const reading = { end, until: Number.POSITIVE_INFINITY, bytes }
    this.#reading = reading
    this.#connection.resume()
    return reading
  }
}
