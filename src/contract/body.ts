import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { parse as parseContentType } from 'content-type'
import type { Request, RequestHandler, Response } from 'express'
import { exchangeOf } from './exchange.js'
import { badRequest, ProblemError } from './problems.js'

/** What undoes each content coding (RFC 9110, section 8.4.1). */
const DECODERS = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
])

/**
 * Reads a JSON body into `request.body` when the operation takes one of the request's media type, and reduces
 * `Content-Type` to its bare media type: the validator keeps a compiled schema for each value it has ever seen.
 *
 * By itself, because body-parser costs a sixth of a whole create, and answers a body that is too large only when all of
 * it has come.
 *
 * @param limit the largest body in bytes, after decompression; beyond it the answer is 413
 */
export function bodyReader(limit: number): RequestHandler {
  return (request, response, next) => {
    const bodies = bodiesOf(response)
    if (bodies.size === 0 || !hasBody(request)) {
      delete request.headers['content-type']
      if (bodies.size > 0) throw bodyRequired()
      return next()
    }
    request.headers['content-type'] = mediaType(request.headers['content-type'])
    if (!bodies.has(request.headers['content-type'])) return next() // the validator refuses it
    // Known beforehand, so nobody needs to send it; what is compressed or chunked is measured while it comes.
    if (Number(request.headers['content-length']) > limit) throw tooLarge(limit)
    const content = decoded(request)
    if (request.headers.expect !== undefined) {
      response.writeContinue()
      delete request.headers.expect // from now on the body is on its way
    }
    return receive(request, content, limit).then((bytes) => {
      request.body = parse(bytes)
      next()
    })
  }
}

function decoded(request: Request): Readable {
  const coding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
  if (coding === 'identity') return request
  const decoder = DECODERS.get(coding)
  if (decoder) return request.pipe(decoder())
  const codings = [...DECODERS.keys()].join(', ')
  throw new ProblemError(415, { detail: `The Content-Encoding must be one of ${codings}, or absent.` })
}

/** Gathers a body. What still comes of one that is refused is thrown away. */
function receive(request: Request, content: Readable, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const leaveRest = () => {
      if (content === request) return
      request.unpipe()
      content.destroy()
      request.resume()
    }
    const refuse = (fault: ProblemError) => {
      leaveRest()
      reject(fault)
    }
    content.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= limit) chunks.push(chunk)
      else refuse(tooLarge(limit))
    })
    content.on('end', () => {
      leaveRest() // what may come after the end of what was compressed
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
    })
    request.on('error', () => refuse(badBody('ended before it was complete')))
    content.on('error', () => refuse(badBody('cannot be read; is its Content-Encoding right?')))
  })
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
  new ProblemError(413, { detail: `The body has more than ${limit} bytes.` })

const bodiesOf = (response: Response) => exchangeOf(response).operation?.bodies ?? new Map()

/** A request has a body when either header says so (RFC 9112, section 6.3). */
function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** A client that names another character set than JSON's would be misread. */
function mediaType(header = ''): string {
  if (header === 'application/json') return header
  const { type, parameters } = parseContentType(header)
  const charset = parameters.charset?.toLowerCase() ?? 'utf-8'
  if (charset !== 'utf-8') throw new ProblemError(415, { detail: 'The character set must be utf-8.' })
  return type
}
