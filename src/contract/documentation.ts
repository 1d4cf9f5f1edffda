import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { RequestHandler } from 'express'
import { type Contract, parseContract } from './contract.js'
import { endAsAnswer } from './exchange.js'
import { ProblemError } from './problems.js'
import { type Answer, compressed, resource } from './resource.js'

/** Where `npm run docs` writes to; the path is the same from src/ and from dist/. */
export const documentationFolder = new URL('../../dist/docs/', import.meta.url)

/** Stands in the built page in the place of the contract, until the service starts and fills it in. */
export const CONTRACT_PLACEHOLDER = "'the contract'"

export interface DocumentationOptions {
  readonly contract: Contract
  /** Where clients reach the service, without a trailing slash: the contract then names it first. */
  readonly publicUrl: string | undefined
  /** Told once, when the page was not built. */
  readonly warn: (message: string) => void
}

const allow = 'GET, HEAD, OPTIONS'
const NOT_BUILT = 'The documentation was not built. Run `npm run docs`, then start the service again.'

/**
 * Serves the contract at /openapi.yaml and /openapi.json, Redoc's page of it at /docs, and leads there from /.
 *
 * Everything is read, completed and compressed here, once; a request only picks the bytes. Where the page was not
 * built, the contract is served without samples, and /docs is a 404 that names the command to run.
 */
export async function documentation(options: DocumentationOptions): Promise<RequestHandler> {
  const answers = await answersOf(options)
  return (request, response, next) => {
    const answer = answers.get(request.path)
    if (!answer) return next()
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new ProblemError(405, { detail: `This path takes ${allow}.` }, { Allow: allow })
    }
    endAsAnswer(response)
    answer(request, response)
  }
}

async function answersOf({ contract, publicUrl, warn }: DocumentationOptions): Promise<Map<string, Answer>> {
  const built = await builtFiles()
  const { servers = [] } = contract.document
  const localised = (text: string) =>
    publicUrl === undefined
      ? text
      : servers.reduce((replaced, { url }) => replaced.replaceAll(url, () => publicUrl), text)

  const source = built?.contract ?? contract.text
  const yaml = publicUrl === undefined ? source : withServer(publicUrl, source, localised(source))
  const json = JSON.stringify(parseContract(yaml))
  const answers = new Map<string, Answer>([
    ['/', (_request, response) => response.redirect('docs')],
    ['/openapi.yaml', resource(await compressed(yaml), { 'Content-Type': 'application/yaml' })],
    ['/openapi.json', resource(await compressed(json), { 'Content-Type': 'application/json' })],
  ])
  if (!built) {
    warn(NOT_BUILT)
    return answers.set('/docs', () => {
      throw new ProblemError(404, { detail: NOT_BUILT })
    })
  }
  const html = withContract(localised(built.page), json)
  const headers = { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policyOf(html) }
  return answers
    .set('/docs', resource(await compressed(html), headers))
    .set('/docs/redoc.js', resource(built.redoc, { 'Content-Type': 'text/javascript; charset=utf-8' }))
}

/** What `npm run docs` built, or undefined when it did not run. Rejects when a file of it cannot be read. */
async function builtFiles() {
  const read = (name: string) => readFile(new URL(name, documentationFolder))
  const page = await read('page.html').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (page === undefined) return undefined
  const [contract, identity, br, gzip] = await Promise.all([
    read('openapi.yaml'),
    read('redoc.js'),
    read('redoc.js.br'),
    read('redoc.js.gz'),
  ])
  return { page: page.toString(), contract: contract.toString(), redoc: { identity, br, gzip } }
}

const SERVERS = /^servers:\n((?:[ -].*\n)+)/m

/** The localised contract with the public address as the first of its servers, before those that the source has. */
function withServer(publicUrl: string, source: string, localised: string): string {
  const [, others = ''] = SERVERS.exec(source) ?? []
  const server = `  - url: ${JSON.stringify(publicUrl)}\n    description: This service\n`
  return localised.replace(SERVERS, () => `servers:\n${server}${others}`)
}

/** The page with the contract in its script, which no text in the contract can end. */
export function withContract(page: string, json: string): string {
  return page.replace(CONTRACT_PLACEHOLDER, () => json.replaceAll('<', '\\u003c'))
}

/**
 * The page's Content-Security-Policy: its own scripts by their hashes, Redoc from this service, nothing from elsewhere.
 * Redoc makes style elements as it goes, which only 'unsafe-inline' permits.
 */
function policyOf(html: string): string {
  const scripts = html.matchAll(/<script[^>]*>(.*?)<\/script>/gs)
  const hashes = [...scripts].map(([, script = '']) => `'sha256-${hash('sha256', script, 'base64')}'`)
  return [
    "default-src 'none'",
    `script-src 'self' ${hashes.join(' ')}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
