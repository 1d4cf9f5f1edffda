import { gzipSync } from 'node:zlib'
import type { Random } from './random.js'
import type { Body, Draft } from './requests.js'

/** Gives a request something after which nothing is promised of its connection. */
type Flaw = (draft: Draft, random: Random) => Draft

/** In bytes; the service's own limits unless it is told others. */
const BODY_LIMIT = 102_400
const HEAD_LIMIT = 16_384

const withField = (draft: Draft, ...fields: string[]): Draft => ({
  ...draft,
  fields: [...draft.fields, ...fields],
  isSound: false,
})

/** Never understood, and so never answered under its own id. */
const refused = (draft: Draft, ...refusals: number[]): Draft => ({
  ...draft,
  isSound: false,
  statuses: [],
  refusals,
  mayContinue: false,
  creates: false,
})

const closing: Flaw = (draft) => withField(draft, 'Connection: close')

/** To a protocol that the service does not speak: Node's parser may drop what comes with the request. */
const upgrade: Flaw = (draft) => withField(draft, 'Connection: Upgrade', 'Upgrade: h2c')

/** Which knows no 100, and closes unless asked not to. */
const oldVersion: Flaw = (draft, random) => ({
  ...withField(draft, ...random.pick([[], ['Connection: keep-alive']])),
  version: 'HTTP/1.0',
  host: random.pick(['', draft.host]),
  mayContinue: false,
  // Chunks are younger than HTTP/1.0.
  statuses: [...draft.statuses, 400],
  refusals: [400],
})

const withoutExpect = (draft: Draft): Draft => ({
  ...draft,
  fields: draft.fields.filter((field) => !field.startsWith('Expect:')),
})

const strangeExpectation: Flaw = (draft, random) => ({
  ...withField(withoutExpect(draft), `Expect: ${random.pick(['x', '200-ok'])}`),
  version: random.pick(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0']),
  statuses: [417],
  mayContinue: false,
  creates: false,
})

/** Where nobody wants a body, too: then the answer comes without a 100, and it is unknown whether the body will come. */
const expectation: Flaw = (draft) => ({
  ...withField(withoutExpect(draft), 'Expect: 100-continue'),
  mayContinue: true,
})

const noHost: Flaw = (draft, random) => ({
  ...withField(draft),
  host: random.pick(['', 'Host: a\r\nHost: b', 'Host: a b', 'Host: a/b']),
  target: draft.path,
  statuses: [400],
  refusals: [400],
  mayContinue: false,
  creates: false,
})

const noHttp: Flaw = (draft, random) => {
  const bad = refused(draft, 400)
  const lengths = (...values: string[]) => withField({ ...bad, body: undefined }, ...values)
  return random.pick([
    () => ({ ...bad, prefix: random.pick(['nonsense\r\n\r\n', '\0', '}', '0\r\n\r\n', 'GET\r\n']) }),
    () => ({ ...bad, method: 'BREW' }),
    () => ({ ...bad, version: 'HTTP/1.9' }),
    () => ({ ...bad, target: 'nothing' }),
    () => withField(bad, random.pick(['X Y: 1', 'X: a\0b', ': a', 'X: a\r\n b'])),
    () => lengths('Content-Length: 2', 'Content-Length: 3'),
    () => lengths('Content-Length: 2', 'Transfer-Encoding: chunked'),
    () => lengths(`Content-Length: ${random.pick(['-1', 'two', '1e3'])}`),
  ])()
}

const connect: Flaw = (draft) => ({
  ...refused(draft, 405),
  method: 'CONNECT',
  target: 'todo.example.org:80',
  body: undefined,
})

const largeHead: Flaw = (draft, random) => {
  const filling = 'x'.repeat(HEAD_LIMIT + random.below(8_000))
  const large = refused(draft, 414, 431)
  return random.percent(50)
    ? withField(large, `Filling: ${filling}`)
    : { ...large, target: `/todos?cursor=${filling}` }
}

const withJson = (draft: Draft, body: Omit<Body, 'fields' | 'isWanted'>, coding: string[] = []): Draft => ({
  ...withField(draft),
  method: 'POST',
  path: '/todos',
  target: '/todos',
  body: { ...body, isWanted: true, fields: ['Content-Type: application/json', ...coding] },
  creates: false,
})

/** Too large as announced, as counted in chunks, or when decompressed. */
const largeBody: Flaw = (draft, random) => {
  const content = Buffer.alloc(BODY_LIMIT + 1 + random.below(50_000), 'x')
  const announced = { content, framing: [`Content-Length: ${content.length}`], framed: content }
  const sent = content.subarray(0, random.below(2_000))
  const huge = [`Content-Length: ${random.pick([content.length, 4e9, 99_999_999_999])}`]
  const chunk = Buffer.concat([
    Buffer.from(`${content.length.toString(16)}\r\n`),
    content,
    Buffer.from('\r\n0\r\n\r\n'),
  ])
  const bomb = gzipSync(content)
  const large = { ...draft, statuses: [413] }
  return random.pick([
    () => withJson(large, announced),
    () => ({ ...withJson(large, { content, framing: huge, framed: sent }), refusals: [408], isShort: true }),
    () => withJson(large, { content, framing: ['Transfer-Encoding: chunked'], framed: chunk }),
    () =>
      withJson(large, { content: bomb, framing: [`Content-Length: ${bomb.length}`], framed: bomb }, [
        'Content-Encoding: gzip',
      ]),
  ])()
}

const brokenChunks: Flaw = (draft, random) => {
  const framed = Buffer.from(random.pick(['zz\r\n', '2\r\n{}}\r\n', '-1\r\n', '5\r\n{"titl\n']))
  const broken = { ...draft, statuses: [400], refusals: [400] }
  return withJson(broken, { content: framed, framing: ['Transfer-Encoding: chunked'], framed })
}

const strangeCoding: Flaw = (draft, random) => {
  const framing = [`Transfer-Encoding: ${random.pick(['gzip, chunked', 'x, Chunked'])}`]
  return withJson(
    { ...draft, statuses: [400] },
    { content: Buffer.from('{}'), framing, framed: Buffer.from('2\r\n{}\r\n0\r\n\r\n') },
  )
}

/** The client announces more than it sends. */
const half: Flaw = (draft) => {
  const content = Buffer.from(`{"title":"${draft.id}"}`)
  const framing = [`Content-Length: ${content.length * 2}`]
  const late = { ...draft, statuses: [400, 408], refusals: [408], isShort: true }
  return withJson(late, { content, framing, framed: content })
}

/** One a name; what stands there twice comes twice as often. */
export const flaws: readonly Flaw[] = [
  closing,
  closing,
  upgrade,
  oldVersion,
  strangeExpectation,
  strangeExpectation,
  expectation,
  expectation,
  noHost,
  noHttp,
  noHttp,
  connect,
  largeHead,
  largeBody,
  brokenChunks,
  strangeCoding,
  half,
]
