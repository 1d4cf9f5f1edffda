/** Kinds of hostile requests, no two of a kind alike, so that whatever is remembered of them grows. */
import { connect, type Socket } from 'node:net'

export interface Kind {
  readonly name: string
  /** The request with this number. */
  readonly request: (number: number) => string
  /** The connection is closed before the request is whole. */
  readonly aborted?: true
}

const LANES = 16

function message(line: string, fields: Record<string, string | number> = {}, body = ''): string {
  const all = { Host: 'a', ...fields, ...(body !== '' && { 'Content-Length': Buffer.byteLength(body) }) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

const get = (path: string, fields = {}) => message(`GET ${path}`, fields)

const post = (body: unknown, fields = {}) =>
  message(
    'POST /todos',
    { 'Content-Type': 'application/json', ...fields },
    typeof body === 'string' ? body : JSON.stringify(body),
  )

const uuid = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`

const cursor = (number: number) => Buffer.from(JSON.stringify(['createdAt', number])).toString('base64url')

const fieldNames = (number: number) => Array.from({ length: 100 }, (_, index) => [`x${number}-${index}`, 1])

const kinds: Record<string, Kind['request']> = {
  'unknown paths': (n) => get(`/nothing/${n}`),
  'unknown todos': (n) => get(`/todos/${uuid(n)}`),
  'ids that are none': (n) => get(`/todos/${n}`),
  'bad percent-encodings': (n) => get(`/todos/%${n}%zz`),
  'unknown parameters': (n) => get(`/todos?x${n}=1`),
  'repeated parameters': (n) => get(`/todos?limit=1&limit=${n}`),
  'bad limits': (n) => get(`/todos?limit=-${n}`),
  'bad cursors': (n) => get(`/todos?cursor=${cursor(n)}`),
  'bad filters': (n) => get(`/todos?deadlineBefore=${n}&status=s${n}`),
  'bad JSON': (n) => post(`{"title":${n}`),
  'unknown fields': (n) => post({ title: 'a', [`x${n}`]: n }),
  'a hundred unknown fields': (n) => post(Object.fromEntries(fieldNames(n))),
  'huge numbers': (n) => post(`{"title":"a","order":${n}${'0'.repeat(300)}}`),
  'deep nesting': (n) => post('['.repeat(1_000 + (n % 10_000))),
  'wrong types': (n) => post({ title: n, description: [n], deadline: { n } }),
  'long titles': (n) => post({ title: `${n}${'x'.repeat(2_000)}` }),
  'names of prototypes': (n) => post(`{"__proto__":{"x${n}":1},"constructor":${n}}`),
  'distinct media types': (n) => post({}, { 'Content-Type': `application/x-${n}` }),
  'distinct parameters of a media type': (n) => post({}, { 'Content-Type': `application/json; x=${n}` }),
  'distinct content codings': (n) => post({}, { 'Content-Encoding': `x-${n}` }),
  'bytes that are no gzip': (n) => post(`${n}`, { 'Content-Encoding': 'gzip' }),
  'distinct origins': (n) => get('/health', { Origin: `https://${n}.example` }),
  preflights: (n) =>
    message(`OPTIONS /todos/${n}`, {
      Origin: `https://${n}.example`,
      'Access-Control-Request-Method': 'PUT',
      'Access-Control-Request-Headers': `x-${n}`,
    }),
  'distinct hosts': (n) => get('/todos?sort=-createdAt&limit=1', { Host: `${n}.example` }),
  'distinct request ids': (n) => get('/health', { 'X-Request-Id': `id-${n}`, traceparent: `00-${n}` }),
  'distinct idempotency keys': (n) => post({ title: 'a' }, { 'Idempotency-Key': `key-${n}` }),
  'one idempotency key': (n) => post({ title: `a${n}` }, { 'Idempotency-Key': 'key' }),
  'unknown methods': (n) => message(`${['TRACE', 'LOCK', 'HEAD', `X${n}`][n % 4]} /todos/${n}`),
  'entity tags': (n) =>
    get('/todos?sort=-createdAt&limit=1', { 'If-None-Match': `"${n}"`, 'If-Match': `W/"${n}"` }),
  expectations: (n) => post({ title: 1 }, { Expect: `x-${n}` }),
  'no HTTP': (n) => `GET /${n} HTTP/9.${n}\r\n\r\n`,
}

export const hostileKinds: readonly Kind[] = [
  ...Object.entries(kinds).map(([name, request]) => ({ name, request })),
  { name: 'aborted bodies', request: (n) => post(`{"title":"${n}"}`).slice(0, -2), aborted: true },
]

/** Sends a kind's requests with the numbers from `first` up to `end`, each after something was answered to the one before. */
export async function send(port: number, kind: Kind, first: number, end: number): Promise<void> {
  let next = first
  const lane = async () => {
    let socket: Socket | undefined
    for (let number = next++; number < end; number = next++) {
      if (!socket?.writable) socket = open(port)
      await exchange(socket, kind, number)
    }
    socket?.resetAndDestroy()
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

function open(port: number): Socket {
  return connect(port, '127.0.0.1').on('error', () => {})
}

/** Until an answer begins to arrive, which is whole as a rule, or the connection is closed. */
function exchange(socket: Socket, { request, aborted }: Kind, number: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.removeAllListeners('data').off('close', done)
      resolve()
    }
    const leave = () => socket.resetAndDestroy() // a close in order would use up the ports
    socket.once('close', done)
    socket.once('data', (answer) => {
      if (answer.includes('\r\nConnection: close')) leave()
      else done()
    })
    socket.write(request(number), () => {
      if (aborted) leave()
    })
  })
}
