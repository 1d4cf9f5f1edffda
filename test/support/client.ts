import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { NewTodo, Problem, Todo } from '../../generated/contract.js'
import { checkAnswer, type ReceivedAnswer } from './answers.js'
import { type Service, type Settings, startService } from './service.js'

/** An answer that agrees with openapi.yaml. */
export class Answer implements ReceivedAnswer {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string

  constructor({ method, path, status, headers, text }: ReceivedAnswer) {
    this.method = method
    this.path = path
    this.status = status
    this.headers = headers
    this.text = text
    checkAnswer(this)
  }

  /** The one todo in it; fails when there is none. */
  get todo(): Todo {
    assert.ok(this.status === 200 || this.status === 201, this.text)
    return JSON.parse(this.text)
  }

  /** The todos of a page; fails when it is none. */
  get todos(): Todo[] {
    assert.equal(this.status, 200, this.text)
    return JSON.parse(this.text)
  }

  get problem(): Problem {
    assert.ok(this.status >= 400, `${this.method} ${this.path} -> ${this.status} is no error`)
    return JSON.parse(this.text)
  }

  /** Where it says that the faults are: pointers into the body, names of parameters and headers. */
  get places(): string[] {
    return (this.problem.errors ?? []).map(
      ({ pointer, parameter, header }) => pointer ?? parameter ?? header ?? '',
    )
  }

  get etag(): string {
    return String(this.headers.etag)
  }

  /** The address of the next page, if there is one. */
  get next(): string | undefined {
    return /^<([^>]+)>; rel="next"$/.exec(String(this.headers.link ?? ''))?.[1]
  }
}

/** Milliseconds for the answers to bytes: an order of magnitude more than the limits that tests set the service. */
const RAW_PATIENCE = 20_000

export interface RequestOptions {
  readonly headers?: OutgoingHttpHeaders
  /** Text and bytes are sent as they are, everything else as JSON. */
  readonly body?: unknown
}

export type Client = ReturnType<typeof createClient>

/** Starts a service for the test file, and a client for it. */
export async function serve(settings: Settings = {}): Promise<{ service: Service; client: Client }> {
  const service = await startService(settings)
  return { service, client: createClient(service.url) }
}

/**
 * An HTTP client for tests that checks every answer against the contract. Unlike `fetch` it sends what it is told:
 * any `Host`, a body with GET, bytes that are no HTTP.
 */
export function createClient(url: string) {
  const { hostname, port } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: 50 })

  /** @param address a path, or an absolute address of which path and query are used */
  async function send(method: string, address: string, options: RequestOptions = {}): Promise<Answer> {
    const path = address.replace(/^https?:\/\/[^/]+/, '')
    const body = bodyOf(options.body)
    const headers = { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...options.headers }
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
    const sent = httpRequest({ hostname, port, agent, method, path, headers: { ...length, ...headers } })
    sent.end(body)
    const [response] = await once(sent, 'response')
    const text = await readText(response)
    return new Answer({ method, path, status: response.statusCode, headers: response.headers, text })
  }

  return {
    send,
    get: (address: string, headers: OutgoingHttpHeaders = {}) => send('GET', address, { headers }),
    post: (body: unknown, headers: OutgoingHttpHeaders = {}) => send('POST', '/todos', { body, headers }),
    put: (address: string, body: unknown, headers: OutgoingHttpHeaders = {}) =>
      send('PUT', address, { body, headers }),
    patch: (address: string, body: unknown, headers: OutgoingHttpHeaders = {}) =>
      send('PATCH', address, { body, headers }),
    delete: (address: string, headers: OutgoingHttpHeaders = {}) => send('DELETE', address, { headers }),

    /** Creates a todo, which must succeed. */
    async create(content: Partial<NewTodo> = {}, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
      const answer = await send('POST', '/todos', {
        body: { title: 'Water the plants', ...content },
        headers,
      })
      assert.equal(answer.status, 201, answer.text)
      return answer
    },

    /** Follows the links from the first page to the last. */
    async pages(address: string): Promise<Todo[][]> {
      const pages: Todo[][] = []
      for (let next: string | undefined = address; next !== undefined; ) {
        const answer: Answer = await send('GET', next)
        pages.push(answer.todos)
        next = answer.next
      }
      return pages
    },

    /**
     * Writes bytes to a connection and reads the answers to them, until there are as many as requests or the service
     * closes the connection. Fails when neither happens within RAW_PATIENCE.
     *
     * @param bytes one element for each write; the next is written when the service has had time to read the one before
     * @param requests method and path of each request in the bytes, to find what the contract says of its answer
     */
    async raw(
      bytes: string | Buffer | readonly (string | Buffer)[],
      ...requests: [method: string, path: string][]
    ) {
      const socket = connect(Number(port), hostname)
      let received = Buffer.alloc(0)
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk])
        if (parseAnswers(received, requests).length === requests.length) socket.end()
      })
      const [first = '', ...rest] = [bytes].flat()
      socket.write(first)
      for (const part of rest) {
        await delay(20)
        socket.write(part)
      }
      if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(RAW_PATIENCE) })
      return parseAnswers(received, requests).map((answer) => new Answer(answer))
    },

    /** Closes the connections that are kept open between requests. */
    close: () => agent.destroy(),
  }
}

function bodyOf(body: unknown): string | Buffer | undefined {
  return body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
}

/** All answers that have arrived whole. */
function parseAnswers(bytes: Buffer, requests: [method: string, path: string][]): ReceivedAnswer[] {
  const answers: ReceivedAnswer[] = []
  let rest = bytes
  for (const [method, path] of requests) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) break
    const [statusLine = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n')
    const headers: IncomingHttpHeaders = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 2),
      ]),
    )
    const length = method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0)
    const text = rest.subarray(end + 4, end + 4 + length)
    if (text.length < length) break
    answers.push({ method, path, status: Number(statusLine.split(' ')[1]), headers, text: text.toString() })
    rest = rest.subarray(end + 4 + length)
  }
  return answers
}
