import { chmod } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import {
  type Cluster,
  createDatabase,
  databaseUrl,
  giveToServer,
  startCluster,
} from '../test/support/cluster.js'
import type { Surroundings } from './arrangements.js'
import { buildImage, type Container, execute, type Image, startContainer } from './container.js'
import { acquire, temporaryDirectory } from './processes.js'

/** The service under test, and what may be done to what is around it. */
export interface Service {
  readonly url: string
  /** Nobody else's todos are in it: all may be deleted. */
  readonly exclusive: boolean
  /** None when the service runs elsewhere, where its database is out of reach. */
  readonly own: Own | undefined
}

/** A container and a database of our own. */
export interface Own {
  readonly image: Image
  readonly container: Container
  /** What a further container needs to use the same database. */
  readonly settings: Record<string, string>
  readonly volumes: string[]
  surround(surroundings: Surroundings): Promise<void>
}

/** Where the container finds the database's socket. */
const socketDirectory = '/run/postgresql'

/**
 * The service that CONTRACT_URL names, ours alone when CONTRACT_EXCLUSIVE is 1; otherwise the image, built from this
 * checkout, in a container, with a PostgreSQL of its own.
 *
 * Rejects when the service does not answer.
 */
export async function findService(): Promise<Service> {
  const { CONTRACT_URL: elsewhere, CONTRACT_EXCLUSIVE: exclusive = '' } = process.env
  if (!['', '0', '1'].includes(exclusive)) {
    throw new Error(
      `CONTRACT_EXCLUSIVE is ${JSON.stringify(exclusive)}; allowed: 1 when no todo there may be lost, 0`,
    )
  }
  if (!elsewhere) return startOwn()
  if (!URL.canParse(elsewhere)) {
    throw new Error(
      `CONTRACT_URL is ${JSON.stringify(elsewhere)}; allowed: where the service answers, https://…`,
    )
  }
  const url = elsewhere.replace(/\/+$/, '')
  await waitUntilReady(url)
  return { url, exclusive: exclusive === '1', own: undefined }
}

async function startOwn(): Promise<Service> {
  const built = performance.now()
  const image = await buildImage()
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
  const added = image.size - image.baseSize
  console.log(`Image: built by ${image.engine} in ${secondsSince(built)}; ${megabytes(image.size)}, of which`)
  console.log(`       ${megabytes(added)} are over its base`)

  const sockets = await temporaryDirectory()
  await chmod(sockets, 0o755)
  await giveToServer(sockets)
  const cluster = await acquire(
    () => startCluster({ unix_socket_directories: sockets }),
    (started) => started.remove(),
  )
  const url = new URL(await createDatabase('template0', cluster))
  const settings = {
    PGHOST: socketDirectory,
    PGPORT: url.port,
    PGDATABASE: url.pathname.slice(1),
    PGUSER: url.username,
    PGPASSWORD: url.password,
  }
  const volumes = [`${sockets}:${socketDirectory}`]

  const begin = performance.now()
  const container = await startContainer(image, settings, volumes)
  await waitUntilReady(container.url)
  const healthy = secondsSince(begin)
  const status = await execute(image, container, ['cat', '/proc/1/status'])
  const resident = Number(/VmRSS:\s+(\d+)/.exec(status.output)?.[1]) * 1024
  console.log(
    `Container: first healthy answer after ${healthy}, with an empty database; resident ${megabytes(resident)}`,
  )

  const surround = surroundingsChanger(cluster, settings.PGDATABASE, container.url)
  return { url: container.url, exclusive: true, own: { image, container, settings, volumes, surround } }
}

/** A time for people: `1.5 s`. */
export function secondsSince(begin: number): string {
  return `${((performance.now() - begin) / 1000).toFixed(1)} s`
}

/** Waits up to a minute until the service can do its work. */
export async function waitUntilReady(url: string): Promise<void> {
  const end = Date.now() + 60_000
  let found = 'nothing'
  while (Date.now() < end) {
    found = await fetch(`${url}/health/ready`).then(
      ({ ok, status }) => (ok ? 'ready' : `status ${status}`),
      (error: Error) => String(error.cause ?? error),
    )
    if (found === 'ready') return
    await delay(20)
  }
  throw new Error(`${url} is not ready after a minute: ${found}`)
}

/** Really stops the database, or really takes its tables away, and undoes it. */
function surroundingsChanger(cluster: Cluster, database: string, service: string) {
  let present: Surroundings = 'sound'
  const change = async (statement: string) => {
    const client = new pg.Client(databaseUrl(cluster, database))
    await client.connect()
    await client.query(statement)
    await client.end()
  }
  const begin = {
    sound: async () => {},
    broken: () => change('alter schema todo rename to todo_taken_away'),
    stopped: () => cluster.stop(),
  }
  const undo = {
    sound: async () => {},
    broken: () => change('alter schema todo_taken_away rename to todo'),
    stopped: () => cluster.start(),
  }
  return async (wanted: Surroundings): Promise<void> => {
    if (wanted === present) return
    await undo[present]()
    if (present !== 'sound') await waitUntilReady(service)
    await begin[wanted]()
    present = wanted
  }
}
