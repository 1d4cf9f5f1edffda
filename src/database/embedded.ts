import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { StartError } from '../start-error.js'
import { DATABASE_USER, findReason, openDataDirectory, serverPath } from './data-directory.js'
import { findBinaries, isErrorCode, run, serverProcess } from './postgres-binaries.js'

/** A PostgreSQL server of the service's own. */
export interface EmbeddedDatabase {
  /** How to connect: without TLS, over a Unix socket whose folder is `host`, or on Windows over the loopback address. */
  connection: Connection
  /** Ends every session, writes everything to disk, and returns when the server is gone. */
  stop(): Promise<void>
  /** Fulfilled with the reason, one line, when the server ends although nobody called `stop`. */
  ended: Promise<string>
}

export interface Connection {
  host: string
  port: number
  user: string
  password: string
  database: string
}

/** Over a Unix socket the port is but a part of the socket's name. */
const SOCKET_PORT = 5432

/** Bytes that the address of a Unix socket can hold on every platform (macOS has the fewest: `sun_path` in unix(4)). */
const SOCKET_PATH_LIMIT = 103

/** Milliseconds; recovery after a power cut takes the longest, and max_wal_size bounds it. */
const START_LIMIT = 60_000

/** Modest in memory and processes, safe on disk (fsync stays on), and silent about what statements contain. */
const MODEST_SETTINGS = {
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_logical_replication_workers: 0,
  io_method: 'sync',
  timezone: 'UTC',
  log_checkpoints: 'off',
  log_line_prefix: '',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
}

/** SQLSTATEs (PostgreSQL, Appendix A): cannot_connect_now and lock_not_available. */
const STARTING_OR_STOPPING = '57P03'
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * The session that holds this advisory lock owns the server. PostgreSQL lets go of it when the owner's process dies,
 * however it dies, so that the next start can tell a server in use from one that was left running.
 */
const TAKE_OWNERSHIP = "set lock_timeout = '3s'; select pg_advisory_lock(1953460335)"

/**
 * Starts the embedded PostgreSQL and waits until it accepts connections. The first start creates its files; a server
 * that a killed service left running is stopped first.
 *
 * @param dataDirectory the setting DATA_DIRECTORY
 * @param report told in one line what is being done when that takes longer than a blink
 * @throws StartError naming DATA_DIRECTORY when it cannot be used, also while another service uses it
 */
export async function startEmbeddedDatabase(
  dataDirectory: string,
  report: (message: string) => void,
): Promise<EmbeddedDatabase> {
  const binaries = await findBinaries()
  const directory = resolve(dataDirectory)
  const { cluster, password } = await openDataDirectory(directory, binaries, report)
  const login = { user: DATABASE_USER, password, database: 'postgres' }
  const socket = process.platform === 'win32' ? undefined : { host: socketFolder(cluster), port: SOCKET_PORT }

  if (await isLeftRunning({ ...login, ...(socket ?? (await findLastAddress(cluster))) }, directory)) {
    report('Stopping the PostgreSQL server that a killed service left running')
    await stopServer(binaries.directory, cluster)
  }
  const connection = { ...login, ...(socket ?? (await findFreeAddress())) }
  const server = launch(binaries.directory, cluster, connection)
  await waitUntilOwned(server, cluster, connection, directory)
  let isStopping = false
  return {
    connection,
    async stop() {
      isStopping = true
      if (!server.hasEnded()) await stopServer(binaries.directory, cluster)
      await server.ended
    },
    ended: new Promise((fulfil) => {
      server.ended.then(
        (reason) => isStopping || fulfil(`The embedded PostgreSQL ended by itself: ${reason}.`),
      )
    }),
  }
}

/** The socket is in the cluster's folder, which only the server's user and root can enter. */
function socketFolder(cluster: string): string {
  if (Buffer.byteLength(join(cluster, `.s.PGSQL.${SOCKET_PORT}`)) <= SOCKET_PATH_LIMIT) return cluster
  // Linux offers a short way to any open folder. It must stay open as long as the process connects.
  if (process.platform === 'linux') return `/proc/self/fd/${openSync(cluster, 'r')}`
  throw new StartError(
    `DATA_DIRECTORY ${cluster} has too long a path for a Unix socket: set it to a folder whose path is shorter than ${SOCKET_PATH_LIMIT - 25} bytes.`,
  )
}

