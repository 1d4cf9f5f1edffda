import { gzipSync } from 'node:zlib'
import { flaws } from './flaws.js'
import type { Random } from './random.js'

/** One request as bytes, and what may be answered to it. */
export interface FuzzRequest {
  /** Its `X-Request-Id`, which its answer must show. */
  readonly id: string
  readonly method: string
  /** Without scheme and host. */
  readonly path: string
  readonly bytes: Buffer
  /** What the service may answer under the request's id; none where the request cannot be understood. */
  readonly statuses: readonly number[]
  /** What may be answered as well, also under an id of the service's own where the head was not understood. */
  readonly refusals: readonly number[]
  /** Whether it must be answered, and the connection can be used afterwards. */
  readonly isSound: boolean
  /** Whether `100 Continue` may come before the answer. */
  readonly mayContinue: boolean
  /** Whether it creates a todo, whose title is the id. */
  readonly creates: boolean
  /** Whether the service waits for more of it than its bytes: nothing can follow. */
  readonly isShort: boolean
}

/** A request before it is written down: flaws change it. */
export interface Draft extends Omit<FuzzRequest, 'bytes'> {
  readonly target: string
  readonly version: string
  readonly host: string
  /** Field lines beside Host, X-Request-Id and those of the body. */
  readonly fields: readonly string[]
  readonly body: Body | undefined
  /** What comes before the request line. */
  readonly prefix: string
}

export interface Body {
  readonly content: Buffer
  /** Whether the service takes it so far that it asks for it with `100 Continue`. */
  readonly isWanted: boolean
  /** Field lines that say what it is. */
  readonly fields: readonly string[]
  /** Field lines that say where it ends, and the content as they mean it. */
  readonly framing: readonly string[]
  readonly framed: Buffer
}

/** Todos that are there when a round begins. No request touches those that the connections create. */
export const KNOWN_TODOS = Array.from(
  { length: 8 },
  (_, index) => `01932c07-209c-7d4c-9d3e-00000000000${index}`,
)
const UNKNOWN_TODO = '01932c07-209c-7d4c-9d3e-0000000000ff'

/**
 * Makes a request.
 *
 * @param flawed whether it gets one of the flaws: something after which the service may or must close the connection
 */
export function makeRequest(random: Random, id: string, flawed: boolean): FuzzRequest {
  const draft = random.pick([read, read, write, write, write, other])(random, id)
  return written(flawed ? random.pick(flaws)(dressed(draft, random), random) : dressed(draft, random))
}

/** A request that is answered with 200 whatever happened before. */
export const makeProbe = (id: string) => written(draftOf(id, 'GET', '/health', [200]))

function draftOf(id: string, method: string, path: string, statuses: readonly number[]): Draft {
  const promises = { refusals: [], isSound: true, mayContinue: false, creates: false, isShort: false }
  const parts = { target: path, version: 'HTTP/1.1', host: 'Host: todo.example.org', fields: [], prefix: '' }
  return { id, method, path, statuses, body: undefined, ...promises, ...parts }
}

function read(random: Random, id: string): Draft {
  const [path, status] = random.pick(random.percent(4) ? LARGE_PAGES : PAGES)
  const isKnown = status === 200 && path.startsWith('/todos/')
  const draft = draftOf(id, random.pick(['GET', 'GET', 'HEAD']), path, isKnown ? [200, 404] : [status])
  if (isKnown && random.percent(30)) return { ...draft, fields: ['If-None-Match: *'], statuses: [304, 404] }
  // Nobody asks for it, and it must not be taken for the next request.
  return random.percent(10) ? { ...draft, body: bodyOf(Buffer.from('GET / HTTP/1.1'), random) } : draft
}

const PAGES: readonly (readonly [path: string, status: number])[] = [
  ['/health', 200],
  ['/health', 200],
  ['/health/ready', 200],
  ['/todos?limit=3', 200],
  ['/todos?limit=none', 400],
  ...KNOWN_TODOS.map((known) => [`/todos/${known}`, 200] as const),
  [`/todos/${UNKNOWN_TODO}`, 404],
  ['/todos/nonsense', 400],
  ['/nothing', 404],
]

const LARGE_PAGES: typeof PAGES = [
  ['/docs', 200],
  ['/openapi.json', 200],
]

/** Methods without a body that is looked at. */
function other(random: Random, id: string): Draft {
  const path = random.pick(['/todos', '/health', `/todos/${UNKNOWN_TODO}`, '/nothing'])
  const refusal = path === '/nothing' ? 404 : 405
  return random.pick([
    () => draftOf(id, 'OPTIONS', path, [204]),
    () => draftOf(id, random.pick(['TRACE', 'PROPFIND']), path, [refusal]),
    () => draftOf(id, 'DELETE', '/todos?completed=true', [204]),
    () => draftOf(id, 'DELETE', '/todos?completed=maybe', [400]),
    () => draftOf(id, 'DELETE', `/todos/${random.pick([...KNOWN_TODOS, UNKNOWN_TODO])}`, [204, 404]),
  ])()
}

