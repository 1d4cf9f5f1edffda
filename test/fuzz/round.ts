import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Service } from '../support/service.js'
import { converse, type Outcome } from './conversation.js'
import { planOf } from './plan.js'
import { Random } from './random.js'
import { KNOWN_TODOS } from './requests.js'

/** How many connections are open at a time. */
const PARALLEL = 300

/** Milliseconds that the service has to end after SIGTERM: its own limit, and as much again for a busy machine. */
const DRAIN_PATIENCE = 20_000

/** The connections of one life of the service, by their indices. */
export interface Connections {
  readonly seed: number
  /** Side by side, as many as PARALLEL. */
  readonly calm: Iterable<number>
  /** All at once, and SIGTERM among them. */
  readonly last: readonly number[]
}

export interface Report {
  readonly connections: number
  readonly answers: number
  readonly faults: readonly Fault[]
}

export interface Fault {
  readonly what: string
  /** One of these connections is the cause. */
  readonly suspects: readonly number[]
}

/**
 * Holds connections with a service that has just been started, and ends it with SIGTERM in the midst of the last; then
 * looks at what is stored. Takes no further connection after the first fault.
 */
export async function round(
  service: Service,
  given: Connections,
  trace = (_line: string) => {},
): Promise<Report> {
  await prepare(service)
  const life = new Life(service, given.seed, trace)
  await life.hold(given.calm)
  await life.end(given.last)
  if (life.faults.length === 0) await compare(service, life)
  return life
}

class Life implements Report {
  readonly created = new Set<string>()
  readonly possible = new Set<string>()
  faults: Fault[] = []
  connections = 0
  answers = 0
  readonly #service: Service
  readonly #seed: number
  readonly #trace: (line: string) => void
  readonly #open = new Set<number>()
  /** The last that came to an end, perhaps because the service did. */
  #ended: number[] = []
  #isStopping = false
  #isDead = false

  constructor(service: Service, seed: number, trace: (line: string) => void) {
    this.#service = service
    this.#seed = seed
    this.#trace = trace
    service.process.once('exit', (code, signal) => {
      if (!this.#isStopping) this.#died(`The service ended by itself (${signal ?? code}).`)
    })
  }

  async hold(indices: Iterable<number>): Promise<void> {
    const waiting = indices[Symbol.iterator]()
    const worker = async () => {
      while (this.faults.length === 0) {
        const { done, value } = waiting.next()
        if (done) return
        await this.#converse(value)
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, worker))
  }

  /** Ends the service while connections are open that begin just now. */
  async end(indices: readonly number[]): Promise<void> {
    const conversations = this.faults.length === 0 ? indices.map((index) => this.#converse(index)) : []
    await delay(new Random(this.#seed, indices[0] ?? 0).below(100))
    if (!this.#isDead) await this.#stop()
    await Promise.all(conversations)
    const line = this.#service.logs.find(isOfFault)
    if (line && this.faults.length === 0) this.faults.push(faultOf(`The log has ${JSON.stringify(line)}`))
  }

  async #stop(): Promise<void> {
    const { process } = this.#service
    this.#isStopping = true
    process.kill('SIGTERM')
    const limit = setTimeout(() => process.kill('SIGKILL'), DRAIN_PATIENCE)
    const [code, signal] = await once(process, 'close')
    clearTimeout(limit)
    if (code !== 0) this.#died(`The service ended with ${signal ?? code} after SIGTERM.`)
  }

  async #converse(index: number): Promise<void> {
    this.#open.add(index)
    const peer = { port: Number(new URL(this.#service.url).port), isStopping: () => this.#isStopping }
    const outcome = await converse(planOf(this.#seed, index), peer, this.#trace)
    this.#open.delete(index)
    this.#ended = [...this.#ended.slice(1 - PARALLEL), index]
    this.#note(outcome, index)
  }

  #note({ fault, answered, created, possible }: Outcome, index: number): void {
    this.connections += 1
    this.answers += answered
    for (const title of created) this.created.add(title)
    for (const title of possible) this.possible.add(title)
    if (fault !== undefined && !this.#isDead) this.faults.push({ what: fault, suspects: [index] })
  }

  /** Whatever else was wrong is no wonder then. */
  #died(what: string): void {
    this.#isDead = true
    const output = this.#service.logs
      .filter(isOfFault)
      .map(({ text, ...line }) => text ?? JSON.stringify(line))
    this.faults = [
      { what: [what, ...output].join('\n'), suspects: [...this.#open, ...this.#ended.reverse()] },
    ]
  }
}

/** What is no log line is an exception that nobody caught, or a warning of Node's. A 503 is judged where it arrives. */
const isOfFault = ({ level, text, status }: Service['logs'][number]) =>
  text !== undefined || level === 'fatal' || (level === 'error' && status !== 503)

/** A fault whose connection is known by a request id in its description. */
function faultOf(what: string): Fault {
  const [, index] = /fuzz\.\d+\.(\d+)/.exec(what) ?? []
  return { what, suspects: index === undefined ? [] : [Number(index)] }
}

async function prepare({ logs, query }: Service): Promise<void> {
  logs.length = 0
  await query('truncate todo.todos')
  await query(`insert into todo.todos (id, title, updated_at) select unnest($1::uuid[]), 'known', now()`, [
    KNOWN_TODOS,
  ])
}

/** What was answered with 201 is stored, once; nothing is stored that was not sent whole and in its turn. */
async function compare({ query }: Service, { created, possible, faults }: Life): Promise<void> {
  const rows = await query<{ title: string }>('select title from todo.todos where id <> all($1::uuid[])', [
    KNOWN_TODOS,
  ])
  const titles = new Set(rows.map(({ title }) => title))
  for (const title of created)
    if (!titles.has(title)) faults.push(faultOf(`${title} got 201 and is not stored.`))
  for (const title of titles)
    if (!possible.has(title))
      faults.push(faultOf(`${title} is stored, after the last answer of its connection.`))
  if (titles.size < rows.length) faults.push(faultOf('A todo is stored twice.'))
}
