/** The process of all clients of one load: each asks on, whatever the others wait for. */
import { createHistogram, performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Exchange, show } from '../load.js'
import { type Samples, worksOf } from '../work.js'
import { Client, type Crowd } from './client.js'
import { serve } from './helper.js'

interface Gathering {
  readonly url: string
  readonly samples: Samples
  /** How many clients there are. */
  readonly connections: number
  /** Whether they wait as Retry-After asks; otherwise they retry at once. */
  readonly obeys: boolean
}

/** From when to when answers count, in milliseconds since 1970. Asked is from the order to the end. */
interface Span {
  readonly from: number
  readonly until: number
}

export interface Answered {
  /** A second, of those that came in the counted time: 200 and 201; 503. */
  readonly goodput: number
  readonly refused: number
  /** Connections that were closed although they owed an answer, and clients that got none within 20 s after the end. */
  readonly broken: number
  readonly unanswered: number
  /** Milliseconds that accepted requests took: those answered in the counted time, and those still waiting at its end. */
  readonly p50: number
  readonly p99: number
  /** Of all 201, in the counted time or not. */
  readonly created: number
  /** The share of the counted time in which this process itself was busy: near 1 it is what limits. */
  readonly busy: number
}

/** Milliseconds that clients wait at the end for what they are owed. */
const PATIENCE = 20_000

/** So many connect at the same time: more would not fit into the queue of a server that is about to accept them. */
const AT_ONCE = 64

let crowd: Counting
let clients: Client[]

/** All clients connect, and do not ask yet: it is not measured how fast a server under load accepts a crowd. */
async function gather({ url, samples, connections, obeys }: Gathering): Promise<void> {
  crowd = new Counting(url, samples, obeys)
  clients = Array.from({ length: connections }, () => new Client(crowd))
  for (let first = 0; first < connections; first += AT_ONCE)
    await Promise.all(clients.slice(first, first + AT_ONCE).map((client) => client.open()))
}

/** All clients ask. @throws when an answer is wrong */
async function ask({ from, until }: Span): Promise<Answered> {
  for (const client of clients) client.go()
  await delay(from - Date.now())
  crowd.isCounting = true
  const [start, before] = [performance.now(), performance.eventLoopUtilization()]
  await delay(until - Date.now())
  crowd.isCounting = false
  crowd.isOver = true
  const seconds = (performance.now() - start) / 1_000
  const { utilization: busy } = performance.eventLoopUtilization(before)
  const waiting = () => clients.filter(({ isWaiting }) => isWaiting).length
  for (const end = Date.now() + PATIENCE; waiting() > 0 && Date.now() < end && !crowd.fault; ) await delay(10)
  const unanswered = waiting()
  for (const client of clients) client.close()
  if (crowd.fault) throw new Error(crowd.fault)
  const { accepted, refused, broken, created, times } = crowd
  const [p50 = 0, p99 = 0] = [50, 99].map((percentile) => times.percentile(percentile) / 1e3)
  return {
    goodput: accepted / seconds,
    refused: refused / seconds,
    broken,
    unanswered,
    p50,
    p99,
    created,
    busy,
  }
}

/** Half of its exchanges are creates, half pages, by chance. The first wrong answer ends it. */
class Counting implements Crowd {
  readonly url: URL
  readonly #works: ReturnType<typeof worksOf>
  readonly #obeys: boolean
  /** Microseconds. */
  readonly times = createHistogram()
  isCounting = false
  isOver = false
  accepted = 0
  refused = 0
  broken = 0
  created = 0
  fault: string | undefined

  constructor(url: string, samples: Samples, obeys: boolean) {
    this.url = new URL(url)
    this.#works = worksOf(samples)
    this.#obeys = obeys
  }

  next(): Exchange {
    return Math.random() < 0.5 ? this.#works.create() : this.#works.list(this.url.origin)
  }

  answered({ request, check }: Exchange, answer: Answer, milliseconds: number): number | undefined {
    const isRefusal = answer.status === 503
    const fault = isRefusal ? refusalFault(answer) : check(answer)
    if (fault) this.failed(`${request.method} ${request.path}: ${fault}; it answered ${show(answer)}`)
    if (isRefusal) {
      if (this.isCounting) this.refused += 1
      return this.#obeys ? Number(answer.headers['retry-after']) * 1_000 : 0
    }
    if (this.isCounting) this.accepted += 1
    if (this.isCounting || this.isOver) this.times.record(Math.max(1, Math.round(milliseconds * 1_000)))
    if (answer.status === 201) this.created += 1
    return undefined
  }

  broke(): void {
    this.broken += 1
  }

  failed(fault: string): void {
    this.fault ??= `${this.url.origin} ${fault}`
    this.isOver = true
  }
}

/** What is wrong with a 503: it says when to come again, and is problem details. */
function refusalFault({ headers, text }: Answer): string | undefined {
  if (!/^\d+$/.test(String(headers['retry-after']))) return 'Retry-After is no number of seconds'
  if (!String(headers['content-type']).startsWith('application/problem+json')) return 'a 503 is no problem'
  return JSON.parse(text).status === 503 ? undefined : 'the problem has another status'
}

const skills = { gather, ask }
export type Clients = typeof skills
serve(skills)
