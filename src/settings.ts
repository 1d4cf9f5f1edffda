import { isIP } from 'node:net'
import * as v from 'valibot'

/** One setting of the service: an environment variable, as the README's table shows it. */
interface Setting<Value, Standard extends string | undefined = string | undefined> {
  /** What holds when the variable is absent or empty; undefined where it is optional. */
  readonly standard: Standard
  readonly meaning: string
  /** What may be written, in words; an error message ends with them. */
  readonly allowed: string
  /** The value is never shown, neither in a message nor in a log. */
  readonly secret: boolean
  readonly form: v.GenericSchema<string, Value>
}

/** What is allowed, in words and as a check, so that the two cannot drift apart. */
type Form<Value> = Pick<Setting<Value>, 'allowed' | 'form'>

const text: Form<string> = { allowed: 'any text', form: v.string() }

const wholeNumber = (minimum: number, maximum: number): Form<number> => ({
  allowed: `a whole number from ${minimum} to ${maximum}`,
  form: v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number), v.minValue(minimum), v.maxValue(maximum)),
})

const seconds = (minimum: number, maximum: number): Form<number> => ({
  allowed: `seconds, from ${minimum} to ${maximum}, with decimals if wanted`,
  form: v.pipe(
    v.string(),
    v.regex(/^\d+(\.\d+)?$/),
    v.transform(Number),
    v.minValue(minimum),
    v.maxValue(maximum),
  ),
})

const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words): Form<Words[number]> => ({
  allowed: words.join(', '),
  form: v.pipe(v.string(), v.picklist(words)),
})

const hasUser = ({ username, password }: URL) => username !== '' || password !== ''

const isHttpUrl = (value: string) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)

const publicUrl: Form<string> = {
  allowed: 'an absolute http or https URL without user, query and fragment',
  form: v.pipe(
    v.string(),
    v.check((value) => isHttpUrl(value) && !/[?#]/.test(value) && !hasUser(new URL(value))),
    // An apostrophe may stand in an address, but not where the contract and its samples put one into quotes.
    v.transform((value) => new URL(value).href.replace(/\/+$/, '').replaceAll("'", '%27')),
  ),
}

const origins: Form<'*' | string[]> = {
  allowed: '* for any, or a comma-separated list of origins such as https://example.com',
  form: v.pipe(
    v.string(),
    v.transform((value) => (value.trim() === '*' ? '*' : value.split(',').map((origin) => origin.trim()))),
    v.check(
      (list) =>
        list === '*' || list.every((origin) => isHttpUrl(origin) && new URL(origin).origin === origin),
    ),
  ),
}

/** An address, a subnet, or one of the names that Express's `trust proxy` knows. */
function isTrustable(proxy: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(proxy)) return true
  const [address = '', prefix, ...rest] = proxy.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return (
    bits > 0 &&
    rest.length === 0 &&
    (prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits))
  )
}

const trustedProxies: Form<false | number | string[]> = {
  allowed:
    'off, the number of proxies in front (1 to 20), or a comma-separated list of addresses, subnets such as ' +
    '10.0.0.0/8, loopback, linklocal, uniquelocal',
  form: v.pipe(
    v.string(),
    v.transform((value) => {
      if (value === 'off') return false
      return /^\d+$/.test(value) ? Number(value) : value.split(',').map((proxy) => proxy.trim())
    }),
    v.check((value) =>
      typeof value === 'number' ? value >= 1 && value <= 20 : value === false || value.every(isTrustable),
    ),
  ),
}

const secretArn: Form<string> = {
  allowed: 'the ARN of a secret in AWS Secrets Manager, arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME',
  form: v.pipe(v.string(), v.regex(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+$/)),
}

function setting<Value, const Standard extends string | undefined>(
  standard: Standard,
  meaning: string,
  form: Form<Value>,
): Setting<Value, Standard> {
  return { standard, meaning, ...form, secret: false }
}

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/**
 * Every setting there is, in the order of the README's table, which a test holds against this one.
 * The AWS SDK reads its own `AWS_…` variables where `DATABASE_SECRET_ARN` is set.
 */
