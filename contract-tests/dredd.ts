import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Contract } from '../src/contract/contract.js'
import { apiAt } from './api.js'
import { arrange, type Check, type Draft } from './arrangements.js'
import { type Answer, faultsOf } from './conformance.js'
import { type Exchange, nameOf } from './exchanges.js'

/** An exchange that Dredd is to try, under the name that its outcome has. */
export interface Trial {
  readonly name: string
  readonly exchange: Exchange
  /** Called before its state is arranged. */
  readonly begin?: () => void
  /** Why it is not tried. */
  readonly leftOut?: string | undefined
}

/** How a trial ended. `arranged` is false when the request was never sent, and then says nothing of the service. */
export interface Outcome {
  readonly trial: Trial
  readonly state: 'passed' | 'failed' | 'left out'
  readonly arranged: boolean
  readonly faults: readonly string[]
}

/** What is used of a Dredd transaction: https://dredd.org/en/latest/data-structures.html#transaction-object */
interface Transaction {
  readonly origin: { readonly resourceName: string }
  readonly request: { readonly method: string; headers: Record<string, string>; body?: string }
  readonly expected: { readonly statusCode: string; body?: string; bodySchema?: string }
  readonly real?: {
    readonly statusCode: string
    readonly headers: Record<string, string>
    readonly body: string
  }
  fullPath: string
  skip: boolean
  fail?: string
}

interface Hooks {
  readonly logger: { readonly transports: { readonly console: { silent: boolean } } }
  beforeAll(hook: (transactions: Transaction[], done: () => void) => void): void
  beforeEach(hook: (transaction: Transaction, done: () => void) => void): void
  afterEach(hook: (transaction: Transaction, done: () => void) => void): void
}

interface Dredd {
  run(done: (error: Error | null | undefined) => void): void
}

export interface DreddRun {
  readonly contract: Contract
  readonly exchanges: readonly Exchange[]
  /** Where requests go to, without a slash at the end. */
  readonly origin: string
  /** What to try, given what Dredd itself found in the contract. */
  readonly plan: (found: readonly Exchange[]) => readonly Trial[]
  /** Brings about the database that a trial needs. */
  readonly surround: (exchange: Exchange) => Promise<void>
  readonly hookfile?: string
}

const require = createRequire(new URL('dredd/package.json', import.meta.url))
const hookfile = fileURLToPath(new URL('dredd/hooks.cjs', import.meta.url))

/**
 * Lets Dredd send what the plan says, each request arranged so that it leads to the documented status, and holds each
 * answer against the whole contract: Dredd itself compares the status and the presence of headers.
 *
 * Only what Dredd has really carried through is among the outcomes; a broken hooks file leaves none, because then
 * Dredd knows of no trial.
 *
 * Rejects when Dredd cannot read the contract.
 */
export async function runDredd(run: DreddRun): Promise<Outcome[]> {
  const Dredd = require('dredd') as new (configuration: object) => Dredd
  const emitter = new EventEmitter()
  const trials = new Map<Transaction['origin'], Progress>()
  const outcomes = collectOutcomes(emitter, trials)
  const dredd = new Dredd({
    endpoint: run.origin,
    path: [],
    apiDescriptions: [{ location: 'openapi.yaml', content: run.contract.text }],
    hookfiles: [run.hookfile ?? hookfile],
    loglevel: 'error', // its warnings are of OpenAPI's keywords that it does not use
    emitter,
    custom: { cwd: '/', register: (hooks: Hooks) => register(hooks, run, trials) },
  })
  await new Promise<void>((resolve, reject) => {
    dredd.run((error) => (error ? reject(error) : resolve()))
  })
  return outcomes
}

/** What is known of a trial while it is under way. */
interface Progress {
  readonly trial: Trial
  check?: Check
  faults: string[]
}

