/** What each connection of an attack sends, and how it reads the answers. */
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'

export interface Recipe {
  readonly name: string
  /** How many connections do it: in the short form, where a family's recipes run side by side, and in the long one. */
  readonly connections: readonly [short: number, long: number]
  /** Sent at once. */
  readonly bytes: Buffer
  /** Sent on and on after that, for as long as the service takes it. */
  readonly endless?: Buffer
  /** Milliseconds after which the client goes, and another comes at once. */
  readonly lasts?: number
  /** `slowly` is 1 kB a second. */
  readonly reads: 'nothing' | 'slowly' | 'everything'
}

export interface Family {
  readonly name: string
  readonly recipes: readonly Recipe[]
}

type Head = Record<string, string | number>

const head = (line: string, fields: Head = {}) =>
  `${[`${line} HTTP/1.1`, 'Host: a', ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`

const create = (fields: Head) => head('POST /todos', { 'Content-Type': 'application/json', ...fields })

const CHUNKED = { 'Transfer-Encoding': 'chunked' }

/** 2.5 MB: the hundred todos that attacks.test.ts makes first. */
const bigPage = head('GET /todos?limit=100')

const bytes = (...parts: (string | Buffer)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)))

/** A chunked body in one chunk that is followed by nothing, not even the last chunk. */
const chunk = (content: Buffer) => bytes(`${content.length.toString(16)}\r\n`, content, '\r\n')

/** They reach a service that is busy before their client has gone. */
const someChunks = '1\r\n \r\n'.repeat(3_600)
const oneByteChunks = '1\r\n \r\n'.repeat(90_000)

const json = Buffer.from(JSON.stringify({ title: 'a', description: 'Water the plants. '.repeat(200) }))

const compressed = { gzip: gzipSync(json), br: brotliCompressSync(json), deflate: deflateSync(json) }

/** 50 MB of blanks, in a whole request. */
const bomb = gzipSync(Buffer.alloc(50_000_000, ' '))
/** 16 MB of blanks in 14 bytes, of which a decoder makes as many at once as its window has. */
const brotliBombs = [22, 24].map((window) =>
  brotliCompressSync(Buffer.alloc(16_000_000, ' '), {
    params: { [constants.BROTLI_PARAM_LGWIN]: window, [constants.BROTLI_PARAM_SIZE_HINT]: 16_000_000 },
  }),
)

