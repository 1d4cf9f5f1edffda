import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Connection, type ConnectionOptions } from './connection.js'
import { connectionAccepted, isAccepting } from './fair-turns.js'
import type { ReportLimit } from './limit-log.js'
import { ReadTurns } from './read-turns.js'

export interface ConnectionsOptions extends Omit<ConnectionOptions, 'takePiece'> {
  /** How many connections are open at most. */
  readonly connectionLimit: number
  /** Milliseconds after which a new connection of which nothing could be read yet is closed. */
  readonly refusalTimeout: number
  /** Whether an address is that of a trusted proxy. */
  readonly isProxy: (address: string) => boolean
  readonly report: ReportLimit
}

/** Milliseconds between two looks at every connection. */
const CHECK_INTERVAL = 250

/** Turns of the event loop in which no connection was accepted, until all are. */
const QUIET_TURNS = 5

/** Beyond the limit this share of all idle connections is closed at once, so that they need not be sorted each time. */
const SHARE_TO_CLOSE = 0.01

const connections = new WeakMap<Duplex, Connection>()

/** The connection of a socket or a request; undefined for those of other servers. */
export const connectionOf = (socket: Duplex) => connections.get(socket)

/**
 * Every connection of a server. Beyond the limit the connections that have been idle for the longest are closed in
 * favour of new ones, as a client must expect of an idle connection at any time (RFC 9112, section 9.3); where none is
 * idle, the new one is closed.
 */
export class Connections {
  readonly #all = new Set<Connection>()
  readonly #turns = new ReadTurns()
  readonly #options: ConnectionsOptions & ConnectionOptions
  #checking: NodeJS.Timeout | undefined
  #isClosing = false

  constructor(server: Server, options: ConnectionsOptions) {
    this.#options = {
      ...options,
      takePiece: (connection, pieces) => this.#turns.takePiece(connection, pieces),
    }
    server.on('connection', (socket) => this.#open(socket))
  }

  /** Waits until every connection has been accepted, for so many milliseconds at the most. */
  async accepted(limit: number): Promise<void> {
    const latest = performance.now() + limit
    let quietTurns = 0
    while (quietTurns < QUIET_TURNS && performance.now() < latest) {
      await nextTurn()
      quietTurns = isAccepting() ? 0 : quietTurns + 1
    }
  }

  /**
   * Closes the connections on which there is no request, which a load balancer may have opened ahead of need, and from now
   * on each as soon as its answer has been taken; none before what was sent on it has been read.
   */
  closeIdle(): void {
    this.#isClosing = true
    this.#check()
  }

  closeAll(): void {
    for (const { socket } of this.#all) socket.destroy()
  }

  #open(socket: Socket): void {
    const { connectionLimit, isProxy, report } = this.#options
    const { remoteAddress = '' } = socket
    if (this.#all.size >= connectionLimit) {
      report('CONNECTION_LIMIT', { address: remoteAddress })
      this.#closeLongestIdle()
      if (this.#all.size >= connectionLimit) return void socket.destroy()
    }
    const connection = new Connection(
      socket,
      isProxy(remoteAddress) ? undefined : remoteAddress,
      this.#options,
    )
    connections.set(socket, connection)
    connectionAccepted()
    this.#all.add(connection)
    this.#turns.open(connection)
    this.#checking ??= setInterval(() => this.#check(), CHECK_INTERVAL).unref()
    socket.once('close', () => {
      this.#all.delete(connection)
      this.#turns.close(connection)
    })
  }

  #closeLongestIdle(): void {
    const idle = [...this.#all].filter(({ idleSince }) => idleSince !== undefined)
    idle.sort((one, other) => (one.idleSince ?? 0) - (other.idleSince ?? 0))
    for (const each of idle.slice(0, Math.ceil(idle.length * SHARE_TO_CLOSE))) {
      this.#all.delete(each)
      each.socket.destroy()
    }
  }

  /** A request that could not be read for so long would be refused: read, it would keep others waiting as well. */
  #closeStale(now: number): void {
    const { refusalTimeout, report } = this.#options
    for (const { socket } of this.#turns.stale(now - refusalTimeout)) {
      report('REFUSAL_TIMEOUT', { address: socket.remoteAddress })
      socket.destroy()
    }
  }

  /** One that is held may have sent what nobody read, and so may all others until the event loop has looked at each. */
  async #closeIdleSoon(): Promise<void> {
    const idle = [...this.#all].filter(isIdle)
    await nextTurn() // the rest of this turn
    await nextTurn()
    for (const each of idle) {
      each.check(performance.now())
      if (isIdle(each)) each.socket.destroy()
    }
  }

  #check(): void {
    const now = performance.now()
    for (const each of this.#all) each.check(now)
    this.#closeStale(now)
    if (this.#isClosing) void this.#closeIdleSoon()
    if (this.#all.size > 0) return
    clearInterval(this.#checking)
    this.#checking = undefined
  }
}

const isIdle = ({ idleSince, heldSince }: Connection) => idleSince !== undefined && heldSince === undefined
