import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { findBinaries, run, serverProcess, serverUser } from '../../src/database/postgres-binaries.js'

/** Below those that systems give to outgoing connections, of which tests have thousands (Linux: from 32768 on). */
const FIRST_PORT = 15_000
const LAST_PORT = 32_767

/** How to reach a cluster, and the database that new ones are copied from. */
export interface ClusterFacts {
  host: string
  port: number
  user: string
  password: string
  template: string
}

/** A PostgreSQL server for tests, in a temporary folder, on a free port of 127.0.0.1. */
export interface Cluster extends ClusterFacts {
  /** Where it keeps its files; they belong to the server's user, which is `nobody` when the tests run as root. */
  dataDirectory: string
  /** Starts it again on the same port after `stop` or `kill`; returns when it accepts connections. */
  start(): Promise<void>
  /** Stops it at once, sessions included, and keeps its files; `start` starts it again. */
  stop(): Promise<void>
  /** Ends it as a power cut would. */
  kill(): Promise<void>
  /** Stops it and removes its files. */
  remove(): Promise<void>
}

/**
 * Makes and starts a cluster.
 *
 * @param settings server settings (`{ ssl: 'on' }`) beside those that make tests fast
 * @param directory its programs; unless given those in TEST_POSTGRES_BIN, or else the embedded ones
 */
export async function startCluster(
  settings: Record<string, string> = {},
  directory = process.env.TEST_POSTGRES_BIN,
): Promise<Cluster> {
  const binaries = directory ?? (await findBinaries()).directory
  const folder = await makeServerFolder()
  const dataDirectory = join(folder, 'data')
  const facts = {
    host: '127.0.0.1',
    port: await findFreePort(),
    user: 'tester',
    password: randomPassword(),
    template: 'template0',
  }
  await initialise(binaries, folder, facts)
  const serverSettings = {
    listen_addresses: facts.host,
    port: String(facts.port),
    unix_socket_directories: '',
    max_connections: '200',
    fsync: 'off',
    ...settings,
  }
  const parameters = Object.entries(serverSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    server = spawn(
      join(binaries, 'postgres'),
      ['-D', dataDirectory, ...parameters],
      serverProcess(dataDirectory),
    )
    await waitUntilReady(server, facts)
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    server.kill(signal)
    await once(server, 'exit')
  }
  const cluster = {
    ...facts,
    dataDirectory,
    start,
    stop: () => end('SIGINT'),
    kill: () => end('SIGQUIT'),
    remove: async () => {
      await end('SIGQUIT')
      await rm(folder, { recursive: true, force: true })
    },
  }
  await start()
  return cluster
}

/**
 * Creates a database, by default with the service's migrations applied, on the test run's cluster.
 *
 * @param template `template0` gives an empty one
 * @returns its connection string
 */
export async function createDatabase(
  template?: string,
  cluster: ClusterFacts = testCluster(),
): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`
  const client = new pg.Client(databaseUrl(cluster, 'postgres'))
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template ?? cluster.template}`)
  } finally {
    await client.end()
  }
  return databaseUrl(cluster, name)
}

export function databaseUrl(cluster: ClusterFacts, database: string): string {
  return `postgres://${cluster.user}:${cluster.password}@${cluster.host}:${cluster.port}/${database}`
}

/** The cluster that run.ts started for this test run. */
export function testCluster(): ClusterFacts {
  const facts = process.env.TEST_CLUSTER
  if (!facts) throw new Error('TEST_CLUSTER is not set: run the tests with `npm test [-- file…]`.')
  return JSON.parse(facts)
}

/** A port of 127.0.0.1 that nobody listened on a moment ago, and that the system gives to no outgoing connection. */
export async function findFreePort(): Promise<number> {
  const port = randomInt(FIRST_PORT, LAST_PORT + 1)
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return findFreePort()
    throw error
  }
  server.close()
  await once(server, 'close')
  return port
}

async function makeServerFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'todo-test-'))
  await giveToServer(folder)
  return folder
}

/** Hands a file over to the user that the server runs as. */
export async function giveToServer(path: string): Promise<void> {
  if (serverUser.uid !== undefined) await chown(path, serverUser.uid, serverUser.gid)
}

async function initialise(binaries: string, folder: string, { user, password }: ClusterFacts): Promise<void> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  await giveToServer(passwordFile)
  const { exitCode, output } = await run(join(binaries, 'initdb'), [
    ...['--pgdata', join(folder, 'data'), '--username', user, '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-locale', '--no-sync'],
  ])
  if (exitCode !== 0) throw new Error(`initdb failed: ${output}`)
}

/** Waits up to 30 seconds until the server accepts connections. */
async function waitUntilReady(server: ChildProcess, facts: ClusterFacts): Promise<void> {
  let output = ''
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-10_000)
  })
  for (let attempt = 0; attempt < 600; attempt++) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended: ${output}`)
    const client = new pg.Client(databaseUrl(facts, 'postgres'))
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await delay(50)
    }
  }
  throw new Error(`PostgreSQL does not accept connections: ${output}`)
}

function randomPassword(): string {
  return randomBytes(18).toString('hex')
}
