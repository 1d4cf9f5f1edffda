import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Statement } from '../src/database/pipelined-reads.js'
import { type Database, tidy } from './database.js'
import { cpuTime } from './measure.js'
import { createStatement, getStatement, pageStatement } from './statements.js'
import type { Samples } from './work.js'

/** What PostgreSQL can do with our statements when nothing else is in the way. */
export interface DatabaseLimit {
  readonly work: 'get' | 'list' | 'create'
  /** Microseconds of PostgreSQL's CPU time a statement. */
  readonly databaseCpu: number
  /** Statements a second. */
  readonly throughput: number
}

/** As many sessions as the service has: ten in its pool, two for pipelined reads. */
const SESSIONS = '12'

/** Runs our statements in pgbench, each kind for some seconds; undefined where there is no pgbench. */
export async function databaseLimits(
  database: Database,
  { known }: Samples,
  seconds: number,
): Promise<DatabaseLimit[] | undefined> {
  if (spawnSync('pgbench', ['--version']).status !== 0) return undefined
  const statements = {
    get: await Promise.all(known.slice(0, 50).map(({ id }) => getStatement(id))),
    list: await Promise.all(
      (['pending', 'in_progress', 'completed'] as const).map((status) =>
        pageStatement({ ...UNFILTERED, statuses: [status] }, undefined, 20),
      ),
    ),
    create: [await createStatement()],
  }
  const limits: DatabaseLimit[] = []
  for (const work of ['get', 'list', 'create'] as const) {
    const before = await cpuTime(database.processId)
    const { count, throughput } = await runScripts(database, statements[work], seconds)
    const databaseCpu = ((await cpuTime(database.processId)) - before) / count
    limits.push({ work, databaseCpu, throughput })
    await tidy(database.client)
  }
  return limits
}

const UNFILTERED = {
  column: 'deadline',
  descending: true,
  statuses: undefined,
  deadlineBefore: undefined,
  deadlineAfter: undefined,
} as const

/** One script for each statement; pgbench takes them at random and prepares each once a session. */
async function runScripts(database: Database, statements: readonly Statement[], seconds: number) {
  const folder = await mkdtemp(join(tmpdir(), 'todo-pgbench-'))
  try {
    const parameters: string[] = []
    for (const [index, { name, text, values }] of statements.entries()) {
      const file = join(folder, String(index))
      const variable = (number: string) => `v${index}_${number}`
      const script = text.replace(/\$(\d+)/g, (_, number) =>
        // Each new todo needs an id of its own, which PostgreSQL 18 can make.
        name === 'create' && number === '1' ? 'uuidv7()' : `:${variable(number)}`,
      )
      await writeFile(file, `${script.replaceAll('\n', ' ')};\n`)
      parameters.push('--file', file)
      for (const [place, value] of values.entries()) {
        const text = Array.isArray(value) ? `{${value.join()}}` : value
        parameters.push('--define', `${variable(String(place + 1))}=${text}`)
      }
    }
    const fixed = ['--no-vacuum', '--protocol', 'prepared', '--client', SESSIONS, '--time', String(seconds)]
    const { stdout, stderr, status } = spawnSync('pgbench', [...fixed, ...parameters, database.url], {
      encoding: 'utf8',
    })
    const count = Number(/transactions actually processed: (\d+)/.exec(stdout)?.[1])
    const throughput = Number(/tps = ([\d.]+)/.exec(stdout)?.[1])
    if (status !== 0 || !throughput) throw new Error(`pgbench failed: ${(stderr || stdout).slice(0, 500)}`)
    return { count, throughput }
  } finally {
    await rm(folder, { recursive: true })
  }
}