export const settings = {
  HOST: setting('127.0.0.1', 'The address to listen on.', text),
  PORT: setting('3000', 'The port to listen on; 0 takes a free one.', wholeNumber(0, 65_535)),
  DATABASE_URL: {
    ...setting(undefined, 'The database, as a connection URI.', {
      allowed: 'postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…, special characters percent-encoded',
      form: v.string(),
    }),
    secret: true,
  },
  PGHOST: setting(undefined, "The database's host, or the directory of its socket.", text),
  PGPORT: setting('5432', "The database's port.", wholeNumber(1, 65_535)),
  PGDATABASE: setting(undefined, "The database's name; the user's name unless given.", text),
  PGUSER: setting(undefined, 'The database user; the name of the system user unless given.', text),
  PGPASSWORD: { ...setting(undefined, "The database user's password.", text), secret: true },
  PGSSLMODE: setting(
    undefined,
    'TLS to the database, as libpq means it: `prefer`, and `verify-full` for RDS hosts, unless given.',
    oneOf(SSL_MODES),
  ),
  PGSSLROOTCERT: setting(
    undefined,
    'A file of certificates that `verify-ca` and `verify-full` trust; unless given, those of RDS for RDS hosts and ' +
      "Node.js's for others.",
    text,
  ),
  DATABASE_SECRET_ARN: setting(
    undefined,
    'User and password of the database come from this secret in AWS Secrets Manager.',
    secretArn,
  ),
  DATA_DIRECTORY: setting('./.data', "The embedded database's home, where no other database is given.", text),
  POOL_SIZE: setting(
    '10',
    'How many connections to the database are opened at most, beside two for short reads.',
    wholeNumber(1, 500),
  ),
  CONNECT_TIMEOUT: setting(
    '2',
    'How long a request waits for a connection to the database, and how long making one may take.',
    seconds(0.1, 60),
  ),
  STATEMENT_TIMEOUT: setting('5', 'How long one statement may run in the database.', seconds(1, 300)),
  START_TIMEOUT: setting('60', 'How long a start waits for a database that is away.', seconds(0, 3600)),
  REQUEST_TIMEOUT: setting('30', 'How long a request may take to arrive.', seconds(1, 300)),
  ANSWER_TIMEOUT: setting('30', 'How long a client may take to read an answer.', seconds(1, 300)),
  HEADER_LIMIT: setting(
    '16384',
    "The size of a request's address and header fields together in bytes, without what stands between them.",
    wholeNumber(4_096, 65_536),
  ),
  FIELD_LIMIT: setting('4096', 'How many header fields a request may have.', wholeNumber(100, 65_536)),
  BODY_LIMIT: setting(
    '102400',
    'The bytes of a request body, at most `CLIENT_MEMORY` and `CLIENT_MEMORY_PER_ADDRESS`. (The least lets every valid todo through.)',
    wholeNumber(65_536, 10_485_760),
  ),
  CHUNK_LIMIT: setting(
    '4096',
    'In how many chunks of less than 1 kB a request body may come, for each costs time; twice as many close the connection.',
    wholeNumber(100, 1_000_000),
  ),
  CONNECTION_LIMIT: setting(
    '10000',
    'How many connections of clients are open at once; beyond, those that have been idle for the longest are closed.',
    wholeNumber(10, 100_000),
  ),
  CLIENT_MEMORY: setting(
    '33554432',
    'How many bytes unfinished requests and unread answers may hold in all; beyond, the largest and oldest are given up.',
    wholeNumber(1_048_576, 17_179_869_184),
  ),
  CLIENT_MEMORY_PER_ADDRESS: setting(
    '16777216',
    'The same for the connections of one address; a trusted proxy has no such limit.',
    wholeNumber(1_048_576, 17_179_869_184),
  ),
  CONCURRENCY_LIMIT: setting(
    '32',
    'How many requests are handled at once; the others wait for their turn. More than `POOL_SIZE`, to keep it busy.',
    wholeNumber(1, 10_000),
  ),
  QUEUE_TIMEOUT: setting(
    '0.5',
    'How long a request waits for its turn before it is refused.',
    seconds(0.01, 60),
  ),
  QUEUE_LIMIT: setting(
    '10000',
    'How many requests wait for their turn or for their refusal.',
    wholeNumber(1, 100_000),
  ),
  REFUSAL_DELAY: setting(
    '1',
    'After how long at least a request that waited in vain gets its 503, so that its client does not try again at once.',
    seconds(0, 60),
  ),
  REFUSAL_TIMEOUT: setting(
    '8',
    'After how long at most, when there are so many of them that their answers would take time from other requests.',
    seconds(0, 60),
  ),
  LINGER_TIMEOUT: setting(
    '1',
    'How long further requests are read and thrown away after an answer that closes the connection.',
    seconds(0, 30),
  ),
  LINGER_LIMIT: setting(
    '33554432',
    'How many bytes are read and thrown away after an early answer; beyond, the connection is closed within 250 ms.',
    wholeNumber(0, 1_073_741_824),
  ),
  SHUTDOWN_DELAY: setting(
    '0',
    'How long the service goes on serving after SIGTERM, while a load balancer looks away.',
    seconds(0, 300),
  ),
  PUBLIC_URL: setting(undefined, 'Where clients reach the service; links begin with it.', publicUrl),
  TRUST_PROXY: setting('off', 'Whose `X-Forwarded-…` headers are believed.', trustedProxies),
  CORS_ORIGIN: setting('*', 'Which web pages may call the service.', origins),
  LOG_LEVEL: setting(
    'info',
    'What is logged.',
    oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  ),
} satisfies Record<string, Setting<unknown>>

type Settings = typeof settings
export type SettingName = keyof Settings
export type SslMode = (typeof SSL_MODES)[number]

/** What a name in the table stands for; undefined only where the table has no standard. */
export type SettingValues = {
  [Name in SettingName]:
    | v.InferOutput<Settings[Name]['form']>
    | (Settings[Name]['standard'] extends string ? never : undefined)
}
