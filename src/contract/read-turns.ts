import type { Connection } from './connection.js'
import { isAccepting, laterTurn } from './fair-turns.js'

/** So many requests and chunks of bodies are taken in one turn of the event loop: that takes up to 10 milliseconds. */
const PIECES_A_TURN = 128

/** Milliseconds for which a connection counts as costly after it used up a whole turn, and so does its address. */
const COSTLY_FOR = 10_000

/** Who is read first in each of so many turns, again and again. */
const FIRST = ['newest', 'known', 'oldest', 'known', 'newest', 'oldest', 'busy'] as const

/**
 * Whose turn it is, again and again: those that are not costly, those with the address of others that are, or these. No
 * multiple of those above, so that each of these comes first in some.
 */
const TURNS = ['usual', 'neighbour', 'usual', 'usual', 'usual', 'costly', 'usual', 'usual'] as const

/** So few of these are read in one turn, for the next to use up a turn may be among them. */
const NEIGHBOURS_A_TURN = 16

type Rank = (typeof TURNS)[number]

/**
 * Who is read in which turn of the event loop. By itself a turn reads every socket that has something: all of a crowd
 * that asks at once, and 64 kB of each, which takes 30 milliseconds where these are tiny chunks or requests. So after
 * PIECES_A_TURN all are held, and some of them are read in each of the next turns.
 *
 * New connections and those whose requests were answered come first, in turn; those that are in the middle of a request
 * wait longer. Those that used up a whole turn have turns of their own, and so have the others of their addresses, which
 * may be a crowd behind one: an attack that makes new connections again and again comes from there as well. So neither
 * new clients nor those that are connected wait for an attack to end.
 */
export class ReadTurns {
  /** Those that never sent anything; the newest come last. */
  readonly #fresh = new Set<Connection>()
  /** All: those that were let read most lately come last. By what they sent, the idle would be let read alone. */
  readonly #all = new Set<Connection>()
  /** By `performance.now()`, when each used up a turn last. */
  readonly #usedUp = new WeakMap<Connection, number>()
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
    this.#all.add(connection)
    // Not at once: Node begins to read a new socket only after this.
    setImmediate(() => {
      if (this.isHolding) this.#hold(connection)
    })
  }

  close(connection: Connection): void {
    for (const each of [this.#fresh, this.#all, this.#held]) each.delete(connection)
  }

  /** Told of each request, which may take as long as several pieces, and each chunk of a body. */
  takePiece(connection: Connection, pieces: number): void {
    if (this.#pieces === 0) setImmediate(() => (this.#pieces = 0))
    if (connection !== this.#last || this.#pieces === 0) this.#ofLast = 0
    this.#last = connection
    this.#fresh.delete(connection)
    this.#pieces += pieces
    this.#ofLast += pieces
    if (isLastPiece(this.#ofLast, pieces)) this.#usedUpTurn(connection)
    if (!isLastPiece(this.#pieces, pieces)) return
    for (const each of this.#all) this.#hold(each)
    this.#readSoon()
  }

  /** The new connections that have been held since before a time by `performance.now()`. */
  stale(time: number): Connection[] {
    return this.#heldOf(this.#fresh).filter(({ heldSince }) => heldSince !== undefined && heldSince < time)
  }

  #hold(connection: Connection): void {
    if (this.#held.has(connection) || connection.socket.destroyed) return
    connection.hold()
    this.#held.add(connection)
  }

  /** The addresses behind a trusted proxy are not known here. */
  #usedUpTurn(connection: Connection): void {
    const { address } = connection
    const now = performance.now()
    this.#usedUp.set(connection, now)
    if (address === undefined) return
    this.#costly.delete(address)
    this.#costly.set(address, now)
    for (const each of this.#costly.keys()) {
      if (this.#isCostly({ address: each })) return
      this.#costly.delete(each)
    }
  }

  #isCostly({ address = '' }: Pick<Connection, 'address'>): boolean {
    const time = this.#costly.get(address)
    return time !== undefined && performance.now() - time < COSTLY_FOR
  }

  #rankOf(connection: Connection): Rank {
    const time = this.#usedUp.get(connection)
    if (time !== undefined && performance.now() - time < COSTLY_FOR) return 'costly'
    return this.#isCostly(connection) ? 'neighbour' : 'usual'
  }

  /** Some in each turn; while connections are being accepted, as `laterTurn` lets it. */
  #readSoon(): void {
    if (!this.isHolding || this.#isScheduled) return
    this.#isScheduled = true
    const read = () => {
      this.#isScheduled = false
      this.#readSome()
      this.#readSoon()
    }
    if (isAccepting()) laterTurn(read)
    else setImmediate(read)
  }

  #readSome(): void {
    const newest = this.#heldOf(this.#fresh).toReversed()
    const held = this.#heldOf(this.#all)
    const oldest = held.filter((each) => this.#fresh.has(each))
    const used = held.filter((each) => !this.#fresh.has(each))
    const known = used.filter(({ hasRequest }) => !hasRequest)
    const busy = used.filter(({ hasRequest }) => hasRequest)
    const first = FIRST[this.#slices % FIRST.length] ?? 'newest'
    this.#slices += 1
    const all = [...{ oldest, newest, known, busy }[first], ...known, ...newest, ...busy]
    const ranks = { usual: [], neighbour: [], costly: [] } as Record<Rank, Connection[]>
    for (const each of all) ranks[this.#rankOf(each)].push(each)
    const inTurn = ranks[TURNS[this.#slices % TURNS.length] ?? 'usual']
    const next = [inTurn, ...Object.values(ranks)].find(({ length }) => length > 0) ?? []
    let released = 0
    for (const each of next) {
      if (released === (next === ranks.neighbour ? NEIGHBOURS_A_TURN : PIECES_A_TURN)) break
      if (!this.#held.delete(each)) continue
      released += 1
      this.#all.delete(each)
      this.#all.add(each)
      each.release()
    }
  }

  #heldOf(connections: Iterable<Connection>): Connection[] {
    return [...connections].filter((each) => this.#held.has(each))
  }
}

/** Whether the pieces of a turn are all taken with the latest ones, and were not before. */
const isLastPiece = (taken: number, latest: number) =>
  taken >= PIECES_A_TURN && taken - latest < PIECES_A_TURN
