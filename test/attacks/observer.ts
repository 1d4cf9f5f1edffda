/**
 * A process that observes a service from outside, so that neither attackers nor the reader of the log delay it. A
 * message of its parent begins a period; the answer is what was found in the one before.
 */
import assert from 'node:assert/strict'
import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Client, createClient } from '../support/client.js'
import { residentMemory } from './memory.js'

/** The service to observe from now on. */
export interface Period {
  readonly url: string
  readonly processId: number
}

export interface Findings {
  /** MB: one for each 100 ms. */
  readonly resident: number[]
  /** Milliseconds of each answer of GET /health on a new connection. */
  readonly health: number[]
  /** How often a client created, read, listed, changed and deleted a todo on one connection, all answers being right. */
  readonly rounds: number
  /** What went wrong with /health or the client. */
  readonly faults: string[]
}

/** Milliseconds between two of each, and after which an answer is not waited for any more. */
const RESIDENT_EVERY = 100
const HEALTH_EVERY = 200
const ROUND_EVERY = 200
const PATIENCE = 10_000
const ROUND_PATIENCE = 30_000

/** What an ordinary client does: five requests, each of whose answers is right. */
export async function ordinaryRound(client: Client, title: string): Promise<void> {
  const created = await served(() => client.post({ title }))
  assert.equal(created.status, 201, created.text)
  const { todo } = created
  assert.deepEqual((await served(() => client.get(todo.url))).todo, todo)
  assert.equal((await served(() => client.get('/todos?sort=-createdAt&limit=20'))).todos.length, 20)
  const changed = await served(() => client.patch(todo.url, { title: `${title}!` }))
  assert.equal(changed.todo.title, `${title}!`)
  assert.equal((await served(() => client.delete(todo.url))).status, 204)
}

/** Sends a request again after a 503, as its Retry-After asks for; the last answer may be one. */
async function served(send: () => Promise<Answer>, triesLeft = 10): Promise<Answer> {
  const answer = await send()
  if (answer.status !== 503 || triesLeft === 0) return answer
  await delay(Number(answer.headers['retry-after']) * 1_000)
  return served(send, triesLeft - 1)
}

/** Observes until the signal, and then for as long as what is under way takes. */
async function observe({ url, processId }: Period, end: AbortSignal): Promise<Findings> {
  const findings = { resident: [] as number[], health: [] as number[], rounds: 0, faults: [] as string[] }
  const client = createClient(url)
  const note = (what: string) => (error: Error) => void findings.faults.push(`${what}: ${error.message}`)
  const round = async () => {
    await inTime(ordinaryRound(client, 'Water the plants'))
    findings.rounds += 1
  }
  await Promise.all([
    every(RESIDENT_EVERY, end, async () => void findings.resident.push(await residentMemory(processId))),
    every(HEALTH_EVERY, end, () =>
      health(url).then((time) => void findings.health.push(time), note('/health')),
    ),
    (async () => {
      while (!end.aborted) {
        await round().catch(note('client'))
        await delay(ROUND_EVERY)
      }
    })(),
  ])
  client.close()
  return findings
}

/** Starts work at regular intervals, whether that before has ended or not. */
async function every(interval: number, end: AbortSignal, work: () => Promise<void>): Promise<void> {
  const started: Promise<void>[] = []
  while (!end.aborted) {
    started.push(work())
    await delay(interval)
  }
  await Promise.all(started)
}

/** Milliseconds that GET /health took on a new connection. */
function health(url: string): Promise<number> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const sent = get(`${url}/health`, { agent: false, timeout: PATIENCE }, (response) => {
      response.resume().once('error', reject)
      response.once('end', () =>
        response.statusCode === 200
          ? resolve(performance.now() - start)
          : reject(new Error(`answered with ${response.statusCode}`)),
      )
    })
    sent.once('error', reject).once('timeout', () => sent.destroy(new Error('no answer')))
  })
}

async function inTime(work: Promise<void>): Promise<void> {
  const late = new AbortController()
  const tooLate = delay(ROUND_PATIENCE, undefined, late).then(() => Promise.reject(new Error('no answer')))
  try {
    await Promise.race([work, tooLate])
  } finally {
    late.abort()
  }
}

let end = new AbortController()
let found: Promise<Findings> | undefined

process.on('message', async (period: Period) => {
  end.abort()
  process.send?.((await found) ?? {})
  end = new AbortController()
  found = observe(period, end.signal)
})
process.once('disconnect', () => process.exit())
