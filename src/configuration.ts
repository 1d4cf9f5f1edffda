import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as v from 'valibot'
import type { ServiceLimits } from './contract/app.js'
import {
  completeServer,
  type DatabaseLimits,
  parseConnectionUri,
  type Server,
  type ServerParts,
  UnusablePart,
} from './database/server.js'
import { type SettingName, type SettingValues, settings } from './settings.js'
import { StartError } from './start-error.js'

/** Which database to use, and who said so. */
export type DatabaseSource =
  | { readonly source: 'DATABASE_URL' | 'PGHOST' | 'manifest.json'; readonly server: Server }
  | { readonly source: 'embedded'; readonly dataDirectory: string }

/** All that the service is told from outside, checked and complete; times in milliseconds, sizes in bytes. */
export interface Configuration {
  readonly host: string
  readonly port: number
  readonly database: DatabaseSource
  readonly databaseLimits: DatabaseLimits
  readonly startTimeout: number
  readonly shutdownDelay: number
  readonly serviceLimits: ServiceLimits
  /** Without a trailing slash. */
  readonly publicUrl: string | undefined
  /** As Express's `trust proxy` takes it. */
  readonly trustProxy: false | number | string[]
  readonly corsOrigin: '*' | string[]
  readonly logLevel: SettingValues['LOG_LEVEL']
}

/**
 * Milliseconds that are left of what the README promises to each request, with CONNECT_TIMEOUT, when it waits as long as
 * it may for a connection and for its statement itself.
 */
const PIPELINE_REST = 1_000

/** Whole, for Node takes no others everywhere, and 16.1 seconds times a thousand are 16100.000000000002. */
const milliseconds = (seconds: number) => Math.round(seconds * 1000)

/**
 * Reads every setting from the environment, and `manifest.json` from the working directory where no variable names a
 * database. Nothing else in the service reads either.
 *
 * @throws StartError naming all wrong settings at once: what was found (unless it is a secret) and what is allowed.
 */
export function readConfiguration(environment: NodeJS.ProcessEnv, workingDirectory: string): Configuration {
  const values = readSettings(environment)
  refuseContradictions(values)
  const databaseLimits = {
    poolSize: values.POOL_SIZE,
    connectTimeout: milliseconds(values.CONNECT_TIMEOUT),
    statementTimeout: milliseconds(values.STATEMENT_TIMEOUT),
  }
  return {
    host: values.HOST,
    port: values.PORT,
    database: chooseDatabase(values, workingDirectory),
    databaseLimits,
    startTimeout: milliseconds(values.START_TIMEOUT),
    shutdownDelay: milliseconds(values.SHUTDOWN_DELAY),
    serviceLimits: {
      requestTimeout: milliseconds(values.REQUEST_TIMEOUT),
      answerTimeout: milliseconds(values.ANSWER_TIMEOUT),
      headerLimit: values.HEADER_LIMIT,
      fieldLimit: values.FIELD_LIMIT,
      bodyLimit: values.BODY_LIMIT,
      chunkLimit: values.CHUNK_LIMIT,
      connectionLimit: values.CONNECTION_LIMIT,
      clientMemory: values.CLIENT_MEMORY,
      clientMemoryPerAddress: values.CLIENT_MEMORY_PER_ADDRESS,
      concurrencyLimit: values.CONCURRENCY_LIMIT,
      queueLimit: values.QUEUE_LIMIT,
      queueTimeout: milliseconds(values.QUEUE_TIMEOUT),
      refusalDelay: milliseconds(values.REFUSAL_DELAY),
      refusalTimeout: milliseconds(values.REFUSAL_TIMEOUT),
      pipelineTimeout: databaseLimits.connectTimeout + PIPELINE_REST,
      lingerTimeout: milliseconds(values.LINGER_TIMEOUT),
      lingerLimit: values.LINGER_LIMIT,
    },
    publicUrl: values.PUBLIC_URL,
    trustProxy: values.TRUST_PROXY,
    corsOrigin: values.CORS_ORIGIN,
    logLevel: values.LOG_LEVEL,
  }
}