function register(hooks: Hooks, run: DreddRun, trials: Map<Transaction['origin'], Progress>): void {
  const api = apiAt(run.origin)
  const progressOf = (transaction: Transaction) => trials.get(transaction.origin) as Progress
  hooks.logger.transports.console.silent = true // the outcomes are printed by whoever asked for them
  hooks.beforeAll((transactions, done) => {
    replan(transactions, run, trials)
    done()
  })
  hooks.beforeEach(async (transaction, done) => {
    const progress = progressOf(transaction)
    if (progress.trial.leftOut === undefined) {
      await prepare(transaction, progress, run, api).catch((error: Error) => {
        progress.faults.push(error.message)
        transaction.fail = error.message
      })
    } else transaction.skip = true
    done()
  })
  hooks.afterEach(async (transaction, done) => {
    const progress = progressOf(transaction)
    const { real } = transaction
    if (real) progress.faults.push(...(await judge(progress, real)))
    if (progress.faults.length > 0) transaction.fail ??= progress.faults.join('; ')
    done()
  })
}

/** Replaces the transactions that Dredd made of the contract by those of the plan, in its order. */
function replan(transactions: Transaction[], run: DreddRun, trials: Map<Transaction['origin'], Progress>) {
  const found = new Map<Exchange, Transaction>()
  for (const transaction of transactions) {
    const name = nameOfTransaction(transaction, run.exchanges)
    const exchange = run.exchanges.find((each) => each.name === name)
    if (exchange) found.set(exchange, transaction)
  }
  const planned = run.plan([...found.keys()]).map((trial) => {
    const transaction = structuredClone(found.get(trial.exchange)) as Transaction
    trials.set(transaction.origin, { trial, faults: [] })
    return transaction
  })
  transactions.splice(0, transactions.length, ...planned)
}

function nameOfTransaction(
  { origin, request, expected }: Transaction,
  exchanges: readonly Exchange[],
): string {
  const here = exchanges.find(
    ({ operation: { path, method } }) => path === origin.resourceName && method === request.method,
  )
  return nameOf(
    here?.operation.operationId ?? '',
    request.headers['Content-Type'],
    Number(expected.statusCode),
  )
}

/** Arranges the state, and changes Dredd's request to the one that leads to the status. */
async function prepare(
  transaction: Transaction,
  progress: Progress,
  run: DreddRun,
  api: ReturnType<typeof apiAt>,
) {
  const { exchange, begin } = progress.trial
  const { request, expected } = transaction
  await run.surround(exchange)
  begin?.()
  // Dredd compares bodies by their form alone; `faultsOf` holds them against the schema.
  delete expected.body
  delete expected.bodySchema
  const { pathname, searchParams } = new URL(transaction.fullPath, run.origin)
  const draft: Draft = {
    id: pathname.split('/').at(-1) ?? '',
    query: searchParams,
    headers: request.headers,
    body: request.body ? JSON.parse(request.body) : undefined,
  }
  progress.check = await arrange(exchange, draft, api)
  const search = draft.query.size === 0 ? '' : `?${draft.query}`
  transaction.fullPath = exchange.operation.path.replace('{id}', draft.id) + search
  if (draft.body) request.body = JSON.stringify(draft.body)
}

/** The documented answer first; only then whether it is true. */
async function judge({ trial, check }: Progress, real: NonNullable<Transaction['real']>): Promise<string[]> {
  const answer: Answer = { status: Number(real.statusCode), headers: real.headers, body: real.body ?? '' }
  const faults = faultsOf(trial.exchange, answer)
  return faults.length > 0 || !check ? faults : check(answer).catch((error: Error) => [error.message])
}

interface Test {
  readonly origin: Transaction['origin']
  readonly message: string
  readonly actual?: object
}

/** Dredd's own verdicts, in order, each with what our hooks found. */
function collectOutcomes(emitter: EventEmitter, trials: Map<Transaction['origin'], Progress>): Outcome[] {
  const outcomes: Outcome[] = []
  const collect = (state: Outcome['state']) => (test: Test) => {
    const progress = trials.get(test.origin)
    if (!progress) return
    const { trial, faults } = progress
    const told = state === 'passed' || faults.length > 0 ? faults : [test.message.trim()]
    outcomes.push({ trial, state, arranged: test.actual !== undefined, faults: told })
  }
  emitter.on('test pass', collect('passed'))
  emitter.on('test fail', collect('failed'))
  emitter.on('test skip', collect('left out'))
  emitter.on('test error', (error: Error, test: Test) =>
    collect('failed')({ ...test, message: error.message }),
  )
  return outcomes
}
