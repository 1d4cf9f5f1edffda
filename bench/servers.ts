/** The servers that are measured, each a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../test/support/cluster.js'
import { ask, show } from './load.js'
import type { Runtime } from './runtimes.js'

/** How a server is started. */
export interface Contestant {
  readonly name: string
  /** What runs it, from the repository's root: Node.js unless given. */
  readonly program?: string
  /** Its file and its flags, from the repository's root. */
  readonly parameters: readonly string[]
  readonly settings?: Record<string, string>
  /** Whether it refuses what the contract does not allow. */
  readonly validates: boolean
  /** Whether it logs each request. */
  readonly logs: boolean
}

export const OURS: Contestant = {
  name: 'ours',
  parameters: ['--enable-source-maps', 'dist/main.js'], // as `npm start` has it
  validates: true,
  logs: true,
}

export const CONTESTANTS: readonly Contestant[] = [
  OURS,
  other('Fastify + pg', 'fastify.js', { TIMESTAMPS: 'date' }),
  other('Fastify + pg, times as text', 'fastify.js', { TIMESTAMPS: 'text' }),
  other('Express + EOV + pg-promise', 'express.js', {}),
  { ...other('node:http + pg', 'node-http.js', { STORE: 'pool' }), validates: false },
  { ...other('node:http on our SQL', 'node-http.js', { STORE: 'own' }), validates: false },
]

/** The service built up step by step, for the budget. */
export const LAYERS: readonly Contestant[] = [
  'node:http',
  'Express',
  'validator',
  'dispatch',
  'driver',
  'log',
].map((layer) => ({
  ...other(layer, 'layers.js', { LAYER: layer }),
  logs: layer === 'log',
}))

function other(name: string, file: string, settings: Record<string, string>): Contestant {
  return { name, parameters: [`bench/dist/${file}`], settings, validates: true, logs: true }
}

export interface RunningServer {
  readonly name: string
  readonly url: string
  readonly processId: number
  readonly validates: boolean
  readonly logs: boolean
  readonly runtime: Runtime
  /** How many lines it logged since this was asked last; waits up to 5 seconds for as many as are expected. */
  logged(expected: number): Promise<number>
  stop(): Promise<void>
}

/** Milliseconds. With 200 more operations the validator's own start takes long. */
const START_LIMIT = 120_000

const root = fileURLToPath(new URL('..', import.meta.url))

/** Starts a server in production and waits, two minutes at the most, until it answers. Its log goes to a file. */
export async function startServer(
  { name, program, parameters, settings, validates, logs }: Contestant,
  runtime: Runtime,
  databaseUrl: string,
  directory = root,
): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'todo-bench-'))
  const log = join(folder, 'log')
  const file = await open(log, 'a')
  const port = await findFreePort()
  const environment = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    PORT: String(port),
    DATABASE_URL: databaseUrl,
  }
  const child = spawn(program ?? runtime.program, [...parameters], {
    cwd: directory,
    env: { ...environment, ...settings },
    stdio: ['ignore', file.fd, 'inherit'],
  })
  await file.close()
  const url = `http://127.0.0.1:${port}`
  await waitUntilReady(child, name, url)
  return {
    ...{ name, url, validates, logs, runtime, processId: child.pid as number },
    async logged(expected) {
      if (!logs) return 0
      const end = performance.now() + 5_000
      let lines = await countLines(log)
      while (lines < expected && performance.now() < end) {
        await delay(20)
        lines = await countLines(log)
      }
      await truncate(log)
      return lines
    },
    async stop() {
      child.kill('SIGTERM')
      const killing = setTimeout(() => child.kill('SIGKILL'), 5_000)
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      clearTimeout(killing)
      await rm(folder, { recursive: true })
    },
  }
}

async function waitUntilReady(child: ChildProcess, name: string, url: string): Promise<void> {
  const end = performance.now() + START_LIMIT
  let last = 'nobody listens'
  while (performance.now() < end) {
    if (child.exitCode !== null) throw new Error(`The server "${name}" ended with ${child.exitCode}.`)
    const answer = await ask(url, { method: 'GET', path: '/todos?limit=1' }).catch(() => undefined)
    if (answer?.status === 200) return
    if (answer) last = `it answers ${show(answer)}`
    await delay(5)
  }
  child.kill('SIGKILL')
  throw new Error(`The server "${name}" is not ready after ${START_LIMIT / 1_000} s: ${last}.`)
}

async function countLines(file: string): Promise<number> {
  let count = 0
  for await (const chunk of createReadStream(file)) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) count += 1
  }
  return count
}
