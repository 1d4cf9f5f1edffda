import type { Connection } from './connection.js'
import { laterTurn } from './fair-turns.js'

/** So many requests and chunks of bodies are taken in one turn of the event loop: that takes up to 10 milliseconds. */
const PIECES_A_TURN = 128

/** Milliseconds for which an address counts as costly after one of its connections used up a whole turn. */
const COSTLY_FOR = 10_000

/** Who is read first in each of so many turns, again and again. */
const FIRST = ['newest', 'known', 'newest', 'known', 'oldest', 'known', 'busy'] as const

/** Of so many turns one is for costly addresses; no multiple of those above, so that each of these comes first in some. */
const COSTLY_TURN = 8

/**
 * Who is read in which turn of the event loop. By itself a turn reads every socket that has something: all of a crowd
 * that asks at once, and 64 kB of each, which takes 30 milliseconds where these are tiny chunks or requests. So after
 * PIECES_A_TURN all are held, and some of them are read in each of the next turns.
 *
 * New connections and those whose requests were answered come first, in turn; those that are in the middle of a request
 * wait longer, and so do addresses one of whose connections has used up a whole turn. So neither new clients nor those
 * that are connected wait for an attack to end.
 */
export class ReadTurns {
  /** Those that never sent anything; the newest come last. */
  readonly #fresh = new Set<Connection>()
  /** Those that sent something most lately come last. */
  readonly #known = new Set<Connection>()
  #last: Connection | undefined
  readonly #held = new Set<Connection>()
  /** By `performance.now()`, when a connection of an address used up a turn last; the latest come last. */
  readonly #costly = new Map<string, number>()
  #pieces = 0
  #ofLast = 0
  #slices = 0
  #isScheduled = false

  get isHolding(): boolean {
    return this.#held.size > 0
  }

  open(connection: Connection): void {
    this.#fresh.add(connection)
    // Not at once: Node begins to read a new socket only after this.
    setImmediate(() => {
      if (this.isHolding) this.#hold(connection)
    })
  }

  close(connection: Connection): void {
    for (const each of [this.#fresh, this.#known, this.#held]) each.delete(connection)
  }

  /** Told of each request, and each chunk of a body. */
  takePiece(connection: Connection): void {
    if (this.#pieces === 0) setImmediate(() => (this.#pieces = 0))
    this.#pieces += 1
    if (connection !== this.#last || this.#pieces === 1) this.#ofLast = 0
    this.#ofLast += 1
    if (connection !== this.#last) this.#putLast(connection)
    if (this.#ofLast === PIECES_A_TURN) this.#usedUpTurn(connection)
    if (this.#pieces !== PIECES_A_TURN) return
    for (const all of [this.#fresh, this.#known]) for (const each of all) this.#hold(each)
    this.#readSoon()
  }

  /** The new connections that have been held since before a time by `performance.now()`. */
  stale(time: number): Connection[] {
    return this.#heldOf(this.#fresh).filter(({ heldSince }) => heldSince !== undefined && heldSince < time)
  }

  /** Not for each of thousands of tiny chunks in one turn: that takes longer than to parse them. */
  #putLast(connection: Connection): void {
    this.#last = connection
    if (connection.socket.destroyed) return
    this.#fresh.delete(connection)
    this.#known.delete(connection)
    this.#known.add(connection)
  }

  #hold(connection: Connection): void {
    if (this.#held.has(connection) || connection.socket.destroyed) return
    connection.hold()
    this.#held.add(connection)
  }

  /** The addresses behind a trusted proxy are not known here. */
  #usedUpTurn({ address }: Connection): void {
    if (address === undefined) return
    this.#costly.delete(address)
    this.#costly.set(address, performance.now())
    for (const each of this.#costly.keys()) {
      if (this.#isCostly({ address: each })) return
      this.#costly.delete(each)
    }
  }

  #isCostly({ address = '' }: Pick<Connection, 'address'>): boolean {
    const time = this.#costly.get(address)
    return time !== undefined && performance.now() - time < COSTLY_FOR
  }

  #readSoon(): void {
    if (!this.isHolding || this.#isScheduled) return
    this.#isScheduled = true
    laterTurn(() => {
      this.#isScheduled = false
      this.#readSome()
      this.#readSoon()
    })
  }

  #readSome(): void {
    const oldest = this.#heldOf(this.#fresh)
    const newest = oldest.toReversed()
    const used = this.#heldOf(this.#known)
    const known = used.filter(({ hasRequest }) => !hasRequest)
    const busy = used.filter(({ hasRequest }) => hasRequest)
    const first = FIRST[this.#slices % FIRST.length] ?? 'newest'
    this.#slices += 1
    const all = [...{ oldest, newest, known, busy }[first], ...known, ...newest, ...busy]
    const isCostlyTurn = this.#slices % COSTLY_TURN === 0
    const chosen = all.filter((each) => this.#isCostly(each) === isCostlyTurn)
    const next = chosen.length > 0 ? chosen : all
    let released = 0
    for (const each of next) {
      if (released === PIECES_A_TURN) break
      if (!this.#held.delete(each)) continue
      released += 1
      each.release()
    }
  }

  #heldOf(connections: Iterable<Connection>): Connection[] {
    return [...connections].filter((each) => this.#held.has(each))
  }
}
