import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { acquire } from '../contract-tests/processes.js'
import { type Database, tidy } from './database.js'
import { measure } from './measure.js'
import type { Runtime } from './runtimes.js'
import { OURS, type RunningServer, startServer } from './servers.js'
import { spreadOf } from './statistics.js'
import { readSamples, worksOf } from './work.js'

/** What a request costs with so many operations more in the contract. */
export interface OperationsCost {
  readonly added: number
  readonly work: string
  /** Microseconds of the server's CPU time. */
  readonly serverCpu: number
  /** Milliseconds until the first healthy answer after a start. */
  readonly start: number
  /** As a multiple of the service's as it is, the middle of all rounds. */
  readonly toNone: number
}

const ADDED = [0, 10, 50, 200]
const WORKS = ['get', 'list', 'create'] as const

/** Measures the service with its own contract and with larger ones, in turn. */
export async function measureOperations(
  database: Database,
  runtime: Runtime,
  rounds: number,
  milliseconds: number,
): Promise<OperationsCost[]> {
  const servers: RunningServer[] = []
  await acquire(
    async () => servers,
    (started) => Promise.all(started.map((server) => server.stop())),
  )
  const starts = new Map<number, number>()
  for (const added of ADDED) {
    const directory = await enlarged(added)
    const begin = performance.now()
    servers.push(await startServer(OURS, runtime, database.url, directory))
    starts.set(added, performance.now() - begin)
  }
  const works = worksOf(await readSamples(database.client))
  const costs = new Map<string, number[]>()
  for (let round = 0; round <= rounds; round += 1) {
    for (const work of WORKS) {
      for (const [index, server] of servers.entries()) {
        await server.logged(0)
        const slice = await measure(server, database.processId, milliseconds, () => works[work](server.url))
        const key = `${work} ${ADDED[index]}`
        if (round > 0) costs.set(key, [...(costs.get(key) ?? []), slice.serverCpu])
      }
      if (work === 'create') await tidy(database.client)
    }
  }
  return WORKS.flatMap((work) =>
    ADDED.map((added) => {
      const [none = [], here = []] = [0, added].map((count) => costs.get(`${work} ${count}`))
      const ratios = here.map((cost, round) => cost / (none[round] ?? Number.NaN))
      const [serverCpu, toNone] = [spreadOf(here).median, spreadOf(ratios).median]
      return { added, work, start: starts.get(added) ?? Number.NaN, serverCpu, toNone }
    }),
  )
}

/** A directory with the service, compiled, and its contract with so many made-up operations before its own. */
async function enlarged(added: number): Promise<string> {
  const directory = resolve('bench/dist', `operations-${added}`)
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory)
  for (const part of ['dist', 'package.json', 'src/database/migrations']) {
    await cp(part, join(directory, part), { recursive: true })
  }
  const contract = parse(await readFile('openapi.yaml', 'utf8'))
  const { get, parameters } = contract.paths['/todos/{id}']
  const madeUp = Array.from({ length: added }, (_, index) => [
    `/made-up-${index}/{id}`,
    { parameters, get: { ...get, operationId: `getMadeUp${index}` } },
  ])
  contract.paths = { ...Object.fromEntries(madeUp), ...contract.paths }
  await writeFile(join(directory, 'openapi.yaml'), stringify(contract, { aliasDuplicateObjects: false }))
  return directory
}
