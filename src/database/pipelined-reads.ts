import { type Database, openClient } from './connection.js'
import { codeOf, DatabaseUnavailable } from './errors.js'
import { Lane, type Statement } from './lane.js'
import { PROBE_LIMIT } from './session.js'

export type { Statement }

/** Two, so that a page that takes long holds up only half of the reads behind it. */
export const LANES = 2

/**
 * Milliseconds that a read may have to wait for those before it on a lane. Beyond that the pool saves more time than it
 * costs: reads wait for longer only where the database takes a millisecond and more for each, or hangs, or where a
 * hundred of them are before it.
 */
const QUICK = 10

/** Milliseconds between two attempts to open a lane. */
const REOPEN_INTERVAL = 1_000

/** Statement timeout and cancel: the read was tried, and would take as long again. */
const QUERY_CANCELED = '57014'

const PROBE: Statement = { name: 'probe', text: 'select 1', values: [] }

/**
 * Short reads over few connections, sent without waiting for the answers before: fewer system calls and wake-ups on
 * both sides, which halves what a read costs PostgreSQL and saves a quarter of what it costs the service.
 *
 * Only for reads that are short and stand alone: a slow one holds up those behind it, and a transaction would swallow
 * those of others. Where reads would wait for each other, the pool takes them as well, as long as fewer wait for each
 * of its connections. A read that fails for whatever reason other than the time it took is repeated on the pool, in what
 * is left of its time: so a lost connection, or a prepared statement that a connection lost, costs a read some time and
 * nothing else. While no lane is open, the pool serves all.
 */
export class PipelinedReads {
  readonly #database: Database
  readonly #limit: number
  readonly #lanes = new Set<Lane>()
  /** For each lane that rested, what settles when a sign of life came, or none. */
  readonly #probes = new Map<Lane, Promise<void>>()
  #nextOpening = 0
  #opening = 0
  #closed = false

  /** @param limit milliseconds that a read may be in flight, after which its connection counts as lost */
  constructor(database: Database, limit: number) {
    this.#database = database
    this.#limit = limit
    database.$pool.on('retire', () => this.#endAll())
  }

  /** @throws as the pool does, and in the same time */
  async any<Row extends object>(statement: Statement): Promise<Row[]> {
    const begun = performance.now()
    this.#openMissing(begun)
    const lane = this.#quickLane(begun) ?? (await this.#awakenedLane())
    if (!lane) return this.#database.$pool.rows<Row>(statement, begun)
    try {
      return await lane.read<Row>(statement, begun)
    } catch (error) {
      if (codeOf(error) === QUERY_CANCELED || error instanceof DatabaseUnavailable) throw error
      void this.#end(lane)
      return await this.#database.$pool.rows<Row>(statement, begun)
    }
  }

  /** Closes the connections once what is in flight on them is answered. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#endAll()
  }

  async #endAll(): Promise<void> {
    await Promise.all([...this.#lanes].map((lane) => this.#end(lane)))
  }

  /** The lane with the shortest wait, of those that lately gave an answer, unless the pool is quicker. */
  #quickLane(now: number): Lane | undefined {
    let quickest: Lane | undefined
    let shortest = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes) {
      const wait = lane.isFresh(now) ? lane.waitAt(now) : shortest
      if (wait < shortest) {
        quickest = lane
        shortest = wait
      }
    }
    return quickest && (shortest < QUICK || !this.#isPoolShorter(quickest)) ? quickest : undefined
  }

  /** This bounds what is in flight on a lane as well, for the pool turns away what is too much for it. */
  #isPoolShorter({ inFlight }: Lane): boolean {
    const { waitingCount, options } = this.#database.$pool
    return waitingCount < inFlight * options.max
  }

  /**
   * A lane that rested, once it gave a sign of life. All wait for the same one: the pool might have to log in ten times
   * for the first requests after a pause.
   */
  async #awakenedLane(): Promise<Lane | undefined> {
    for (const lane of this.#lanes) {
      if (lane.inFlight === 0) this.#probes.set(lane, this.#probe(lane))
    }
    if (this.#probes.size === 0) return undefined
    await Promise.race(this.#probes.values())
    return this.#quickLane(performance.now())
  }

  async #probe(lane: Lane): Promise<void> {
    const timer = setTimeout(() => lane.giveUp(), PROBE_LIMIT)
    try {
      await lane.read(PROBE, performance.now())
    } catch {
      this.#database.$pool.retire() // what rested in the pool is probably lost as well
      await this.#end(lane)
    } finally {
      clearTimeout(timer)
      this.#probes.delete(lane)
    }
  }

  #openMissing(now: number): void {
    if (this.#closed || this.#lanes.size + this.#opening >= LANES || now < this.#nextOpening) return
    this.#nextOpening = now + REOPEN_INTERVAL
    for (let missing = LANES - this.#lanes.size - this.#opening; missing > 0; missing -= 1) void this.#open()
  }

  async #open(): Promise<void> {
    this.#opening += 1
    try {
      const client = await openClient(this.#database, { pipeline: true })
      const lane: Lane = new Lane(client, this.#limit, () => this.#lanes.delete(lane))
      if (this.#closed) await lane.end()
      else this.#lanes.add(lane)
    } catch {
      // The pool meets the same fault, and says so to whom it concerns.
    } finally {
      this.#opening -= 1
    }
  }

  /** Takes no more reads on it; ends it when those in flight are answered. */
  async #end(lane: Lane): Promise<void> {
    if (this.#lanes.delete(lane)) await lane.end()
  }
}