/** A request whose body the service reads, or would if it were of the right kind. */
function write(random: Random, id: string): Draft {
  const method = random.pick(['POST', 'POST', 'POST', 'PUT', 'PATCH'])
  const path = method === 'POST' ? '/todos' : `/todos/${random.pick([...KNOWN_TODOS, UNKNOWN_TODO])}`
  const good = {
    text: `{"title":"${id}"}`,
    statuses: method === 'POST' ? [201] : [200, 404],
    creates: method === 'POST',
  }
  const bad = (text: string) => ({ text, statuses: [400], creates: false })
  const content = random.pick([
    good,
    good,
    good,
    bad('{"title":'),
    bad('{"colour":"green"}'),
    bad('GET / HTTP/1.1\r\n\r\n'),
  ])
  const draft = { ...draftOf(id, method, path, content.statuses), creates: content.creates }
  const bytes = Buffer.from(content.text)
  const refused = (statuses: readonly number[], body: Body) => ({ ...draft, statuses, creates: false, body })
  const json = 'Content-Type: application/json'
  const as = (fields: string[], sent = bytes, isWanted = true) => bodyOf(sent, random, fields, isWanted)
  return random.pick([
    () => ({ ...draft, body: as([json]) }),
    () => ({ ...draft, body: as([json]) }),
    () => ({ ...draft, body: as([json, 'Content-Encoding: gzip'], gzipSync(bytes)) }),
    () => refused([400], as([json, 'Content-Encoding: gzip'], bytes)),
    () => refused([400], as([json, 'Content-Encoding: gzip'], gzipSync(bytes).subarray(0, -9))),
    () => refused([415], as([json, 'Content-Encoding: zip'], bytes, false)),
    () => refused([415], as(['Content-Type: text/plain'], bytes, false)),
    () => ({ ...refused([400], as([json], bytes)), body: undefined }),
  ])()
}

function bodyOf(content: Buffer, random: Random, fields: readonly string[] = [], isWanted = false): Body {
  const plain = { framing: [`Content-Length: ${content.length}`], framed: content }
  const chunked = { framing: ['Transfer-Encoding: chunked'], framed: inChunks(content, random) }
  return { content, isWanted, fields, ...(random.percent(30) ? chunked : plain) }
}

/** Chunks of every size, some with an extension, perhaps with a trailer. */
function inChunks(content: Buffer, random: Random): Buffer {
  const parts: (Buffer | string)[] = []
  for (let start = 0; start < content.length; ) {
    const chunk = content.subarray(start, start + 1 + random.below(random.pick([1, 10, content.length])))
    const extension = random.percent(10) ? ';a=b' : ''
    parts.push(`${chunk.length.toString(16)}${extension}\r\n`, chunk, '\r\n')
    start += chunk.length
  }
  parts.push(random.percent(10) ? '0\r\nTrailer: a\r\n\r\n' : '0\r\n\r\n')
  return Buffer.concat(parts.map((part) => Buffer.from(part)))
}

/** The same in other words: what a client may say of a request without any change of its meaning. */
function dressed(draft: Draft, random: Random): Draft {
  const fields = [...draft.fields]
  if (random.percent(10)) fields.push('Connection: keep-alive')
  if (random.percent(20)) fields.push(`Padding: ${'x'.repeat(random.below(300))}`)
  const mayContinue = draft.body?.isWanted === true && random.percent(30)
  if (mayContinue) fields.push('Expect: 100-continue')
  const target = random.percent(10) ? `http://todo.example.org${draft.path}` : draft.path
  return { ...draft, fields, mayContinue, target, prefix: random.percent(5) ? '\r\n\r\n' : '' }
}

function written(draft: Draft): FuzzRequest {
  const { prefix, method, target, version, host, id, fields, body } = draft
  const said = [host, `X-Request-Id: ${id}`, ...fields, ...(body?.fields ?? []), ...(body?.framing ?? [])]
  const head = [`${prefix}${method} ${target} ${version}`, ...said.filter((line) => line !== '')].join('\r\n')
  const bytes = Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), body?.framed ?? Buffer.alloc(0)])
  const { path, statuses, refusals, isSound, mayContinue, creates, isShort } = draft
  return { id, method, path, bytes, statuses, refusals, isSound, mayContinue, creates, isShort }
}
