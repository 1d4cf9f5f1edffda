import type { IncomingMessage } from 'node:http'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { parse as parseContentType } from 'content-type'
import type { Request, RequestHandler, Response } from 'express'
import { connectionOf } from './connections.js'
import { exchangeOf } from './exchange.js'
import { inTurn } from './fair-turns.js'
import { badRequest, ProblemError } from './problems.js'
import { hasBody } from './protocol.js'

export interface BodyLimits {
  /** The largest body in bytes, as sent and after decompression; beyond it the answer is 413. */
  readonly bodyLimit: number
  /** In how many small chunks a body may come; beyond it the answer is 413. */
  readonly chunkLimit: number
}

/** Bytes from which reading a body may take milliseconds: 50,000 nested arrays take 5. */
const LARGE_BODY = 8_192

type Decoder = (bytes: Buffer, options: { maxOutputLength: number }) => Buffer

/**
 * What undoes each content coding (RFC 9110, section 8.4.1). In the thread of the event loop: in others many would hold
 * their memory at a time, and malloc would keep it for each of these threads.
 */
const DECODERS = new Map<string, Decoder>([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['deflate', inflateSync],
  ['br', decodeBrotli],
])

/** The logarithm of the largest window of a brotli stream: 4 MB, which encoders use unless they are told otherwise. */
const LARGEST_WINDOW = 22

/**
 * Receives a body as bytes into `request.body` when the operation takes one of the request's media type, and reduces
 * `Content-Type` to its bare media type: the validator keeps a compiled schema for each value it has ever seen. A body
 * that the operation ignores must arrive whole as well: what is refused for its end must have had no effect.
 *
 * By itself, because body-parser costs a sixth of a whole create, and answers a body that is too large only when all of
 * it has come.
 */
export function bodyReceiver(limits: BodyLimits): RequestHandler {
  return (request, response, next) => {
    const bodies = bodiesOf(response)
    const isTaken = bodies.size > 0
    if (!isTaken || !hasBody(request)) delete request.headers['content-type']
    if (!hasBody(request)) {
      if (isTaken) throw bodyRequired()
      return next()
    }
    if (isTaken) {
      request.headers['content-type'] = mediaType(request.headers['content-type'])
      if (!bodies.has(request.headers['content-type'])) {
        connectionOf(request.socket)?.discard(request)
        return next() // the validator refuses it
      }
      decoderOf(request)
    }
    // Known beforehand, so nobody needs to send it; what is chunked is measured while it comes.
    if (Number(request.headers['content-length']) > limits.bodyLimit) throw tooLarge(limits.bodyLimit)
    const body = gatherBody(request, limits)
    if (request.headers.expect !== undefined) {
      response.writeContinue()
      delete request.headers.expect // from now on the body is on its way
    }
    return body.then((bytes) => {
      if (isTaken) request.body = bytes
      next()
    })
  }
}

/** Turns the bytes of a body into what they say. */
export function bodyParser({ bodyLimit: limit }: BodyLimits): RequestHandler {
  return (request, _response, next) => {
    if (!Buffer.isBuffer(request.body)) return next()
    const bytes = request.body
    const decoder = decoderOf(request)
    const goOn = () => {
      request.body = parse(decoder ? decode(decoder, bytes, limit) : bytes)
      next()
    }
    return decoder || bytes.length >= LARGE_BODY ? inTurn(goOn) : goOn()
  }
}

function decode(decoder: Decoder, bytes: Buffer, maxOutputLength: number): Buffer {
  try {
    return decoder(bytes, { maxOutputLength })
  } catch (error) {
    if (error instanceof ProblemError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxOutputLength)
    throw badBody('cannot be read; is its Content-Encoding right?')
  }
}

/** A decoder fills its window before it gives anything: 16 MB for 14 bytes, if those say so (RFC 7932, section 9.1). */
function decodeBrotli(bytes: Buffer, options: { maxOutputLength: number }): Buffer {
  const [first = 0] = bytes
  if (first % 2 === 1 && 17 + ((first >> 1) & 7) > LARGEST_WINDOW)
    throw new ProblemError(415, { detail: `The window of brotli must not exceed 2^${LARGEST_WINDOW} bytes.` })
  return brotliDecompressSync(bytes, options)
}

