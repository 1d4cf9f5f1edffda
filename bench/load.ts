import { createHistogram } from 'node:perf_hooks'
import { Client } from 'undici'

export interface Request {
  readonly method: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
}

/** A request, and what its answer must be like: gives what is wrong with it. */
export interface Exchange {
  readonly request: Request
  readonly check: (answer: Answer) => string | undefined
}

export interface Load {
  readonly answers: number
  readonly seconds: number
  /** Milliseconds within which half, and 99 of 100, of the answers came. */
  readonly p50: number
  readonly p99: number
}

/** As many clients as wait for an answer at the same time. */
const CONNECTIONS = 32

/**
 * Sends one request after the other on each of 32 connections.
 *
 * @param milliseconds for how long new ones are begun
 * @throws at the first answer that is wrong
 */
export async function load(url: string, milliseconds: number, next: () => Exchange): Promise<Load> {
  const histogram = createHistogram()
  const clients = Array.from({ length: CONNECTIONS }, () => new Client(url, { pipelining: 1 }))
  const start = performance.now()
  const end = start + milliseconds
  await Promise.all(
    clients.map(async (client) => {
      for (let now = start; now < end; ) {
        const { request, check } = next()
        const answer = await send(client, request)
        const fault = check(answer)
        if (fault)
          throw new Error(`${url} ${request.method} ${request.path}: ${fault}; it answered ${show(answer)}`)
        const then = now
        now = performance.now()
        histogram.record(Math.max(1, Math.round((now - then) * 1e6)))
      }
    }),
  )
  const seconds = (performance.now() - start) / 1_000
  await Promise.all(clients.map((client) => client.close()))
  const [p50 = 0, p99 = 0] = [50, 99].map((percentile) => histogram.percentile(percentile) / 1e6)
  return { answers: Number(histogram.count), seconds, p50, p99 }
}

/** One request on a connection of its own. */
export async function ask(url: string, request: Request): Promise<Answer> {
  const client = new Client(url)
  try {
    return await send(client, request)
  } finally {
    await client.close()
  }
}

export const show = ({ status, text }: Answer) => `${status} ${text.slice(0, 500)}`

function send(client: Client, { method, path, headers = {}, body }: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let answer: Omit<Answer, 'text'> = { status: 0, headers: {} }
    client.dispatch(
      { method: method as 'GET', path, headers, ...(body !== undefined && { body }) },
      {
        onRequestStart() {},
        onResponseStart(_controller, status, received) {
          answer = { status, headers: received }
        },
        onResponseData: (_controller, chunk) => void chunks.push(chunk),
        onResponseEnd: () => resolve({ ...answer, text: textOf(chunks) }),
        onResponseError: (_controller, error) => reject(error),
      },
    )
  })
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks
  return chunks.length === 1 && first ? first.toString() : Buffer.concat(chunks).toString()
}
