import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { settings } from '../src/settings.js'

/** What the infrastructure must know about the service, each read from where the service says it. */
export interface ServiceFacts {
  /** The port that the service listens on. */
  port: number
  /** The path of the operation `getLiveness`. */
  healthPath: string
  version: string
  /** Seconds that requests in flight get once the service takes no new ones. */
  drainLimit: number
  /** Seconds after which the service closes an idle connection. */
  keepAlive: number
}

/** The service's own table of settings: the names that it knows and the form of each value. */
export const serviceSettings = settings

const contract = z.object({
  paths: z.record(z.string(), z.object({ get: z.object({ operationId: z.string() }).optional() })),
})

/**
 * Reads the contract, the package, the settings and the two limits that the service has in its code.
 * @throws Error that names the file where one of them is missing.
 */
export function serviceFacts(): ServiceFacts {
  const { paths } = contract.parse(parse(readText('openapi.yaml')))
  const liveness = Object.entries(paths).find(([, item]) => item.get?.operationId === 'getLiveness')
  if (!liveness) throw new Error('openapi.yaml has no operation getLiveness, which health checks ask for.')
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readText('package.json')))
  return {
    port: Number(settings.PORT.standard),
    healthPath: liveness[0],
    version,
    drainLimit: milliseconds('src/shutdown.ts', 'DRAIN_LIMIT') / 1_000,
    keepAlive: milliseconds('src/contract/server.ts', 'KEEP_ALIVE') / 1_000,
  }
}

/** A constant out of the service's code, whose modules would bring the whole service along. */
function milliseconds(path: string, name: string): number {
  const found = new RegExp(`^(?:export )?const ${name} = ([\\d_]+)$`, 'm').exec(readText(path))?.[1]
  if (!found) throw new Error(`${path} has no constant ${name}, which the order of draining depends on.`)
  return Number(found.replaceAll('_', ''))
}

function readText(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
}