async function findFreeAddress(): Promise<{ host: string; port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return { host: '127.0.0.1', port }
}

/** Where the server listens that runs in the cluster, or did: line 4 of its lock file. */
async function findLastAddress(cluster: string): Promise<{ host: string; port: number }> {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return { host: '127.0.0.1', port: Number(lines[3] ?? 0) }
}

/**
 * Whether a server runs in the cluster that nobody owns any more.
 *
 * @throws StartError when somebody does
 */
async function isLeftRunning(connection: Connection, directory: string): Promise<boolean> {
  const end = Date.now() + START_LIMIT
  while (Date.now() < end) {
    try {
      await own(connection, directory)
      return true
    } catch (error) {
      if (error instanceof StartError) throw error
      if (!isErrorCode(error, STARTING_OR_STOPPING)) return false
      await delay(50)
    }
  }
  return false
}

/** Connects, and keeps the server for this process until it ends or the process does. */
async function own(connection: Connection, directory: string): Promise<void> {
  const owner = new pg.Client({ ...connection, ssl: false, connectionTimeoutMillis: 5000 })
  owner.on('error', () => {
    // The server ended; whoever started it is told by `ended`.
  })
  await owner.connect()
  await owner.query(TAKE_OWNERSHIP).catch(async (error: unknown) => {
    await owner.end()
    throw isErrorCode(error, LOCK_NOT_AVAILABLE) ? inUse(directory) : error
  })
}

async function waitUntilOwned(
  server: Server,
  cluster: string,
  connection: Connection,
  directory: string,
): Promise<void> {
  const end = Date.now() + START_LIMIT
  while (!server.hasEnded() && Date.now() < end) {
    try {
      await own(connection, directory)
      const lock = await readFile(join(cluster, 'postmaster.pid'), 'utf8')
      if (lock.startsWith(`${server.processId}\n`)) return
      throw inUse(directory)
    } catch (error) {
      if (error instanceof StartError) throw error
      await delay(25)
    }
  }
  server.kill()
  throw new StartError(`DATA_DIRECTORY ${directory}: PostgreSQL does not start (${await server.ended}).`)
}

function inUse(directory: string): StartError {
  return new StartError(
    `DATA_DIRECTORY ${directory} is in use by another service: stop that one, or give each a DATA_DIRECTORY of its own.`,
  )
}

interface Server {
  processId: number | undefined
  hasEnded(): boolean
  /** Fulfilled with the reason when it is gone. */
  ended: Promise<string>
  kill(): void
}

function launch(binaries: string, cluster: string, { host, port }: Connection): Server {
  const settings = {
    listen_addresses: host === '127.0.0.1' ? host : '',
    unix_socket_directories: host === '127.0.0.1' ? '' : '.',
    port,
    ...MODEST_SETTINGS,
  }
  const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(join(binaries, 'postgres'), ['-D', serverPath(cluster), ...parameters], {
    ...serverProcess(cluster),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let lastWords = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-4000)
  })
  return {
    processId: child.pid,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    ended: new Promise((fulfil) => {
      child.once('error', (error) => fulfil(error.message))
      child.once('close', (_, signal) => fulfil(signal ?? findReason(lastWords)))
    }),
    kill: () => child.kill('SIGQUIT'),
  }
}

/** Fast shutdown: rolls back what is under way, ends sessions, writes a checkpoint. On Windows no signal could ask for it. */
async function stopServer(binaries: string, cluster: string): Promise<void> {
  const parameters = ['stop', '--pgdata', serverPath(cluster), '--mode', 'fast', '--timeout', '60']
  const { exitCode, output } = await run(join(binaries, 'pg_ctl'), parameters, cluster)
  if (exitCode !== 0)
    throw new Error(`The embedded PostgreSQL in ${cluster} does not stop: ${findReason(output)}`)
}
