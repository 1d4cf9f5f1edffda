import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type pg from 'pg'
import { DatabaseUnavailable } from './errors.js'
import { FRESH_FOR, REST_LIMIT } from './session.js'

/** A statement that the server prepares once a connection under its name. */
export interface Statement {
  readonly name: string
  readonly text: string
  readonly values: unknown[]
}

/**
 * Milliseconds for which a read is waited for before that counts as the time a read takes. Longer than a turn of a busy
 * event loop, in which an answer may lie unread.
 */
const HANGING = 100

/** Milliseconds that a read is taken to cost at least: answers that arrive together seem to have cost nothing. */
const QUICKEST = 0.1

/** How much of the pace is that of the last answer: a database that turns slow is known by its third. */
const WEIGHT = 1 / 4

/**
 * A pipelined connection: takes a read without waiting for the answer to the one before. The server answers one after
 * the other, so a read may wait for those before it as well; none waits longer than its limit, for then the connection
 * is given up.
 */
export class Lane {
  readonly #client: pg.Client
  readonly #limit: number
  /** When each of the reads in flight was sent, the oldest first. */
  readonly #sentAt: number[] = []
  #answeredAt = performance.now()
  /** Moving average of the milliseconds that a read makes those behind it wait. */
  #pace = 0
  /** Milliseconds of the quickest read, and so at least those of the way to the database and back. */
  #roundTrip = Number.POSITIVE_INFINITY
  #watch: NodeJS.Timeout | undefined
  #ending = false

  /**
   * @param client connected, with `pipeline`
   * @param limit milliseconds that a read may take, its wait for those before it included
   * @param onEnd called when it takes no more reads, perhaps more than once
   */
  constructor(client: pg.Client, limit: number, onEnd: () => void) {
    this.#client = client
    this.#limit = limit
    client.on('error', onEnd)
    client.on('end', onEnd)
    const { stream } = client.connection
    if (!(stream instanceof Socket)) return
    stream.setTimeout(REST_LIMIT)
    stream.on('timeout', () => {
      onEnd()
      if (this.#ending) stream.destroy()
      else void this.end()
    })
  }

  get inFlight(): number {
    return this.#sentAt.length
  }

  /**
   * @param begun when the request for it began, by `performance.now()`; its limit counts from then
   * @throws DatabaseUnavailable when the lane is given up, or what the database says
   */
  async read<Row>(statement: Statement, begun: number): Promise<Row[]> {
    const isAlone = this.inFlight === 0
    this.#sentAt.push(begun)
    this.#watch ??= this.#watchFor(this.#limit)
    gather(this.#client.connection.stream)
    try {
      // Each read has an object of its own: an error shows the values of the object it came with.
      return (await this.#client.query({ ...statement })).rows
    } finally {
      this.#onAnswer(begun, isAlone)
    }
  }

  /** Whether it gave an answer lately. */
  isFresh(now: number): boolean {
    return now - this.#answeredAt < FRESH_FOR
  }

  /** Milliseconds that a read would probably wait for those before it. */
  waitAt(now: number): number {
    const [oldest] = this.#sentAt
    if (oldest === undefined) return 0
    const waited = now - Math.max(oldest, this.#answeredAt)
    return this.inFlight * (waited > HANGING ? waited : Math.max(this.#pace, QUICKEST))
  }

  /**
   * Answers come in the order of the reads. How long those before it made a read wait is at most the time since the
   * answer before, and at most what it took longer than the quickest: a long way to the database is no wait. A read that
   * was alone says nothing but that the pace is no slower than that.
   */
  #onAnswer(sentAt: number, wasAlone: boolean): void {
    const now = performance.now()
    this.#sentAt.shift()
    this.#roundTrip = Math.min(this.#roundTrip, now - sentAt)
    const interval = now - Math.max(sentAt, this.#answeredAt)
    const wait = Math.min(interval, wasAlone ? this.#pace : now - sentAt - this.#roundTrip)
    this.#pace += WEIGHT * (wait - this.#pace)
    this.#answeredAt = now
  }

  /** One timer at a time, for the oldest read of the moment, and not one for each. */
  #watchFor(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      const [oldest] = this.#sentAt
      const left = oldest === undefined ? undefined : oldest + this.#limit - performance.now()
      this.#watch = left !== undefined && left > 0 ? this.#watchFor(left) : undefined
      if (left !== undefined && left <= 0) this.giveUp()
    }, milliseconds).unref()
  }

  /** The reads in flight fail. */
  giveUp(): void {
    const { stream } = this.#client.connection
    stream.destroy(new DatabaseUnavailable('The database owes an answer for too long'))
  }

  /** Ends when what is in flight is answered, or the server is silent for longer than a read may take. */
  async end(): Promise<void> {
    this.#ending = true
    const { stream } = this.#client.connection
    if (stream instanceof Socket) stream.setTimeout(this.#limit)
    await this.#client.end().catch(() => {})
  }
}

/**
 * Lets the reads of one turn of the event loop go out in one write: a tenth less CPU time on a read for the service, and
 * up to a third for PostgreSQL, which is woken once for all of them.
 */
function gather(stream: Writable): void {
  if (stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}
