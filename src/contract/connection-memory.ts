import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientMemory, Holder } from './client-memory.js'
import { isChunked, sizeOfHead, sizeOfTrailers } from './protocol.js'

/** Bytes that a request costs that waits for its turn or has not come whole, and each of its header fields, as measured. */
const REQUEST = 4_096
const FIELD = 160
/** And each byte of its head. */
const HEAD_BYTE = 2
/**
 * A request that costs so much counts from its head on, for many of them may wait to be handled. Those that do not cost
 * more than the connections that they come on are bounded by the number of these.
 */
const MUCH = 6_144
/** Bytes that an unfinished head or trailer section costs, and each of its bytes: it is kept as many small strings. */
const UNFINISHED_HEAD = 8_192
const UNFINISHED_BYTE = 5
/** Bytes between requests, and around their fields and chunks, that are no unfinished head. */
const UNCOUNTED = 64
/** Bytes around a chunk beside its length: two line ends (RFC 9112, section 7.1). */
const CHUNK_FRAME = 4

const costOf = ({ length }: readonly string[], size: number) => (FIELD * length) / 2 + HEAD_BYTE * size

/** Bytes that one connection makes the service hold: its unfinished and waiting requests, and its unread answers. */
export class ConnectionMemory {
  readonly #connection: Holder & { readonly socket: Socket }
  readonly #memory: ClientMemory
  readonly #headerLimit: number
  /** Bytes that belong to requests of which the head has come. */
  #counted = 0
  /** Bytes that are kept for each request that has not been answered, and whether its head is among them. */
  readonly #requests = new WeakMap<IncomingMessage, { bytes: number; withHead: boolean }>()
  #kept = 0
  #held = 0

  constructor(connection: Holder & { readonly socket: Socket }, memory: ClientMemory, headerLimit: number) {
    this.#connection = connection
    this.#memory = memory
    this.#headerLimit = headerLimit
  }

  get isHeld(): boolean {
    return this.#held > 0
  }

  /** Bytes that are kept for all requests that wait or are handled. */
  get kept(): number {
    return this.#kept
  }

  /** Bytes of a head, or of a trailer section, that has not come whole. */
  get unfinishedHead(): number {
    const bytes = this.#connection.socket.bytesRead - this.#counted
    return bytes > UNCOUNTED ? Math.min(bytes, this.#headerLimit) : 0
  }

  /** The head of a request has come. */
  began(request: IncomingMessage): void {
    const size = sizeOfHead(request)
    this.#requests.set(request, { bytes: 0, withHead: false })
    this.#counted += size + Number(request.headers['content-length'] ?? 0)
    if (REQUEST + costOf(request.rawHeaders, size) > MUCH) this.stays(request)
  }

  /** A request waits, or its body does not come. */
  stays(request: IncomingMessage): void {
    const kept = this.#requests.get(request)
    if (!kept || kept.withHead) return
    kept.withHead = true
    this.keep(request, REQUEST + costOf(request.rawHeaders, sizeOfHead(request)))
  }

  /** Trailers have come. */
  ended(request: IncomingMessage): void {
    this.keep(request, costOf(request.rawTrailers, sizeOfTrailers(request)))
  }

  /** A chunk of a body has come, whose length nobody announced. */
  came(bytes: number): void {
    this.#counted += bytes + bytes.toString(16).length + CHUNK_FRAME
  }

  /** More is kept of a request, or less. */
  keep(request: IncomingMessage, bytes: number): void {
    const kept = this.#requests.get(request)
    if (!kept) return
    kept.bytes += bytes
    this.#kept += bytes
  }

  /** A request needs nothing any more. */
  answered(request: IncomingMessage): void {
    this.#kept -= this.#requests.get(request)?.bytes ?? 0
    this.#requests.delete(request)
    if (isChunked(request)) this.#counted += sizeOfTrailers(request)
  }

  /** No request is under way or waits: corrects what could only be estimated. */
  becameIdle(): void {
    this.#counted = this.#connection.socket.bytesRead - this.unfinishedHead
  }

  /** Says what is held now, of an unfinished head only where it is known. */
  update(isHeadKnown: boolean): void {
    const { socket } = this.#connection
    if (socket.destroyed) return
    const unfinished = isHeadKnown ? this.unfinishedHead : 0
    const head = unfinished > 0 ? UNFINISHED_HEAD + UNFINISHED_BYTE * unfinished : 0
    this.#hold(socket.writableLength + this.#kept + head)
  }

  free(): void {
    this.#hold(0)
  }

  #hold(bytes: number): void {
    if (bytes === this.#held) return
    this.#held = bytes
    this.#memory.hold(this.#connection, bytes)
  }
}