/** Within BODY_LIMIT; to parse it takes 5 milliseconds. */
const nested = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`

const lastChunk = `${create(CHUNKED)}2\r\n{}\r\n0\r\n`

const unfinished = (line: string) => head(line).slice(0, -2)

const longField = `X-Long: ${'x'.repeat(15_000)}`
const tinyFields = 'a:\r\n'.repeat(3_700)

const manyFields = `${unfinished('GET /health')}${'a:\r\n'.repeat(4_000)}\r\n`
const tooManyFields = `${unfinished('GET /health')}${'a:\r\n'.repeat(16_000)}\r\n`

const largest = 102_400

export const families: readonly Family[] = [
  {
    name: 'pipelined pages of 2.5 MB, unread',
    recipes: [
      recipe('150 in one write, on one connection', [1, 1], 'nothing', bigPage.repeat(150)),
      recipe('150 in one write, on 20 connections', [20, 20], 'nothing', bigPage.repeat(150)),
    ],
  },
  {
    name: 'pages of 2.5 MB that are hardly read',
    recipes: [
      recipe('not at all', [50, 300], 'nothing', bigPage.repeat(4)),
      recipe('1 kB a second', [50, 300], 'slowly', bigPage.repeat(4)),
    ],
  },
  {
    name: 'unfinished bodies in chunks of one byte',
    recipes: [
      recipe('90,000 chunks', [20, 150], 'everything', create(CHUNKED), oneByteChunks),
      recipe('behind a slow request', [10, 150], 'nothing', bigPage, create(CHUNKED), oneByteChunks),
      recipe('of a GET', [10, 150], 'everything', head('GET /todos', CHUNKED), oneByteChunks),
    ],
  },
  {
    name: 'chunks of one byte, of clients that come and go',
    recipes: [
      { ...recipe('250 a second', [20, 20], 'everything', create(CHUNKED), someChunks), lasts: 80 },
      {
        ...recipe(
          'behind a whole GET',
          [5, 20],
          'everything',
          head('GET /health'),
          create(CHUNKED),
          someChunks,
        ),
        lasts: 80,
      },
    ],
  },
  {
    name: 'compressed bodies',
    recipes: [
      ...(['gzip', 'br', 'deflate'] as const).map((coding) =>
        recipe(
          `unfinished ${coding}`,
          [500, 4_000],
          'everything',
          create({ ...CHUNKED, 'Content-Encoding': coding }),
          chunk(compressed[coding].subarray(0, -10)),
        ),
      ),
      recipe(
        'a gzip bomb',
        [20, 200],
        'everything',
        create({ 'Content-Length': bomb.length, 'Content-Encoding': 'gzip' }),
        bomb,
      ),
      ...brotliBombs.map((bomb) =>
        recipe(
          'a brotli bomb, again and again',
          [10, 40],
          'everything',
          ...Array<Buffer>(100).fill(
            bytes(create({ 'Content-Length': bomb.length, 'Content-Encoding': 'br' }), bomb),
          ),
        ),
      ),
    ],
  },
  {
    name: 'bodies that take long to read',
    recipes: [
      recipe(
        'nested arrays',
        [20, 100],
        'everything',
        `${create({ 'Content-Length': nested.length })}${nested}`.repeat(20),
      ),
    ],
  },
  {
    name: '15 kB of unfinished headers',
    recipes: [
      recipe('one long field', [700, 6_000], 'everything', unfinished('GET /todos'), longField),
      recipe('many tiny fields', [700, 6_000], 'everything', unfinished('GET /todos'), tinyFields),
      recipe(
        'behind a whole GET',
        [600, 6_000],
        'everything',
        head('GET /health'),
        unfinished('GET /todos'),
        longField,
      ),
    ],
  },
  {
    name: 'what is unfinished behind a head',
    recipes: [
      recipe('one long trailer', [300, 6_000], 'everything', lastChunk, longField),
      recipe('many tiny trailers', [300, 6_000], 'everything', lastChunk, tinyFields),
      recipe(
        'whole, before a body that does not come',
        [300, 6_000],
        'everything',
        create({ 'Content-Length': 2, 'X-Long': 'x'.repeat(15_000) }),
      ),
      recipe(
        'tiny chunks behind a page, and an expectation',
        [10, 150],
        'nothing',
        bigPage,
        create({ ...CHUNKED, Expect: '100-continue' }),
        oneByteChunks,
      ),
    ],
  },
  {
    name: '64 kB of pipelined requests, unread',
    recipes: [
      recipe('of 28 bytes', [50, 100], 'nothing', filled(head('GET /'))),
      recipe('of HTTP/1.0', [10, 100], 'nothing', filled('GET / HTTP/1.0\r\n\r\n')),
      recipe('for pages', [40, 100], 'nothing', filled(head('GET /todos'))),
    ],
  },
  {
    name: 'requests of thousands of header fields',
    recipes: [
      {
        ...recipe('eight at a time', [50, 100], 'everything', manyFields.repeat(8)),
        endless: bytes(manyFields),
      },
      { ...recipe('too many', [20, 50], 'everything', tooManyFields), endless: bytes(tooManyFields) },
    ],
  },
  {
    name: 'bodies of 100 kB but for the last byte',
    recipes: [
      recipe(
        'with Content-Length',
        [200, 1_000],
        'everything',
        create({ 'Content-Length': largest }),
        ' '.repeat(largest - 1),
      ),
      recipe('chunked', [200, 1_000], 'everything', create(CHUNKED), chunk(Buffer.alloc(largest - 1, ' '))),
    ],
  },
  {
    name: 'what goes on behind the last answer',
    recipes: [
      endless(
        'requests behind Connection: close',
        head('GET /health', { Connection: 'close' }),
        filled(bigPage),
      ),
      endless(
        'large heads behind an expectation that cannot be met',
        head('GET /health', { Expect: 'x' }),
        filled(head('GET /health', { 'X-Long': 'x'.repeat(15_000) })),
      ),
      endless('a body behind a 413', create({ 'Content-Length': 1e9 }), Buffer.alloc(65_536, ' ')),
      endless('a body behind a 404', head('POST /nope', CHUNKED), chunk(Buffer.alloc(65_536, ' '))),
    ],
  },
]

function recipe(
  name: string,
  connections: Recipe['connections'],
  reads: Recipe['reads'],
  ...parts: (string | Buffer)[]
): Recipe {
  return { name, connections, reads, bytes: bytes(...parts) }
}

function endless(name: string, request: string, more: Buffer): Recipe {
  return { ...recipe(name, [7, 20], 'everything', request), endless: more }
}

function filled(request: string): Buffer {
  return Buffer.from(request.repeat(Math.floor(65_536 / request.length)))
}
