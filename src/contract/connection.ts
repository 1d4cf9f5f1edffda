import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientMemory, Holder, LimitName } from './client-memory.js'
import { ConnectionMemory } from './connection-memory.js'
import { nextTurn } from './fair-turns.js'
import type { ReportLimit } from './limit-log.js'
import { type Lingerer, Lingering, type LingerLimits } from './lingering.js'
import { hasBody, isChunked, isUnderWay, requestIdOf } from './protocol.js'
import { WaitingTime } from './waiting-time.js'

/** Limits in milliseconds and bytes. */
export interface ConnectionLimits extends LingerLimits {
  readonly headerLimit: number
  readonly fieldLimit: number
  readonly chunkLimit: number
  readonly answerTimeout: number
}

/** Why a request gets an answer that the app knows nothing of. */
export interface Refusal {
  readonly requestId: string
  /** Of a request whose head has come: the answer to HEAD has no content. */
  readonly method?: string | undefined
  readonly status: number
  readonly detail: string
  /** The setting whose value was exceeded, if it was one. */
  readonly limit?: string | undefined
  /** The client sends nothing more: the line of its request, if one began, says that it was aborted. */
  readonly hasLeft?: boolean
  readonly headers?: Record<string, string>
}

export interface ConnectionOptions {
  readonly limits: ConnectionLimits
  readonly memory: ClientMemory
  readonly report: ReportLimit
  /** Handles a request whose turn it is. */
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void
  /** Takes the body of a request off the parser, whose chunks cost hundreds of bytes each, while it waits for its turn. */
  readonly gather: (request: IncomingMessage) => void
  /** Told of each request, and each chunk of a body: many of them in one turn of the event loop end it. */
  readonly takePiece: (connection: Connection, pieces: number) => void
  /** The bytes of an answer to a request that the app did not see; logs it. */
  readonly refusal: (refusal: Refusal) => string
}

type FirstRefusal = Omit<Refusal, 'requestId'>

/** A request that could not be read in time; due when it can be read again. */
interface Postponed {
  readonly refusal: FirstRefusal
  readonly time: number
  /** If its head has come. */
  request: IncomingMessage | undefined
  due: number | undefined
}

interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** How long requests had been handled when it came. */
  readonly since: number
}

/** While so many bytes are kept of the requests of a connection, no more is read: those of about a hundred small ones. */
const MOST_KEPT = 524_288

/** Only chunks of fewer bytes count: larger ones, and the pieces in which networks carry them, BODY_LIMIT bounds as well. */
const SMALL_CHUNK = 1_024

/** So many header fields take as long as a chunk. */
const FIELDS_A_PIECE = 64

/**
 * One connection of a client: its requests are handled one after the other, each when the answer to the one before has
 * been taken. So no answer can stand in another's place (RFC 9112, section 9.3.2), and a client that does not read its
 * answers stops its own requests and nobody else's (backpressure).
 *
 * After an answer that closes the connection, no further request is handled.
 */
export class Connection implements Holder, Lingerer {
  readonly socket: Socket
  readonly address: string | undefined
  readonly waitingTime = new WaitingTime()
  readonly #options: ConnectionOptions
  readonly #memory: ConnectionMemory
  readonly #lingering: Lingering
  #current: Turn | undefined
  readonly #waiting: Turn[] = []
  /** Nothing that comes from now on is handled. */
  #isLast = false
  #refusal: Refusal | undefined
  /** How many small chunks of a body came last, one after the other. */
  #chunks: { readonly request: IncomingMessage; count: number } | undefined
  #unreadSince: number | undefined
  #idleSince = performance.now()
  #isPausing = false
  /** The current request was refused before it had come whole. */
  #isCut = false
  #postponed: Postponed | undefined
  #isHeld = false
  #heldSince: number | undefined

