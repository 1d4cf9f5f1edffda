import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Connection, type ConnectionOptions } from './connection.js'
import { connectionAccepted, isAccepting, laterTurn } from './fair-turns.js'
import type { ReportLimit } from './limit-log.js'

export interface ConnectionsOptions extends Omit<ConnectionOptions, 'takePiece'> {
  /** How many connections are open at most. */
  readonly connectionLimit: number
  /** Whether an address is that of a trusted proxy. */
  readonly isProxy: (address: string) => boolean
  readonly report: ReportLimit
}

/** Milliseconds between two looks at every connection. */
const CHECK_INTERVAL = 250

/** So many requests and chunks of bodies are taken in one turn of the event loop: that takes up to 10 milliseconds. */
const PIECES_A_TURN = 128

/** Of so many turns one begins with connections that are known. */
const KNOWN_FIRST = 16

/** Milliseconds, and turns of the event loop in which nothing came, until connections are settled. */
const SETTLE_LIMIT = 1_000
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
  /** Those that sent something most lately come last. */
  readonly #all = new Set<Connection>()
  #last: Connection | undefined
  /** Those that are not read until it is their turn. */
  readonly #held = new Set<Connection>()
  readonly #options: ConnectionsOptions & ConnectionOptions
  #pieces = 0
  #slices = 0
  #checking: NodeJS.Timeout | undefined

  constructor(server: Server, options: ConnectionsOptions) {
    this.#options = { ...options, takePiece: (connection) => this.#takePiece(connection) }
    server.on('connection', (socket) => this.#open(socket))
  }

  /** Waits until every connection has been accepted and all that was sent on them read, for SETTLE_LIMIT at the most. */
  async settle(): Promise<void> {
    const latest = performance.now() + SETTLE_LIMIT
    let quietTurns = 0
    while (quietTurns < QUIET_TURNS && performance.now() < latest) {
      await nextTurn()
      quietTurns = isAccepting() || this.#held.size > 0 ? 0 : quietTurns + 1
    }
  }

  /** Closes the connections on which there is no request; a load balancer may have opened them ahead of need. */
  closeIdle(): void {
    this.#check()
    for (const { idleSince, socket } of this.#all) if (idleSince !== undefined) socket.destroy()
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
    // Not at once: Node begins to read a new socket only after this.
    setImmediate(() => {
      if (this.#held.size > 0) this.#hold(connection)
    })
    this.#all.add(connection)
    this.#last = connection
    this.#checking ??= setInterval(() => this.#check(), CHECK_INTERVAL).unref()
    socket.once('close', () => {
      this.#all.delete(connection)
      this.#held.delete(connection)
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

  /**
   * Within a turn of the event loop every socket is read that has something: all of a crowd that asks at once, and for 30
   * milliseconds each, if it has tiny chunks or requests. So the others come in the next turns.
   */
  #takePiece(connection: Connection): void {
    this.#putLast(connection)
    if (this.#pieces === 0) setImmediate(() => (this.#pieces = 0))
    this.#pieces += 1
    if (this.#pieces !== PIECES_A_TURN) return
    if (this.#held.size === 0) laterTurn(() => this.#readSome())
    for (const each of this.#all) this.#hold(each)
  }

  /** Not for each of thousands of tiny chunks in one turn: that takes longer than to parse them. */
  #putLast(connection: Connection): void {
    if (connection === this.#last || !this.#all.delete(connection)) return
    this.#all.add(connection)
    this.#last = connection
  }

  #hold(connection: Connection): void {
    if (this.#held.has(connection) || !this.#all.has(connection)) return
    connection.hold()
    this.#held.add(connection)
  }

  /**
   * First those that never sent anything, the newest of them before others; but in some turns whoever was silent for the
   * longest: so neither new clients nor those that are connected wait for an attack to end.
   */
  #readSome(): void {
    const held = [...this.#all].filter((each) => this.#held.has(each))
    const isNew = ({ isUnused }: Connection) => isUnused
    const [fresh, known] = [held.filter(isNew).reverse(), held.filter((each) => !isNew(each))]
    this.#slices += 1
    const next = this.#slices % KNOWN_FIRST === 0 ? [...known, ...fresh] : [...fresh, ...known]
    for (const each of next.slice(0, PIECES_A_TURN)) {
      this.#held.delete(each)
      each.release()
    }
    if (this.#held.size > 0) laterTurn(() => this.#readSome())
  }

  #check(): void {
    const now = performance.now()
    for (const each of this.#all) each.check(now)
    if (this.#all.size > 0) return
    clearInterval(this.#checking)
    this.#checking = undefined
  }
}
