import { Socket } from 'node:net'
import pg from 'pg'
import { type CredentialSource, type Credentials, credentialSource } from './credentials.js'
import { codeOf, DatabaseUnavailable, READ_ONLY_TRANSACTION, reasonOf } from './errors.js'
import type { DatabaseLimits, Server } from './server.js'
import { FRESH_FOR, PROBE_LIMIT, REST_LIMIT, SessionClient, sessionOptions } from './session.js'
import { isTransportRefused, type Transport, transports } from './tls.js'

type Callback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void

/** A request for a connection. */
interface Attempt {
  readonly callback: Callback
  /** Until when another way to connect is tried, by `performance.now()`. */
  readonly deadline: number
  /** Until when a connection is handed out. */
  readonly latest: number
  /** How many other transports are left to try. */
  otherTransports: number
}

/** With what a connection was tried. */
interface Used {
  readonly credentials: Credentials
  readonly transport: Transport
}

/**
 * Milliseconds that the server has to report its own statement timeout before the connection counts as dead. With the
 * wait for a connection and the statement this leaves a quarter of a second, of what the README promises, for the rest.
 */
const REPORT_TIME = 750
/** Milliseconds in which all connections are replaced once at most, while a server stays read-only. */
const RETIRE_INTERVAL = 1_000
/** How many requests may wait for each connection of the pool; the next is turned away at once. */
const WAITING_FOR_EACH = 100

const now = () => performance.now()
const ignore = () => {}

/**
 * node-postgres's pool, with what it lacks for bad days. All failures to hand out a connection are
 * `DatabaseUnavailable`, with the reason as its cause.
 *
 * - A connection that owes an answer and on which nothing moves for longer than a statement may take is dead: it is
 *   destroyed, and what waits on it fails. (The server's `statement_timeout` cannot tell when the server itself has
 *   gone.) So each statement has two limits, and connections lost in silence do not pile up.
 * - A connection that has rested is asked for a sign of life first. One that gives none takes all others of its age
 *   with it, so that the first request after a silent loss does not try them one by one.
 * - More than a bounded number of waiting requests are turned away at once.
 * - However many connections and statements it takes, a request has been handed its last connection after twice the
 *   connect timeout and a sign of life, or it fails. The README's promise of a 503 in time follows.
 * - libpq's `allow` and `prefer` fall back to the other kind of connection, and stay with what worked.
 * - Where user and password come from a secret, they are kept until the server refuses them, and then read again.
 */
export class ConnectionPool extends pg.Pool {
  readonly #server: Server
  readonly #limits: DatabaseLimits
  readonly #transports: readonly Transport[]
  #transport: Transport
  readonly #credentials: CredentialSource
  #retiredBefore = 0

