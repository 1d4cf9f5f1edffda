/** configuration -> database -> service -> listen; drains on SIGTERM and SIGINT. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type Configuration, type DatabaseSource, readConfiguration } from './configuration.js'
import { createService, type ServiceLimits } from './contract/app.js'
import { contractFile, loadContract } from './contract/contract.js'
import { documentation } from './contract/documentation.js'
import type { Service } from './contract/server.js'
import { checkDatabase, connect, type Database, openClient, waitForDatabase } from './database/connection.js'
import { startEmbeddedDatabase } from './database/embedded.js'
import { isUnavailable } from './database/errors.js'
import { migrate, migrationsApplied } from './database/migrate.js'
import { LANES, PipelinedReads } from './database/pipelined-reads.js'
import type { Server as DatabaseServer } from './database/server.js'
import { collectWhenIdle } from './heap.js'
import { createLogger } from './logger.js'
import { mostConnections } from './open-files.js'
import { drain } from './shutdown.js'
import { StartError } from './start-error.js'
import { createHandlers } from './todos/handlers.js'
import { createStore, type Store } from './todos/store.js'

/** Milliseconds between two deletions of expired idempotency keys, which are never used anyway. */
const FORGET_INTERVAL = 10 * 60_000

/**
 * Connections that wait to be accepted: the system cuts it down to its own limit (Linux: net.core.somaxconn, 4096). Beyond
 * it a client tries again only after a second.
 */
const BACKLOG = 4_096

/** Milliseconds for which a statement is waited for whose client has been answered, or cut off. */
const STATEMENT_LIMIT = 500

/** What must be closed at the end, in the order of opening. */
const opened: (() => Promise<unknown>)[] = []

let stopping = false

async function main(): Promise<void> {
  const configuration = readConfiguration(process.env, process.cwd())
  const logger = createLogger(configuration.logLevel)
  try {
    await Promise.race([serve(configuration, logger), stopSignal(), unforeseen(logger)])
    stopping = true
    logger.info('Stopping.')
  } finally {
    for (const close of opened.reverse()) await close()
  }
  logger.info('Stopped.')
  process.exit() // a start that was interrupted may still wait for its database
}

/**
 * Ends with the first exception that nobody caught. The process is in an unknown state then and must end (Node.js's
 * documentation, "Warning: Using 'uncaughtException' correctly"), but its clients get the answers that are under way.
 */
function unforeseen(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    process.on('uncaughtException', (error, origin) => {
      logger.fatal({ error, origin }, 'An exception that nobody foresaw: the service stops.')
      process.exitCode = 1
      resolve()
    })
  })
}

/** Starts everything and serves; ends only when something that the service cannot do without does. */
async function serve(configuration: Configuration, logger: Logger): Promise<never> {
  const { server, ended } = await findDatabase(configuration.database, logger)
  const database = connect(server, configuration.databaseLimits)
  opened.push(() => withinLimit(database.$pool.end()))
  await prepareDatabase(database, server, configuration.startTimeout, logger)
  const reads = new PipelinedReads(database, configuration.databaseLimits.statementTimeout + 1_000)
  opened.push(() => withinLimit(reads.close()))
  const store = createStore(database, reads)
  const contract = await loadContract(contractFile)
  const service = await createService({
    ...configuration,
    limits: limitsFor(configuration, logger),
    contract,
    handlers: createHandlers(store, { isStopping: () => stopping, isReady: () => isReady(database) }),
    documentation: await documentation({
      ...configuration,
      contract,
      warn: (message) => logger.warn(message),
    }),
    logger,
    isUnavailable,
    isStopping: () => stopping,
  })
  await listen(service, configuration)
  collectWhenIdle(service.held)
  opened.push(() => drain(service, configuration.shutdownDelay))
  const forgetting = forgetRegularly(store, logger)
  opened.push(async () => clearInterval(forgetting))
  announce(service, configuration, logger)
  return ended
}