function readSettings(environment: NodeJS.ProcessEnv): SettingValues {
  const faults: string[] = []
  const values: Record<string, unknown> = {}
  for (const name of Object.keys(settings) as SettingName[]) {
    const { standard, allowed, secret, form } = settings[name]
    const found = environment[name] || standard
    if (found === undefined) continue
    const result = v.safeParse(form as v.GenericSchema, found)
    if (result.success) values[name] = result.output
    else faults.push(`${name} is ${secret ? 'wrong' : JSON.stringify(found)}; allowed: ${allowed}`)
  }
  if (faults.length > 0) throw new StartError(faults.join('. '))
  return values as SettingValues
}

/** Settings that are right by themselves, and not together. */
function refuseContradictions(values: SettingValues): void {
  for (const name of ['CLIENT_MEMORY', 'CLIENT_MEMORY_PER_ADDRESS'] as const) {
    if (values.BODY_LIMIT <= values[name]) continue
    throw new StartError(`BODY_LIMIT, ${values.BODY_LIMIT}, must not exceed ${name}, ${values[name]}`)
  }
}

/** The first database that is named, in the order that the README gives; otherwise the embedded one. */
function chooseDatabase(values: SettingValues, workingDirectory: string): DatabaseSource {
  const { DATABASE_URL: url } = values
  if (url !== undefined) {
    return {
      source: 'DATABASE_URL',
      server: read('DATABASE_URL', () => completeServer(parseConnectionUri(url), values)),
    }
  }
  if (values.PGHOST !== undefined) {
    return { source: 'PGHOST', server: read('PGHOST', () => completeServer({}, values)) }
  }
  const parts = readManifest(workingDirectory)
  if (parts !== undefined) {
    return { source: 'manifest.json', server: read('manifest.json', () => completeServer(parts, values)) }
  }
  if (values.DATABASE_SECRET_ARN !== undefined) {
    throw new StartError('DATABASE_SECRET_ARN is set, but no database is; set DATABASE_URL or PGHOST too')
  }
  return { source: 'embedded', dataDirectory: resolve(workingDirectory, values.DATA_DIRECTORY) }
}

/** Puts the source's name before what is wrong with it. */
function read(source: string, server: () => Server): Server {
  try {
    return server()
  } catch (error) {
    if (error instanceof UnusablePart) throw new StartError(`${source} ${error.message}`)
    throw error
  }
}

const nonEmpty = v.pipe(v.string(), v.nonEmpty())

/** The Flask app's settings file: five strings, and whatever else is in it. */
const manifestForm = v.pipe(
  v.unknown(),
  v.check((content) => !Array.isArray(content)),
  v.object({
    database_server_host: nonEmpty,
    database_server_port: nonEmpty,
    database: nonEmpty,
    db_user: nonEmpty,
    db_password: v.string(),
  }),
)

function readManifest(workingDirectory: string): ServerParts | undefined {
  const file = join(workingDirectory, 'manifest.json')
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw new StartError(`${file} is not valid JSON`)
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new StartError(`${file} is there but cannot be read (${code})`)
  }
  const manifest = v.safeParse(manifestForm, content)
  if (!manifest.success) {
    const faults = manifest.issues.map(({ path }) => describeFault(content, path?.[0]?.key))
    throw new StartError(`${file}: ${faults.join('; ')}`)
  }
  return {
    host: manifest.output.database_server_host,
    port: manifest.output.database_server_port,
    database: manifest.output.database,
    user: manifest.output.db_user,
    password: manifest.output.db_password,
  }
}

function describeFault(content: unknown, key: unknown): string {
  if (key === undefined) return 'must be a JSON object'
  const value = (content as Record<string, unknown>)[String(key)]
  if (value === undefined) return `${String(key)} is missing; it must be a string`
  if (value === '') return `${String(key)} is empty`
  return `${String(key)} must be a string in quotation marks, and is ${value === null ? 'null' : `a ${typeof value}`}`
}
