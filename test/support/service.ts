import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { atEnd } from './cleanup.js'
import { createDatabase, findFreePort } from './cluster.js'

const ownMain = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** Environment variables of the service. */
export type Settings = Record<string, string>

/** The service as its users meet it: a process of its own, spoken to over HTTP. */
export interface Service {
  /** Where it serves, without a slash at the end; the same after `restart`. */
  url: string
  /** The connection string of its database; empty when it was given none and uses the embedded one. */
  databaseUrl: string
  /** The log so far, one object a line. */
  logs: Record<string, unknown>[]
  /** The child process; another one after `restart`. */
  process: ChildProcess
  /** Looks at what is stored, past the service. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
  /** Sends SIGTERM and waits for the end; gives the exit code. */
  stop(): Promise<number | null>
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>
  /** Starts it again with the same settings, on the same port, after `stop` or `kill`. */
  restart(): Promise<void>
}

/**
 * Starts the service and waits until it is ready. It ends, at the latest, with the test file that started it.
 *
 * @param settings beside a fresh, migrated database, unless they name another: DATABASE_URL, PGHOST or DATA_DIRECTORY
 * @param workingDirectory where it looks for manifest.json
 * @param main its program, that of another checkout for instance
 * @param launcher a program and its parameters that become the service: the rest of the command follows
 */
export async function startService(
  settings: Settings = {},
  workingDirectory = '.',
  main = ownMain,
  launcher: readonly string[] = [],
): Promise<Service> {
  const port = await findFreePort()
  const allSettings: Settings = { PORT: String(port), ...(await withDatabase(settings)) }
  const databaseUrl = allSettings.DATABASE_URL ?? ''
  const logs: Record<string, unknown>[] = []
  let database: pg.Client | undefined

  const service: Service = {
    url: `http://127.0.0.1:${port}`,
    databaseUrl,
    logs,
    process: launch(main, allSettings, workingDirectory, logs, launcher),
    async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
      if (!database) {
        database = new pg.Client(databaseUrl)
        database.on('error', () => {}) // a test that ends the database says what it expects
        await database.connect()
      }
      return (await database.query<Row>(text, values)).rows
    },
    stop: () => end(service.process, 'SIGTERM'),
    kill: async () => void (await end(service.process, 'SIGKILL')),
    async restart() {
      service.process = launch(main, allSettings, workingDirectory, logs, launcher)
      await waitUntilReady(service)
    },
  }
  atEnd(async () => {
    await database?.end() // and with it the locks that the service's statements wait for
    await end(service.process, 'SIGTERM')
  })
  await waitUntilReady(service)
  return service
}

/**
 * Starts a service that is expected to end by itself, and waits for that, 30 seconds at the most.
 *
 * @returns its exit code and what it printed on both outputs
 */
export async function startFailing(
  settings: Settings = {},
  workingDirectory = '.',
  main = ownMain,
): Promise<{ exitCode: number | null; output: string }> {
  const logs: Record<string, unknown>[] = []
  const allSettings = { PORT: String(await findFreePort()), ...(await withDatabase(settings)) }
  const child = launch(main, allSettings, workingDirectory, logs)
  atEnd(() => end(child, 'SIGTERM'))
  const [exitCode] = await once(child, 'close', { signal: AbortSignal.timeout(30_000) })
  return { exitCode, output: logs.map((line) => line.text ?? JSON.stringify(line)).join('\n') }
}

/** The lines of the log that say that a limit was exceeded. */
export const linesOfLimit = ({ logs }: Service, name: string) => logs.filter(({ limit }) => limit === name)

/** Waits until a condition holds; fails, naming it, when it does not within 30 seconds. */
export async function waitUntil(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited 30 seconds in vain: ${what}`)
    await delay(20)
  }
}

async function withDatabase(settings: Settings): Promise<Settings> {
  const named = ['DATABASE_URL', 'PGHOST', 'DATA_DIRECTORY'].some((name) => name in settings)
  return named ? settings : { DATABASE_URL: await createDatabase(), ...settings }
}

/** Collects both outputs as parsed log lines; a line that is no JSON becomes `{ text }`. */
function launch(
  main: string,
  settings: Settings,
  workingDirectory: string,
  logs: Record<string, unknown>[],
  launcher: readonly string[] = [],
): ChildProcess {
  if (!existsSync(main)) throw new Error(`${main} is missing: run the tests with \`npm test [-- file…]\`.`)
  const command = [...launcher, process.execPath, '--enable-source-maps', main]
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: workingDirectory,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => logs.push(parseLine(line)))
  }
  return child
}

function parseLine(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {}
  return { text: line }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await once(child, 'close')
  }
  return child.exitCode
}

async function waitUntilReady(service: Service): Promise<void> {
  await waitUntil(`GET ${service.url}/health/ready`, async () => {
    const { exitCode, signalCode } = service.process
    if (exitCode !== null || signalCode !== null) {
      throw new Error(`The service ended with ${exitCode ?? signalCode}: ${JSON.stringify(service.logs)}`)
    }
    return fetch(`${service.url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    )
  })
}