const withinLimit = (closing: Promise<unknown>) =>
  Promise.race([closing, delay(STATEMENT_LIMIT, undefined, { ref: false })])

/** The server to use: the configured one, or the embedded one, which is started and whose early end is an error. */
async function findDatabase(source: DatabaseSource, logger: Logger) {
  logger.info(`Database: ${source.source}`)
  if (source.source !== 'embedded') return { server: source.server, ended: new Promise<never>(() => {}) }
  const starting = startEmbeddedDatabase(source.dataDirectory, (message) => logger.info(message))
  // Also when a signal comes before it has started.
  opened.push(() =>
    starting.then(
      (started) => started.stop(),
      () => {},
    ),
  )
  const embedded = await starting
  const server = {
    ...embedded.connection,
    sslMode: 'disable',
    sslRootCertificate: undefined,
    secretArn: undefined,
  } as const
  return { server, ended: embedded.ended.then((reason) => Promise.reject(new StartError(reason))) }
}

/** Waits for the database and brings its schema to this version. */
async function prepareDatabase(
  database: Database,
  server: DatabaseServer,
  startTimeout: number,
  logger: Logger,
) {
  await waitForDatabase(database, server, startTimeout, (message) => logger.warn(message))
  const client = await openClient(database)
  try {
    await migrate(client, (message) => logger.info(message))
  } finally {
    await client.end()
  }
}

/** Asks both at once, so that together they take no longer than one. */
async function isReady(database: Database): Promise<boolean> {
  const [applied] = await Promise.all([
    migrationsApplied((text, values) => database.result({ name: 'ready', text, values })),
    checkDatabase(database),
  ])
  return applied
}

/** Fewer connections than are configured where the operating system does not let the process open so many files. */
function limitsFor({ serviceLimits, databaseLimits }: Configuration, logger: Logger): ServiceLimits {
  const most = mostConnections(databaseLimits.poolSize + LANES)
  if (serviceLimits.connectionLimit <= most) return serviceLimits
  logger.warn(`CONNECTION_LIMIT is ${most}, because the process may not open more files (ulimit -n).`)
  return { ...serviceLimits, connectionLimit: most }
}

async function listen({ server }: Service, { host, port }: Configuration): Promise<void> {
  server.listen({ port, host, backlog: BACKLOG })
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = { EADDRINUSE: 'is taken', EACCES: 'may not be used by this user' }[code ?? '']
    throw new StartError(
      reason === undefined
        ? `HOST is ${host}, at which this machine cannot listen (${code}).`
        : `PORT ${port} ${reason}. Give the service another PORT, or end what listens there.`,
    )
  }
}

function announce({ server }: Service, { host, publicUrl }: Configuration, logger: Logger): void {
  const { port, family } = server.address() as AddressInfo
  const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : family === 'IPv6' ? `[${host}]` : host
  const address = `http://${name}:${port}`
  const example = `curl -i ${address}/todos -H "Content-Type: application/json" -d "{\\"title\\":\\"Water the plants\\"}"`
  logger.info(`Ready on ${address}${publicUrl === undefined ? '' : `, for clients ${publicUrl}`}`)
  logger.info(`Documentation: ${address}/docs`)
  logger.info(`Try: ${example}`)
}

function forgetRegularly(store: Store, logger: Logger): NodeJS.Timeout {
  const forget = () =>
    store
      .forgetExpiredKeys()
      .catch((error) => logger.warn({ error }, 'Expired idempotency keys could not be deleted.'))
  return setInterval(forget, FORGET_INTERVAL)
}

/** The first signal; a second one ends the process at once. */
async function stopSignal(): Promise<void> {
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(1))
}

/** Errors of the start that are known are one line; the rest is a fault of the service. */
main().catch((error: unknown) => {
  console.error(error instanceof StartError ? error.message : error)
  process.exitCode = 1
})
