import { checkAnswer } from '../support/answers.js'
import { AnswerReader, type RawAnswer } from './answer-reader.js'
import type { Plan } from './plan.js'
import type { FuzzRequest } from './requests.js'

/** Seconds that the service gives a request to arrive; REQUEST_TIMEOUT. A busy machine may lose one or two of them. */
export const REQUEST_TIMEOUT = 4

/** What the database may hold and must hold of a connection: titles of todos. */
export interface Traces {
  readonly created: readonly string[]
  readonly possible: readonly string[]
}

/** Holds what comes over one connection against its plan; throws at the first thing that must not be. */
export class Judge {
  readonly #plan: Plan
  readonly #isStopping: () => boolean
  readonly #reader: AnswerReader
  readonly #start = performance.now()
  readonly #created: string[] = []
  #sent = Number.POSITIVE_INFINITY
  #answered = 0
  #continued = -1
  #closing = Number.POSITIVE_INFINITY

  /** @param isStopping whether the service was told to stop: then nothing is promised but the order of its answers */
  constructor(plan: Plan, isStopping: () => boolean) {
    this.#plan = plan
    this.#isStopping = isStopping
    const heads = new Set(plan.requests.filter(({ method }) => method === 'HEAD').map(({ id }) => id))
    this.#reader = new AnswerReader((id) => heads.has(id))
  }

  /** How many requests are answered. */
  get answered(): number {
    return this.#answered
  }

  /** Whether an answer said that it is the last. */
  get isClosing(): boolean {
    return this.#closing < Number.POSITIVE_INFINITY
  }

  /** To be told when all is sent that waits for no answer. */
  sent(): void {
    this.#sent = Math.min(this.#sent, performance.now())
  }

  /** The answers that are whole with these bytes. */
  read(bytes: Buffer): RawAnswer[] {
    const answers = this.#reader.read(bytes)
    for (const answer of answers) this.#take(answer)
    return answers
  }

  /** To be told of the connection's end, which the client did not bring about, and of the error that was its cause. */
  ended(error: string | undefined): void {
    const { requests, whole, ending } = this.#plan
    if (error === 'ECONNREFUSED') throw new Error('The service takes no connections.')
    const isSound = requests.slice(0, whole).every((request) => request.isSound)
    // Node takes a client that has sent a FIN for one that has gone; one that sends after the end may miss the answer.
    if (ending !== 'stay') return
    if (this.#reader.rest !== '')
      throw new Error(`The connection ended within an answer: ${this.#reader.rest}`)
    if (error !== undefined && !isSound) return
    const owed = isSound && !this.#isSlow ? whole : 0
    if (this.#answered >= owed) return
    const how = error ?? 'by a FIN'
    throw new Error(`The connection ended (${how}) without an answer to ${requests[this.#answered]?.id}.`)
  }

  /** The todos that must be stored, and those that may be: none after an answer that was to be the last. */
  get traces(): Traces {
    const { requests, whole } = this.#plan
    const last = this.#isStopping() ? whole : this.#closing
    const possible = requests.filter(({ creates }, place) => creates && place < whole && place <= last)
    return { created: this.#created, possible: possible.map(({ id }) => id) }
  }

  #take(answer: RawAnswer): void {
    const { status, headers } = answer
    if (this.isClosing) throw new Error(`A ${status} follows an answer that said Connection: close.`)
    const request = this.#plan.requests[this.#answered]
    if (!request) throw new Error(`A ${status} comes after the answers to all requests.`)
    if (status < 200) return void this.#interim(status, request)
    const isOwn = headers['x-request-id'] === request.id
    if (headers.connection === 'close') this.#closing = this.#answered
    if (isOwn) this.#answer(answer, request)
    else this.#refusal(answer, request)
    this.#answered += 1
  }

  #interim(status: number, { id, mayContinue }: FuzzRequest): void {
    if (status !== 100 || !mayContinue || this.#continued === this.#answered)
      throw new Error(`A ${status} comes in the turn of ${id}, which asked for none.`)
    this.#continued = this.#answered
  }

  #answer(answer: RawAnswer, request: FuzzRequest): void {
    const { id, method, path, statuses, refusals, isSound, creates } = request
    const { status } = answer
    const isWhole = this.#answered < this.#plan.whole
    const unfinished = [...(isWhole ? [] : [400, 408]), ...this.#reasonsOfTime()]
    const allowed = [...statuses, ...refusals, ...unfinished, ...(this.#isStopping() ? [503] : [])]
    if (!allowed.includes(status)) throw new Error(`${id} got ${status} instead of ${allowed.join(' or ')}.`)
    const mayClose = !isSound || !isWhole || this.#plan.ending !== 'stay' || this.#isStopping()
    if (this.isClosing && !mayClose) throw new Error(`${id} is sound, and its answer says Connection: close.`)
    if (creates && status === 201) this.#created.push(id)
    const isOwn = isSound || status < 400 || status === 503 // a service that stops is not ready, however it is asked
    check(answer, isOwn ? { method, path } : { method, path: '/nothing' })
  }

  /** An answer by the service itself, under an id of its own: in the request's turn, and the last. */
  #refusal(answer: RawAnswer, { id, refusals }: FuzzRequest): void {
    const { status, headers } = answer
    const said = headers['x-request-id'] ?? ''
    if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(said))
      throw new Error(`A ${status} with the id ${said} comes in the turn of ${id}.`)
    const allowed = [...refusals, ...this.#reasonsOfTime()]
    if (!allowed.includes(status))
      throw new Error(`A refusal by ${status} comes in the turn of ${id}; allowed: ${allowed.join(', ')}.`)
    if (!this.isClosing) throw new Error(`A refusal by ${status} keeps the connection.`)
    check(answer, { method: 'GET', path: '/nothing' })
  }

  /** Whether the client took so long to send all that a request may have come too late. */
  get #isSlow(): boolean {
    return Math.min(performance.now(), this.#sent) - this.#start > REQUEST_TIMEOUT * 500
  }

  /** What a request may be refused with because it does not come whole, or not in time. */
  #reasonsOfTime(): number[] {
    const isUnfinished = this.#answered >= this.#plan.whole
    const isOver = performance.now() - this.#start >= REQUEST_TIMEOUT * 1_000
    const late = isOver && (isUnfinished || this.#isSlow) ? [408] : []
    return isUnfinished && this.#plan.ending === 'fin' ? [400, ...late] : late
  }
}

/** Holds an answer against the contract. Those that belong to no operation are problem details. */
function check(
  { status, headers, body }: RawAnswer,
  { method, path }: { method: string; path: string },
): void {
  const isOutside = method === 'OPTIONS' && path === '/nothing' && status >= 400
  checkAnswer({
    method: isOutside ? 'GET' : method,
    path,
    status,
    headers: { ...headers },
    text: body.toString(),
  })
}
