import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Request, RequestHandler } from 'express'
import { badRequest, ProblemError } from './problems.js'

/** A name or an address, and perhaps a port (RFC 9110, section 7.2): links begin with it, so it must be one. */
const HOST = /^(?:\[[\dA-Fa-f:.]+\]|[A-Za-z0-9_~-]+(?:\.[A-Za-z0-9_~-]+)*\.?)(?::\d{1,5})?$/

/** The longest name that DNS can hold (RFC 1035, section 3.1), and a port. */
const LONGEST_HOST = 253 + ':65535'.length

/** The last one that was found good: nearly all requests are for the same. */
let known = ''

/** URL parsers also know which addresses and ports there are. */
function isHost(text: string): boolean {
  if (text === known) return true
  const isGood = text.length <= LONGEST_HOST && HOST.test(text) && URL.canParse(`http://${text}`)
  if (isGood) known = text
  return isGood
}

/** Nobody knows whether the body will still come. */
const CLOSE = { Connection: 'close' }

/**
 * Refuses what HTTP wants refused and Node's parser lets through: a request whose host is missing, ambiguous or no host
 * (RFC 9112, section 3.2), an expectation that cannot be met (RFC 9110, section 10.1.1), and a body in a transfer coding
 * that is not known (RFC 9112, section 6.1).
 */
export const refuseMisdirected: RequestHandler = (request, _response, next) => {
  const { expect } = request.headers
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    throw new ProblemError(417, { detail: 'The only expectation that can be met is 100-continue.' }, CLOSE)
  if (request.httpVersion === '1.0') delete request.headers.expect // RFC 9110, section 10.1.1
  const coding = request.headers['transfer-encoding']?.toLowerCase() ?? 'chunked'
  // No 501, which would look like a fault of the service.
  if (coding !== 'chunked') throw badRequest([{ header: 'Transfer-Encoding', detail: 'must be chunked' }])
  const fault = hostFault(request)
  if (fault) throw badRequest([{ header: 'Host', detail: fault }])
  // Express gives the forwarded host in the place of the request's own where the proxy is trusted.
  const { host } = request
  if (host !== request.headers.host && !isHost(host ?? ''))
    throw badRequest([{ header: 'X-Forwarded-Host', detail: 'is not a host name' }])
  next()
}

function hostFault(request: Request): string | undefined {
  const { rawHeaders, httpVersion } = request
  const { host } = request.headers
  if (host !== undefined && !isHost(host)) return 'is not a host name'
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') count += 1
  }
  if (count > 1) return 'must be given only once'
  return count === 0 && httpVersion === '1.1' ? 'is required' : undefined
}

/**
 * Turns a request for a whole address, as proxies send it, into one for the path on that host (RFC 9112, section 3.2.2).
 * What is no address of ours leads nowhere.
 */
export function toOriginForm(request: IncomingMessage): void {
  const { url = '*', headers } = request
  if (url.startsWith('/')) return
  const address = /^https?:\/\//i.test(url) && URL.canParse(url) ? new URL(url) : undefined
  if (address) headers.host = address.host
  request.url = address ? address.pathname + address.search : '*'
}

/** The client's own request id if it is a sane one, else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const sent = headers['x-request-id']
  return typeof sent === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(sent) ? sent : randomUUID()
}

/** Whether the body of a request comes in chunks, so that nobody knows beforehand how long it is. */
export const isChunked = ({ headers }: IncomingMessage) => headers['transfer-encoding'] !== undefined

/** A request has a body when either header says so (RFC 9112, section 6.3). */
export const hasBody = (request: IncomingMessage) =>
  isChunked(request) || (request.headers['content-length'] ?? '0') !== '0'

/** Whether more of a request comes. A client that asked for leave to send its body, and got none, will not send it. */
export const isUnderWay = (request: IncomingMessage) =>
  hasBody(request) && !request.complete && request.headers.expect === undefined

/** About as many bytes as the head of a request has on the wire. */
export function sizeOfHead({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  let size = method.length + url.length
  for (const text of rawHeaders) size += text.length + 2
  return size + ' HTTP/1.1\r\n'.length + ' \r\n'.length
}

/** About as many bytes as there are behind the chunks of a body. */
export const sizeOfTrailers = ({ rawTrailers }: IncomingMessage) =>
  rawTrailers.reduce((size, text) => size + text.length + 2, '0\r\n\r\n'.length)
