import { connect, type Socket } from 'node:net'
import type { Answer, Exchange } from '../load.js'

/** What a crowd of clients does, and what it makes of the answers. */
export interface Crowd {
  readonly url: URL
  /** Whether nothing is asked any more. */
  readonly isOver: boolean
  next(): Exchange
  /**
   * Takes an answer and after how many milliseconds it came. Gives how many milliseconds the client waits before it asks
   * the same again, or nothing when it goes on to the next.
   */
  answered(exchange: Exchange, answer: Answer, milliseconds: number): number | undefined
  /** Takes a connection that was closed while it owed an answer. */
  broke(): void
  /** Takes what is wrong with an answer as HTTP. */
  failed(fault: string): void
}

/** Milliseconds until a client connects again that could not connect. */
const RECONNECT = 100

/** All sockets read into it in turn: what a client wants to keep, it copies. */
const shared = Buffer.allocUnsafe(65_536)

/**
 * One client on one connection, which it keeps: asks, waits for the answer, asks again. On a bare socket, because a
 * client of HTTP takes as long for a request as the servers that are measured.
 */
export class Client {
  readonly #crowd: Crowd
  #socket: Socket | undefined
  #exchange: Exchange | undefined
  #isWaiting = false
  #askedAt = 0
  #received: Buffer | undefined
  #pause: NodeJS.Timeout | undefined

  constructor(crowd: Crowd) {
    this.#crowd = crowd
  }

  /** Connects and does not ask yet; tries until it is connected. */
  open(): Promise<void> {
    return new Promise((resolve) => this.#connect(resolve))
  }

  /** Asks on and on, on a new connection where there is none any more, until the load is over. */
  go(): void {
    if (this.#crowd.isOver) return
    if (this.#socket) this.#ask(this.#socket)
    else this.#connect(() => this.go())
  }

  /** Whether an answer is owed to it. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  close(): void {
    clearTimeout(this.#pause)
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  #ask(socket: Socket): void {
    this.#exchange ??= this.#crowd.next()
    this.#isWaiting = true
    this.#askedAt = performance.now()
    socket.write(bytesOf(this.#exchange, this.#crowd.url.host))
  }

  #connect(whenOpen: () => void): void {
    const { hostname: host, port } = this.#crowd.url
    const onread = { buffer: shared, callback: (length: number) => this.#read(shared.subarray(0, length)) }
    const socket = connect({ host, port: Number(port), noDelay: true, onread })
    this.#socket = socket
    let isOpen = false
    socket.on('connect', () => {
      isOpen = true
      whenOpen()
    })
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      if (isOpen) this.#lose()
      else this.#pause = setTimeout(() => this.#connect(whenOpen), RECONNECT)
    })
  }

  /** Asks the same again where an answer was owed; otherwise it connects when its pause is over. */
  #lose(): void {
    this.#received = undefined
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#crowd.broke()
    this.go()
  }

  /** Gives true: Node.js is to go on reading. */
  #read(chunk: Buffer): boolean {
    const data = this.#received ? Buffer.concat([this.#received, chunk]) : chunk
    const answer = this.#isWaiting ? answerIn(data) : 'an answer to nothing'
    if (typeof answer === 'string') this.#crowd.failed(answer)
    else if (answer) this.#take(answer)
    else this.#received = this.#received ? data : Buffer.from(chunk)
    return true
  }

  #take(answer: Answer): void {
    const exchange = this.#exchange as Exchange
    this.#received = undefined
    this.#isWaiting = false
    if (answer.headers.connection === 'close') this.close()
    const pause = this.#crowd.answered(exchange, answer, performance.now() - this.#askedAt)
    if (pause === undefined) this.#exchange = undefined
    if (pause) this.#pause = setTimeout(() => this.go(), pause)
    else this.go()
  }
}

function bytesOf({ request: { method, path, headers = {}, body = '' } }: Exchange, host: string): string {
  const fields = Object.entries({
    host,
    ...headers,
    ...(body && { 'content-length': Buffer.byteLength(body) }),
  })
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** The answer whose bytes these are: nothing while some are missing, a text that says what is wrong with them. */
function answerIn(data: Buffer): Answer | string | undefined {
  const end = data.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [first = '', ...lines] = data.toString('latin1', 0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const length = Number(headers['content-length'])
  if (!(length >= 0)) return `no Content-Length after ${first}`
  const missing = end + 4 + length - data.length
  if (missing > 0) return undefined
  if (missing < 0) return `more than one answer to one request, the first ${first}`
  return { status: Number(first.slice(9, 12)), headers, text: data.toString('utf8', end + 4) }
}
