import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Request, Response } from 'express'

/** The content codings in which a resource is kept ready, the smallest first (RFC 9110, section 8.4.1). */
const CODINGS = ['br', 'gzip', 'identity'] as const

/** Answers GET and HEAD with something that does not change while the service runs. */
export type Answer = (request: Request, response: Response) => void

/** The same content in each coding. */
export type Bodies = Readonly<Record<(typeof CODINGS)[number], Buffer>>

/** A text in each coding. Brotli at quality 5 comes within a tenth of the best, in milliseconds instead of seconds. */
export async function compressed(text: string): Promise<Bodies> {
  const identity = Buffer.from(text)
  const [br, gzipped] = await Promise.all([
    promisify(brotliCompress)(identity, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    promisify(gzip)(identity),
  ])
  return { br, gzip: gzipped, identity }
}

/**
 * Serves a resource from memory in the best coding that the client takes. Each coding has a strong entity tag of its own
 * (RFC 9110, section 8.8.3.3); Express answers 304 by itself to a client that knows it.
 */
export function resource(bodies: Bodies, headers: Readonly<Record<string, string>>): Answer {
  const representations = CODINGS.map((coding) => {
    const entityTag = `"${hash('sha256', bodies[coding], 'base64url')}"`
    const encoding = coding === 'identity' ? {} : { 'Content-Encoding': coding }
    return { coding, body: bodies[coding], headers: { ...headers, ...encoding, ETag: entityTag } }
  })
  return (request, response) => {
    const best =
      representations.find(({ coding }) => request.acceptsEncodings(coding)) ?? representations.at(-1)
    response.set({ 'Cache-Control': 'no-cache', ...best?.headers }).vary('Accept-Encoding')
    response.send(best?.body)
  }
}
