/**
 * `node dist/healthcheck.js ORIGIN` asks the service at ORIGIN whether it is alive, on the contract's liveness path,
 * and exits with 0 or 1: what a container's health check runs, without curl.
 */
import { readFile } from 'node:fs/promises'
import { load } from 'js-yaml'

const [, , origin] = process.argv
const { paths } = load(await readFile(new URL('../openapi.yaml', import.meta.url), 'utf8')) as Contract
const [path] = Object.entries(paths).find(([, item]) => item.get?.operationId === 'getLiveness') ?? []

interface Contract {
  readonly paths: Record<string, { readonly get?: { readonly operationId: string } }>
}

const answer = await fetch(`${origin}${path}`).catch(() => undefined)
process.exitCode = answer?.ok ? 0 : 1