function decoderOf({ headers }: Request): Decoder | undefined {
  const coding = headers['content-encoding']?.toLowerCase() ?? 'identity'
  const decoder = DECODERS.get(coding)
  if (decoder !== undefined || coding === 'identity') return decoder
  const codings = [...DECODERS.keys()].join(', ')
  throw new ProblemError(415, { detail: `The Content-Encoding must be one of ${codings}, or absent.` })
}

/** Bytes of a body that are not counted while they come: counting each tiny chunk would cost more than parsing it. */
const UNCOUNTED = 1_024

const gathered = new WeakMap<IncomingMessage, Promise<Buffer>>()

/**
 * The bytes of a body, in one piece however small the chunks were in which it came: as objects of their own they would
 * cost four hundred times as much. What comes beyond the limit is thrown away. Asked again it gives the same.
 */
export function gatherBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const known = gathered.get(request)
  if (known) return known
  const body = gather(request, limits)
  body.catch(() => {}) // whoever asks for it gets the error
  gathered.set(request, body)
  return body
}

function gather(request: IncomingMessage, { bodyLimit, chunkLimit }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0)
    let length = 0
    let counted = 0
    // What is announced and never sent costs nothing: the system gives memory when it is written to. It may be any number.
    const announced = Number(request.headers['content-length'])
    const connection = connectionOf(request.socket)
    const count = () => {
      connection?.keep(request, length - counted)
      counted = length
    }
    request.on('data', (chunk: Buffer) => {
      const chunks = connection?.came(request, chunk.length) ?? 0
      if (length > bodyLimit || connection?.isCut) return // refused; the answer's end waits for the rest
      const end = length + chunk.length
      if (end > bodyLimit || chunks > chunkLimit) {
        connection?.keep(request, -counted)
        bytes = Buffer.alloc(0)
        length = Number.POSITIVE_INFINITY
        return reject(chunks > chunkLimit ? tooManyChunks(chunkLimit) : tooLarge(bodyLimit))
      }
      if (length === 0) bytes = chunk
      else {
        if (end > bytes.length)
          bytes = enlarged(bytes.subarray(0, length), Math.min(bodyLimit, announced || 2 * end + UNCOUNTED))
        chunk.copy(bytes, length)
      }
      length = end
      if (length - counted > UNCOUNTED) count()
    })
    request.on('end', () => {
      if (connection?.isCut) return
      if (length <= bodyLimit) count()
      connection?.ended(request)
      resolve(bytes.subarray(0, length))
    })
    request.on('error', () => reject(badBody('ended before it was complete')))
  })
}

function enlarged(bytes: Buffer, size: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(size)
  bytes.copy(larger)
  return larger
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON is UTF-8, and a byte order mark before it may be ignored (RFC 8259, section 8.1). */
function parse(bytes: Buffer): unknown {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw badBody('is not valid UTF-8')
  }
  if (text === '') throw bodyRequired()
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badBody(`is not valid JSON${place(error as SyntaxError)}`)
  }
}

/** V8 says where JSON ends to be JSON only within its message. */
function place({ message }: SyntaxError): string {
  const position = /position (\d+)/.exec(message)?.[1]
  return position === undefined ? '' : ` at character ${Number(position) + 1}`
}

const badBody = (detail: string) => badRequest([{ pointer: '', detail }])

const bodyRequired = () => badBody('is required')

const tooLarge = (limit: number) =>
  new ProblemError(413, { detail: `The body has more than ${limit} bytes.` }, {}, 'BODY_LIMIT')

const tooManyChunks = (limit: number) =>
  new ProblemError(
    413,
    { detail: `The body comes in more than ${limit} chunks of less than 1 kB.` },
    { Connection: 'close' },
    'CHUNK_LIMIT',
  )

const bodiesOf = (response: Response) => exchangeOf(response).operation?.bodies ?? new Map()

/** A client that names another character set than JSON's would be misread. */
function mediaType(header = ''): string {
  if (header === 'application/json') return header
  const { type, parameters } = parseContentType(header)
  const charset = parameters.charset?.toLowerCase() ?? 'utf-8'
  if (charset !== 'utf-8') throw new ProblemError(415, { detail: 'The character set must be utf-8.' })
  return type
}