  constructor(server: Server, limits: DatabaseLimits) {
    const allowed = transports(server)
    super({
      ...sessionOptions(server, limits),
      Client: SessionClient,
      max: limits.poolSize,
      idleTimeoutMillis: REST_LIMIT,
    })
    this.#server = server
    this.#limits = limits
    this.#transports = allowed
    this.#transport = allowed[0]
    this.#credentials = credentialSource(server, limits.connectTimeout)
    // The pool drops a resting connection that fails. pg-promise listens as well, but stops when the pool is asked to
    // end, before the server has read the goodbye of each connection: one that it ends first would end the process.
    this.on('error', () => {})
    this.on('connect', (client) => this.#watch(client))
    this.on('release', (error, client) => {
      sessionOf(client).releasedAt = now()
      if (codeOf(error) === READ_ONLY_TRANSACTION) this.retire()
    })
  }

  override connect(): Promise<pg.PoolClient>
  override connect(callback: Callback): void
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) {
      return new Promise((resolve, reject) =>
        this.connect((error, client) => (client === undefined ? reject(error) : resolve(client))),
      )
    }
    this.#begin(callback, now())
    return undefined
  }

  /**
   * The rows of one statement.
   *
   * @param begun when the request began, by `performance.now()`, where this is not the first that it tries
   * @throws DatabaseUnavailable, also when too little of the request's time is left; or what the database says
   */
  rows<Row extends object>(statement: pg.QueryConfig, begun = now()): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      this.#begin((error, client, release) => {
        if (client === undefined) return reject(error)
        client.on('error', ignore)
        client.query<Row>(statement, (fault: Error | null, result) => {
          client.off('error', ignore)
          release(fault)
          if (fault === null) resolve(result.rows)
          else reject(fault)
        })
      }, begun)
    })
  }

  /** Uses no connection again that is open now: its server is gone, or no longer the one to write to. */
  retire(): void {
    if (now() - this.#retiredBefore <= RETIRE_INTERVAL) return
    this.#retiredBefore = now()
    this.emit('retire')
  }

  #begin(callback: Callback, begun: number): void {
    const { connectTimeout } = this.#limits
    const attempt = {
      callback,
      deadline: begun + connectTimeout,
      latest: begun + 2 * connectTimeout + PROBE_LIMIT,
      otherTransports: this.#transports.length - 1,
    }
    if (this.waitingCount < this.options.max * WAITING_FOR_EACH) this.#take(attempt)
    else this.#fail(attempt, new Error('too many requests wait for one'))
  }

  #take(attempt: Attempt): void {
    const { current } = this.#credentials
    const left = attempt.latest - now()
    if (left <= 0) this.#fail(attempt, new Error('the time of the request is over'))
    else if (current === undefined) this.#renewCredentials(undefined, attempt)
    else this.#takeAs(current, left, attempt)
  }

  #takeAs(credentials: Credentials, left: number, attempt: Attempt): void {
    const { connectTimeout } = this.#limits
    const { user, password } = credentials
    const used = { credentials, transport: this.#transport }
    Object.assign(this.options, {
      user,
      password,
      database: this.#server.database ?? user,
      ssl: used.transport,
      connectionTimeoutMillis: Math.min(connectTimeout, left),
    })
    super.connect((error, client, release) => {
      if (client === undefined) {
        this.#tryOtherwise(error, used, attempt)
      } else if (sessionOf(client).madeAt < this.#retiredBefore) {
        release(true)
        this.#take(attempt)
      } else {
        const session = sessionOf(client)
        const { releasedAt = now() } = session
        session.releasedAt = undefined
        const isFresh = now() - releasedAt <= FRESH_FOR
        if (isFresh || now() + PROBE_LIMIT > attempt.latest) attempt.callback(undefined, client, release)
        else this.#probe(client, release, attempt)
      }
    })
    this.options.connectionTimeoutMillis = connectTimeout // for those that wait, and for openClient
  }

  #fail({ callback }: Attempt, cause: unknown): void {
    const message = `No connection to the database: ${reasonOf(cause)}`
    callback(new DatabaseUnavailable(message, { cause }), undefined, () => {})
  }

  /** Connects again where something else is left to try. Others may have found out meanwhile what works. */
  #tryOtherwise(error: unknown, used: Used, attempt: Attempt): void {
    const inTime = now() < attempt.deadline
    if (inTime && attempt.otherTransports > 0 && isTransportRefused(error)) {
      attempt.otherTransports -= 1
      if (this.#transport === used.transport) this.#transport = this.#otherThan(used.transport)
      this.#take(attempt)
    } else if (inTime && isLoginRefused(error)) {
      this.#renewCredentials(used.credentials, attempt, error)
    } else {
      this.#fail(attempt, error)
    }
  }

  #otherThan(used: Transport): Transport {
    return this.#transports.find((transport) => transport !== used) ?? used
  }

  #renewCredentials(refused: Credentials | undefined, attempt: Attempt, error?: unknown): void {
    this.#credentials.renew(refused, attempt.deadline).then(
      (renewed) => (renewed ? this.#take(attempt) : this.#fail(attempt, error)),
      (fault) => this.#fail(attempt, fault),
    )
  }

  #watch(client: pg.PoolClient): void {
    const { stream } = client.connection
    if (!(stream instanceof Socket)) return
    stream.setTimeout(this.#limits.statementTimeout + REPORT_TIME)
    stream.on('timeout', () => {
      const { releasedAt } = sessionOf(client)
      const isResting = releasedAt !== undefined && now() - releasedAt < REST_LIMIT
      if (!isResting)
        stream.destroy(new DatabaseUnavailable('The connection to the database has been silent for too long'))
    })
  }

  #probe(client: pg.PoolClient, release: (destroy?: unknown) => void, attempt: Attempt): void {
    client.on('error', ignore)
    const timer = setTimeout(() => client.connection.stream.destroy(), PROBE_LIMIT)
    client.query('SELECT 1', (error: Error | null) => {
      clearTimeout(timer)
      if (error === null) attempt.callback(undefined, client, release)
      else {
        this.retire()
        release(true)
        this.#take(attempt)
      }
      client.off('error', ignore)
    })
  }
}

/** All that this pool hands out are of its own kind. */
const sessionOf = (client: pg.PoolClient) => client as pg.PoolClient & SessionClient

/** Wrong password, or a user that is unknown or not let in. */
const isLoginRefused = (error: unknown) => ['28P01', '28000'].includes(codeOf(error) ?? '')