  constructor(socket: Socket, address: string | undefined, options: ConnectionOptions) {
    this.socket = socket
    this.address = address
    this.#options = options
    this.#memory = new ConnectionMemory(this, options.memory, options.limits.headerLimit)
    this.#lingering = new Lingering(this, options.limits)
    // Before Node's own listener, which makes an error for each request that has not been answered.
    socket.prependOnceListener('close', () => this.#free())
    // Node reads on by itself when it has parsed a request to its end, and when an answer was taken.
    socket.on('resume', () => {
      if (this.#isStill) socket.pause()
    })
    socket.on('error', ignore) // after CONNECT Node no longer listens
  }

  /** By `performance.now()`; undefined while there is a request, or the beginning of one. */
  get idleSince(): number | undefined {
    return this.#current || this.#lingering.isActive || this.#memory.unfinishedHead > 0
      ? undefined
      : this.#idleSince
  }

  /** Nothing was ever sent on it: a load balancer may have opened it ahead of need. */
  get isUnused(): boolean {
    return this.socket.bytesRead === 0
  }

  /** Whether one is handled, or waits, or has not come whole. */
  get hasRequest(): boolean {
    return this.#current !== undefined
  }

  get isAwaited(): boolean {
    if (!this.#current || this.#waiting.length > 0 || this.socket.writableLength > 0) return true
    return isUnderWay(this.#current.request)
  }

  /** A request of which the head has come. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    if (this.socket.destroyed) return
    const fields = request.rawHeaders.length / 2
    this.#options.takePiece(this, 1 + Math.floor(fields / FIELDS_A_PIECE))
    if (this.#postponed) this.#postponed.request ??= request
    if (fields > this.#options.limits.fieldLimit) this.refuse(TOO_MANY_FIELDS, request)
    this.#memory.began(request)
    if (this.#isLast) {
      this.#drop(request)
      return
    }
    if (this.#memory.kept > 0) this.#account()
    if (isLastByItself(request)) response.shouldKeepAlive = false
    const turn = { request, response, since: this.waitingTime.since(this.hasRequest) }
    if (this.#current) this.#wait(turn)
    else this.#serve(turn)
  }

  /**
   * A request that Node's parser refuses, or whose time is over: answered in its turn, and the last.
   *
   * @param request where its head has come whole and it is none that began
   */
  refuse(refusal: FirstRefusal, request?: IncomingMessage): void {
    if (this.#isLast) {
      // What comes behind the last answer may be anything, but the rest of its own request must come in time.
      if (refusal.status === 408) this.socket.destroy()
      return
    }
    this.#isLast = true
    const last = this.#waiting.at(-1) ?? this.#current
    const isCut = last !== undefined && !last.request.complete
    this.#isCut = isCut && last === this.#current
    if (isCut && !this.#isCut) this.#waiting.pop()
    const refused = request ?? (isCut ? last.request : undefined)
    const requestId = refused ? requestIdOf(refused) : randomUUID()
    this.#refusal = { requestId, method: refused?.method, ...refusal }
    if (this.#isCut && this.#current?.response.headersSent) this.socket.destroy()
    else if (!this.#current || this.#isCut) this.#answerRefused()
    else this.socket.pause()
  }

  /** Refuses a request that lay unread, and whose time is over, only when the rest has not come in that time again. */
  postpone(refusal: FirstRefusal, time: number): void {
    const last = (this.#waiting.at(-1) ?? this.#current)?.request
    this.#postponed = { refusal, time, request: last?.complete ? undefined : last, due: undefined }
  }

  /** Whether the request whose body comes was refused: whatever comes of it now, it must have no effect. */
  get isCut(): boolean {
    return this.#isCut
  }

  /**
   * A part of a request's body came. With twice as many small chunks as are answered 413, the connection is closed.
   *
   * @returns how many small chunks of it came so far
   */
  came(request: IncomingMessage, bytes: number): number {
    this.#options.takePiece(this, 1)
    if (!isChunked(request)) return 0
    this.#memory.came(bytes)
    if (this.#chunks?.request !== request) this.#chunks = { request, count: 0 }
    if (bytes < SMALL_CHUNK) this.#chunks.count += 1
    if (this.#chunks.count > 2 * this.#options.limits.chunkLimit) this.exceeds('CHUNK_LIMIT')
    return this.#chunks.count
  }

  /** The body of a request came to its end, and its trailers with it. */
  ended(request: IncomingMessage): void {
    const fields = request.rawTrailers.length / 2
    if (fields === 0) return
    this.#options.takePiece(this, Math.floor(fields / FIELDS_A_PIECE))
    this.#memory.ended(request)
    this.#account()
  }

  /** More of a request's body is kept, until its answer has been taken. */
  keep(request: IncomingMessage, bytes: number): void {
    this.#memory.keep(request, bytes)
    this.#account()
  }

  /**
   * Ends the answer to the current request. While the rest of that request may still come, or others behind an answer
   * that closes the connection, the answer is sent without its end, and what comes is read and thrown away.
   *
   * @param isClosing whether the answer closes the connection
   */
  end(response: ServerResponse, content: string | Buffer | undefined, isClosing: boolean): void {
    this.#isLast ||= isClosing
    this.waitingTime.answer()
    if (isClosing) this.socket.destroySoon = () => this.#lingering.halfClose() // Node closes at once after the last answer
    if (isClosing || isUnderWay(response.req)) {
      response.flushHeaders()
      if (content !== undefined) response.write(content)
      setImmediate(() => this.#linger(response, isClosing)) // when what came together with the request has been parsed
    } else {
      this.#lingering.discardUnread(response.req)
      response.end(content)
    }
    if (this.socket.writableLength > 0) this.#account()
  }

  /** Throws away what comes of a request's body, unless it is being gathered: then what comes too much is thrown away. */
  discard(request: IncomingMessage): void {
    if (request.listenerCount('data') > 0) return
    request.on('data', (chunk: Buffer) => this.came(request, chunk.length))
  }

  /** Looks at the clock and at what nobody tells of; called several times a second. */
  check(now: number): void {
    const { socket } = this
    this.#lingering.check(now)
    if (socket.writableLength === 0) this.#unreadSince = undefined
    else {
      this.#unreadSince ??= now
      if (now - this.#unreadSince > this.#options.limits.answerTimeout) this.exceeds('ANSWER_TIMEOUT')
    }
    if (this.#postponed && !this.waitingTime.isBehind) this.#checkPostponed(this.#postponed, now)
    if (this.#current && isUnderWay(this.#current.request)) this.#memory.stays(this.#current.request)
    this.#account()
  }

  /** Since when the request that begins now may have lain unread, by `performance.now()`, if it did. */
  get heldSince(): number | undefined {
    // Until the answer to the one before, it waited for that, read or not.
    return this.#heldSince === undefined ? undefined : Math.max(this.#heldSince, this.#idleSince)
  }

  exceeds(limit: string): void {
    if (this.socket.destroyed) return
    this.#options.report(limit, { address: this.socket.remoteAddress })
    this.socket.destroy()
  }

  /** Reads, unless it is held, or enough requests wait. */
  resume(): void {
    if (this.#isStill || (this.waitingTime.hasStopped && this.#waiting.length > 0)) return
    this.socket.resume()
    this.waitingTime.readAgain()
  }

  /** Reads nothing until `release`. */
  hold(): void {
    this.#isHeld = true
    if (this.#heldSince === undefined || !this.isUnused) this.#heldSince = performance.now()
    this.socket.pause()
  }

  /** Reads on in the next turn of the event loop. */
  release(): void {
    this.#isHeld = false
    this.resume()
    setImmediate(() => {
      if (!this.#isHeld) this.#heldSince = undefined
    })
  }

  giveWay(limit: LimitName): void {
    const isAnswered =
      this.#current !== undefined && (this.#current.request.complete || this.#current.response.headersSent)
    // Where no request came, an answer would be taken for that to the next.
    if (!this.#current || isAnswered || this.#isLast || this.#waiting.length > 0) this.exceeds(limit)
    else this.refuse({ status: 503, detail: TOO_MANY_UNFINISHED, limit })
  }

  #checkPostponed(postponed: Postponed, now: number): void {
    const { refusal, request, time } = postponed
    postponed.due ??= now + time
    if (request?.complete) this.#postponed = undefined
    else if (now > postponed.due) {
      this.#postponed = undefined
      if (request || this.#memory.unfinishedHead > 0) this.refuse(refusal)
    }
  }

  #serve(turn: Turn): void {
    this.#current = turn
    this.waitingTime.serve(turn.since)
    turn.response.once('close', () => this.#next(turn))
    this.#options.serve(turn.request, turn.response)
  }

  /** In a later turn of the event loop: answered at once, thousands of them would keep others from theirs. */
  #serveNext(turn: Turn): void {
    this.#current = turn
    nextTurn(() => {
      if (!this.socket.destroyed) this.#serve(turn)
    })
  }

  #next({ request }: Turn): void {
    this.#memory.answered(request)
    this.#current = undefined
    this.#unreadSince = undefined
    this.#idleSince = performance.now()
    const isOver = !this.socket.writable
    this.#isLast ||= isOver
    if (!isOver) this.#lingering.stop()
    const turn = isOver ? undefined : this.#waiting.shift()
    if (isOver) this.#free()
    else if (turn) this.#serveNext(turn)
    else if (this.#refusal) this.#answerRefused()
    else this.#memory.becameIdle()
    if (!isOver && (this.socket.isPaused() || this.waitingTime.hasStopped)) this.resume()
    if (this.#memory.isHeld) this.#account()
  }

  /** Whether nothing more needs to be read before the next request is handled. The rest of a body can wait for its turn. */
  get #hasEnough(): boolean {
    const last = this.#waiting.at(-1)
    if (!last) return false
    return !last.request.complete || this.#memory.kept >= MOST_KEPT
  }

  #wait(turn: Turn): void {
    this.#waiting.push(turn)
    this.#memory.stays(turn.request)
    if (hasBody(turn.request)) this.#options.gather(turn.request)
    this.#account()
    if (this.#isPausing || !this.#hasEnough) return
    this.#isPausing = true
    // Not at once, because Node resumes the socket when it has parsed a request to its end.
    setImmediate(() => {
      this.#isPausing = false
      if (!this.#hasEnough) return
      this.socket.pause()
      this.waitingTime.stopReading()
    })
  }

  /** Whether nothing is read: it is not its turn, or what will be refused waits for its own. */
  get #isStill(): boolean {
    return this.#isHeld || (this.#refusal !== undefined && this.#current !== undefined && !this.#isCut)
  }

  /** Does not handle a request behind the last one. Node keeps it until the connection is closed. */
  #drop(request: IncomingMessage): void {
    this.#memory.stays(request)
    if (hasBody(request)) this.discard(request)
    this.#account()
  }

  #linger(response: ServerResponse, isClosing: boolean): void {
    if (isClosing) for (const { request } of this.#waiting.splice(0)) this.#drop(request)
    this.#lingering.behind(response)
  }

  #answerRefused(): void {
    const { socket } = this
    if (!socket.writable || !this.#refusal) return void socket.destroy()
    const answer = this.#options.refusal(this.#refusal)
    if (this.#refusal.status === 503) {
      socket.end(answer, () => socket.destroy()) // what it holds is wanted now
      return
    }
    socket.write(answer)
    if (this.#current) this.discard(this.#current.request)
    this.#lingering.halfClose()
  }

  #account(): void {
    const latest = (this.#waiting.at(-1) ?? this.#current)?.request
    // Chunks of a body that nobody has taken off the request yet would be taken for an unfinished head.
    this.#memory.update(!latest || latest.complete || latest.readableFlowing === true)
  }

  #free(): void {
    if (this.#memory.kept > 0) withoutStacks()
    for (const { request } of this.#waiting.splice(0)) request.destroy()
    this.#memory.free()
  }
}

const TOO_MANY_FIELDS = { status: 431, detail: 'There are too many header fields.', limit: 'FIELD_LIMIT' }

const TOO_MANY_UNFINISHED = 'There are too many unfinished requests now. Try again later.'

const ignore = () => {}

/** Until the end of this tick: with its stack, each of the errors that Node makes then costs up to 100 microseconds. */
function withoutStacks(): void {
  const { stackTraceLimit } = Error
  if (stackTraceLimit === 0) return
  Error.stackTraceLimit = 0
  process.nextTick(() => {
    Error.stackTraceLimit = stackTraceLimit
  })
}

/**
 * Whether the connection closes after a request, whatever it says: Node's parser loses what came together with an Upgrade
 * and behind it, and HTTP/1.0 knows no chunks (RFC 9112, section 6.1).
 */
const isLastByItself = (request: IncomingMessage) =>
  request.headers.upgrade !== undefined || (request.httpVersion === '1.0' && isChunked(request))
