import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createDatabase } from '../test/support/cluster.js'
import { type Database, tidy } from './database.js'
import { load } from './load.js'
import { memory } from './measure.js'
import type { Runtime } from './runtimes.js'
import { OURS, startServer } from './servers.js'
import { spreadOf } from './statistics.js'
import { readSamples, worksOf } from './work.js'

/** Milliseconds until the first healthy answer, the middle of several starts. */
export interface Start {
  readonly what: string
  readonly milliseconds: number
}

/** Starts the service on databases that it finds in every state. */
export async function measureStarts(database: Database, runtime: Runtime, times: number): Promise<Start[]> {
  const time = async (databaseUrl: string, settings: Record<string, string> = {}) => {
    const start = performance.now()
    const server = await startServer({ ...OURS, settings }, runtime, databaseUrl)
    const milliseconds = performance.now() - start
    await server.stop()
    return milliseconds
  }
  const found: Record<string, number[]> = {
    'on an empty database': [],
    'on a database that is ready': [],
    'with a new database of its own': [],
    'with its own database again': [],
  }
  for (let count = 0; count < times; count += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'todo-bench-'))
    const empty = await createDatabase('template0', database.cluster)
    const own = { DATA_DIRECTORY: join(folder, 'data') }
    found['on an empty database']?.push(await time(empty))
    found['on a database that is ready']?.push(await time(empty))
    found['with a new database of its own']?.push(await time('', own))
    found['with its own database again']?.push(await time('', own))
    await rm(folder, { recursive: true })
  }
  return Object.entries(found).map(([what, each]) => ({ what, milliseconds: spreadOf(each).median }))
}

/** Resident memory of the service in MB: two seconds after its start, and at its most under a mixed load. */
export async function measureMemory(database: Database, runtime: Runtime, milliseconds: number) {
  const works = worksOf(await readSamples(database.client))
  const server = await startServer(OURS, runtime, database.url)
  try {
    await delay(2_000)
    const { resident: idle } = await memory(server.processId)
    await load(server.url, milliseconds, () => works.mix(server.url))
    const { most: loaded } = await memory(server.processId)
    return { idle, loaded }
  } finally {
    await server.stop()
    await tidy(database.client)
  }
}
