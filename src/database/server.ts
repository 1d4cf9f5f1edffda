import { userInfo } from 'node:os'
import * as v from 'valibot'
import { type SettingValues, type SslMode, settings } from '../settings.js'

/** A PostgreSQL server and what to say to it. */
export interface Server {
  /** A host name, an address, or the directory of a Unix socket. */
  readonly host: string
  readonly port: number
  /** Undefined: named like the user, who may be known only once a secret has been read. */
  readonly database: string | undefined
  readonly user: string
  readonly password: string | undefined
  readonly sslMode: SslMode
  /** A file of trusted certificates (PEM). */
  readonly sslRootCertificate: string | undefined
  /** The secret in AWS Secrets Manager that stands in for user and password. */
  readonly secretArn: string | undefined
}

/** Limits of the database's use; times in milliseconds. */
export interface DatabaseLimits {
  readonly poolSize: number
  readonly connectTimeout: number
  readonly statementTimeout: number
}

/** What one source (a URI, a file) says of the server, not yet checked; the settings fill in what it leaves open. */
export type ServerParts = {
  readonly [Part in
    | 'host'
    | 'port'
    | 'database'
    | 'user'
    | 'password'
    | 'sslMode'
    | 'sslRootCertificate']?: string
}

/** A part that cannot be used. The message continues a sentence about its source, and shows nothing secret. */
export class UnusablePart extends Error {}

/** Which setting knows the form of a part. */
const FORMS = { port: settings.PGPORT, sslMode: settings.PGSSLMODE }

/** Hosts of Amazon RDS and Aurora, its proxies and its partition in China included. */
export const isRdsHost = (host: string) => /\.rds\.amazonaws\.com(\.cn)?\.?$/i.test(host)

/**
 * The server that the parts describe, with libpq's defaults for what they leave open: first the `PG…` variables, then
 * the name of the system's user for the user's, and the user's for the database's.
 *
 * @throws UnusablePart when a part has no valid form.
 */
export function completeServer(parts: ServerParts, values: SettingValues): Server {
  const host = parts.host ?? values.PGHOST ?? 'localhost'
  if (host.includes(',')) throw new UnusablePart('names several hosts; allowed: one')
  return {
    host,
    port: parsePart('port', parts.port) ?? values.PGPORT,
    database: parts.database ?? values.PGDATABASE,
    user: parts.user ?? values.PGUSER ?? userInfo().username,
    password: parts.password ?? values.PGPASSWORD,
    sslMode:
      parsePart('sslMode', parts.sslMode) ?? values.PGSSLMODE ?? (isRdsHost(host) ? 'verify-full' : 'prefer'),
    sslRootCertificate: parts.sslRootCertificate ?? values.PGSSLROOTCERT,
    secretArn: values.DATABASE_SECRET_ARN,
  }
}

type PartForm<Part extends keyof typeof FORMS> = v.InferOutput<(typeof FORMS)[Part]['form']>

function parsePart<Part extends keyof typeof FORMS>(
  part: Part,
  value: string | undefined,
): PartForm<Part> | undefined {
  if (value === undefined) return undefined
  const { form, allowed } = FORMS[part]
  const result = v.safeParse(form as v.GenericSchema<string, PartForm<Part>>, value)
  if (result.success) return result.output
  throw new UnusablePart(`has the ${part === 'port' ? 'port' : 'sslmode'} "${value}"; allowed: ${allowed}`)
}

/** libpq's `ssl…` words in a URI, and the two that say user and database once more. */
const URI_PARAMETERS = {
  host: 'host',
  port: 'port',
  user: 'user',
  password: 'password',
  dbname: 'database',
  sslmode: 'sslMode',
  sslrootcert: 'sslRootCertificate',
} as const

/** Parameters of libpq that services put into the addresses they hand out, and that mean nothing here. */
const LIBPQ_PARAMETERS = new Set([
  'application_name',
  'channel_binding',
  'client_encoding',
  'connect_timeout',
  'fallback_application_name',
  'gssencmode',
  'keepalives',
  'options',
  'pgbouncer',
  'schema',
  'sslcert',
  'sslkey',
  'target_session_attrs',
])

const uri =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<host>\[[^\]]*\]|[^:/?#@]*)(?::(?<port>\d*))?(?:\/(?<database>[^?#@/]*))?(?:\?(?<query>[^#]*))?$/

/**
 * The parts of a connection URI, as PostgreSQL's documentation of libpq (34.1.1.2) describes it, with one host.
 *
 * @throws UnusablePart when it is not one; the message never shows any of it.
 */
export function parseConnectionUri(value: string): ServerParts {
  if (!/^postgres(ql)?:\/\//.test(value)) throw new UnusablePart('does not begin with postgresql://')
  const { query = '', ...found } = uri.exec(value)?.groups ?? {}
  if (found.host === undefined) {
    throw new UnusablePart(
      'cannot be read (are special characters, in the password for example, percent-encoded?)',
    )
  }
  const parts: Record<string, string> = {}
  for (const [part, encoded] of Object.entries(found)) {
    if (encoded) parts[part] = decode(part === 'host' ? encoded.replace(/^\[(.*)\]$/, '$1') : encoded)
  }
  // Not shown: where the host was forgotten, it is the password.
  if (parts.port && !v.is(FORMS.port.form, parts.port))
    throw new UnusablePart(`has a port that is none (is the host missing?); allowed: ${FORMS.port.allowed}`)
  for (const parameter of query.split('&').filter(Boolean)) {
    const [name = '', encoded = ''] = parameter.split(/=(.*)/s)
    if (!Object.hasOwn(URI_PARAMETERS, name)) {
      const shown = LIBPQ_PARAMETERS.has(name) ? ` ${name}` : '' // anything else may be a piece of a password
      throw new UnusablePart(
        `has an unknown parameter${shown} after the question mark (known: ${Object.keys(URI_PARAMETERS).join(', ')})`,
      )
    }
    parts[URI_PARAMETERS[name as keyof typeof URI_PARAMETERS]] = decode(encoded)
  }
  return parts
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    throw new UnusablePart(
      'has a percent sign that is not followed by two hexadecimal digits (write %25 for %)',
    )
  }
}
