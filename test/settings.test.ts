import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Configuration, readConfiguration } from '../src/configuration.js'
import { type SettingName, settings } from '../src/settings.js'
import { StartError } from '../src/start-error.js'
import { startFailing, startService } from './support/service.js'

const emptyDirectory = await mkdtemp(join(tmpdir(), 'todo-settings-'))
after(() => rm(emptyDirectory, { recursive: true }))

const read = (environment: Record<string, string>) => readConfiguration(environment, emptyDirectory)

/** What a setting becomes, in the configuration or in the server that it describes. */
const serverOf = (configuration: Configuration) =>
  configuration.database.source === 'embedded' ? undefined : configuration.database.server

const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1a2b-Xyz123'

interface Example {
  /** Environment variables that make the setting count. */
  readonly beside?: Record<string, string>
  readonly result: (configuration: Configuration) => unknown
  /** What it is when absent and when empty. */
  readonly standard: unknown
  readonly good: readonly (readonly [found: string, becomes: unknown])[]
  readonly bad: readonly string[]
}

const besideHost = { PGHOST: 'db.example.com' }

const examples: Record<SettingName, Example> = {
  HOST: {
    result: ({ host }) => host,
    standard: '127.0.0.1',
    good: [['::', '::']],
    bad: [],
  },
  PORT: {
    result: ({ port }) => port,
    standard: 3000,
    good: [
      ['0', 0],
      ['65535', 65_535],
    ],
    bad: ['65536', '-1', '80.5', '0x50', '1e3', 'http', ' 80'],
  },
  DATABASE_URL: {
    result: (configuration) => serverOf(configuration)?.host,
    standard: undefined,
    good: [
      ['postgres://a.example.com/todos', 'a.example.com'],
      ['postgresql://b.example.com', 'b.example.com'],
    ],
    bad: [
      'mysql://a.example.com/todos',
      'a.example.com',
      'postgres://u:p/w@a.example.com',
      'postgres://%zz@a/b',
    ],
  },
  PGHOST: {
    result: (configuration) => serverOf(configuration)?.host,
    standard: undefined,
    good: [
      ['db.example.com', 'db.example.com'],
      ['/var/run/postgresql', '/var/run/postgresql'],
    ],
    bad: ['a.example.com,b.example.com'],
  },
  PGPORT: {
    beside: besideHost,
    result: (configuration) => serverOf(configuration)?.port,
    standard: 5432,
    good: [['6432', 6432]],
    bad: ['0', '65536', 'five'],
  },
  PGDATABASE: {
    beside: besideHost,
    result: (configuration) => serverOf(configuration)?.database,
    standard: undefined,
    good: [['todos', 'todos']],
    bad: [],
  },
  PGUSER: {
    beside: besideHost,
    result: (configuration) => serverOf(configuration)?.user,
    standard: userInfo().username,
    good: [['carol', 'carol']],
    bad: [],
  },
  PGPASSWORD: {
    beside: besideHost,
    result: (configuration) => serverOf(configuration)?.password,
    standard: undefined,
    good: [[' päss ', ' päss ']],
    bad: [],
  },
  PGSSLMODE: {
    beside: besideHost,
    result: (configuration) => serverOf(configuration)?.sslMode,
    standard: 'prefer',
    good: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'].map(
      (mode) => [mode, mode] as const,
    ),
    bad: ['on', 'VERIFY-FULL', 'no-verify'],
  },
  PGSSLROOTCERT: {
    beside: besideHost,
    result: (configuration) => serverOf(configuration)?.sslRootCertificate,
    standard: undefined,
    good: [['/etc/ssl/own.pem', '/etc/ssl/own.pem']],
    bad: [],
  },
  DATABASE_SECRET_ARN: {
    beside: besideHost,
    result: (configuration) => serverOf(configuration)?.secretArn,
    standard: undefined,
    good: [[arn, arn]],
    bad: ['my-secret', 'arn:aws:s3:::bucket', arn.replace('123456789012', '12')],
  },
  DATA_DIRECTORY: {
    result: ({ database }) => (database.source === 'embedded' ? database.dataDirectory : undefined),
    standard: join(emptyDirectory, '.data'),
    good: [
      ['/var/lib/todo', '/var/lib/todo'],
      ['here', join(emptyDirectory, 'here')],
    ],
    bad: [],
  },
  POOL_SIZE: {
    result: ({ databaseLimits }) => databaseLimits.poolSize,
    standard: 10,
    good: [['500', 500]],
    bad: ['0', '501', '1.5', 'many'],
  },
  CONNECT_TIMEOUT: {
    result: ({ databaseLimits }) => databaseLimits.connectTimeout,
    standard: 2000,
    good: [
      ['0.1', 100],
      ['60', 60_000],
    ],
    bad: ['0', '61', '1s', '-1', '.5', 'Infinity'],
  },
  STATEMENT_TIMEOUT: {
    result: ({ databaseLimits }) => databaseLimits.statementTimeout,
    standard: 5000,
    good: [['2.5', 2500]],
    bad: ['0', '0.5', '301', '5000ms'],
  },
  START_TIMEOUT: {
    result: ({ startTimeout }) => startTimeout,
    standard: 60_000,
    good: [['0', 0]],
    bad: ['3601', 'forever'],
  },
  REQUEST_TIMEOUT: {
    result: ({ serviceLimits }) => serviceLimits.requestTimeout,
    standard: 30_000,
    good: [
      ['1', 1000],
      ['16.1', 16_100],
      ['1.0006', 1_001],
    ],
    bad: ['0', '301'],
  },
  ANSWER_TIMEOUT: {
    result: ({ serviceLimits }) => serviceLimits.answerTimeout,
    standard: 30_000,
    good: [['1.5', 1_500]],
    bad: ['0', '301'],
  },
  HEADER_LIMIT: {
    result: ({ serviceLimits }) => serviceLimits.headerLimit,
    standard: 16_384,
    good: [['8192', 8_192]],
    bad: ['4095', '65537', '8k'],
  },
  FIELD_LIMIT: {
    result: ({ serviceLimits }) => serviceLimits.fieldLimit,
    standard: 4_096,
    good: [['100', 100]],
    bad: ['99', '65537'],
  },
  CHUNK_LIMIT: {
    result: ({ serviceLimits }) => serviceLimits.chunkLimit,
    standard: 4_096,
    good: [['100', 100]],
    bad: ['99', '1000001'],
  },
  CONNECTION_LIMIT: {
    result: ({ serviceLimits }) => serviceLimits.connectionLimit,
    standard: 10_000,
    good: [['10', 10]],
    bad: ['9', '100001'],
  },
  CLIENT_MEMORY: {
    result: ({ serviceLimits }) => serviceLimits.clientMemory,
    standard: 33_554_432,
    good: [['1048576', 1_048_576]],
    bad: ['1048575', '64 MB'],
  },
  CLIENT_MEMORY_PER_ADDRESS: {
    result: ({ serviceLimits }) => serviceLimits.clientMemoryPerAddress,
    standard: 16_777_216,
    good: [['1048576', 1_048_576]],
    bad: ['1048575', '-1'],
  },
  CONCURRENCY_LIMIT: {
    result: ({ serviceLimits }) => serviceLimits.concurrencyLimit,
    standard: 32,
    good: [['1', 1]],
    bad: ['0', '10001'],
  },
  QUEUE_TIMEOUT: {
    result: ({ serviceLimits }) => serviceLimits.queueTimeout,
    standard: 500,
    good: [['0.25', 250]],
    bad: ['0', '61'],
  },
  QUEUE_LIMIT: {
    result: ({ serviceLimits }) => serviceLimits.queueLimit,
    standard: 10_000,
    good: [['1', 1]],
    bad: ['0', '100001'],
  },
  REFUSAL_DELAY: {
    result: ({ serviceLimits }) => serviceLimits.refusalDelay,
    standard: 1_000,
    good: [['0', 0]],
    bad: ['61', '-1'],
  },
  REFUSAL_TIMEOUT: {
    result: ({ serviceLimits }) => serviceLimits.refusalTimeout,
    standard: 8_000,
    good: [['0', 0]],
    bad: ['61', '-1'],
  },
  LINGER_TIMEOUT: {
    result: ({ serviceLimits }) => serviceLimits.lingerTimeout,
    standard: 1_000,
    good: [['0', 0]],
    bad: ['31', '-1'],
  },
  LINGER_LIMIT: {
    result: ({ serviceLimits }) => serviceLimits.lingerLimit,
    standard: 33_554_432,
    good: [['0', 0]],
    bad: ['1073741825', '-1'],
  },
  BODY_LIMIT: {
    result: ({ serviceLimits }) => serviceLimits.bodyLimit,
    standard: 102_400,
    good: [['65536', 65_536]],
    bad: ['100kb', '65535', '10485761'],
  },
  SHUTDOWN_DELAY: {
    result: ({ shutdownDelay }) => shutdownDelay,
    standard: 0,
    good: [['0.25', 250]],
    bad: ['301', '-1'],
  },
  PUBLIC_URL: {
    result: ({ publicUrl }) => publicUrl,
    standard: undefined,
    good: [
      ['https://todo.example.com', 'https://todo.example.com'],
      ['https://todo.example.com/', 'https://todo.example.com'],
      ['http://example.com:8080/api/', 'http://example.com:8080/api'],
      ["https://a.example/a'b", 'https://a.example/a%27b'],
    ],
    bad: [
      'todo.example.com',
      'ftp://example.com',
      'https://a.example/?x=1',
      'https://a.example/#x',
      'https://u@a.example',
      'https://:p@a.example',
    ],
  },
  TRUST_PROXY: {
    result: ({ trustProxy }) => trustProxy,
    standard: false,
    good: [
      ['off', false],
      ['1', 1],
      ['loopback, 10.0.0.0/8', ['loopback', '10.0.0.0/8']],
      ['fd00::/8,192.0.2.1', ['fd00::/8', '192.0.2.1']],
    ],
    bad: [
      '0',
      '21',
      'true',
      '10.0.0.0/33',
      'fd00::/129',
      '10.0.0/8',
      'example.com',
      '10.0.0.0/8/8',
      '10.0.0.0/0',
      '::/0',
    ],
  },
  CORS_ORIGIN: {
    result: ({ corsOrigin }) => corsOrigin,
    standard: '*',
    good: [['https://a.example, http://localhost:5173', ['https://a.example', 'http://localhost:5173']]],
    bad: ['https://a.example/', 'a.example', 'null', '*,https://a.example'],
  },
  LOG_LEVEL: {
    result: ({ logLevel }) => logLevel,
    standard: 'info',
    good: [['silent', 'silent']],
    bad: ['verbose', 'INFO'],
  },
}

for (const [name, { beside = {}, result, standard, good, bad }] of Object.entries(examples)) {
  describe(name, () => {
    it('has a standard, which an empty value leaves in place', () => {
      assert.deepEqual(result(read(beside)), standard)
      if (!(name in beside)) assert.deepEqual(result(read({ ...beside, [name]: '' })), standard)
    })
    it('takes good values', () => {
      for (const [found, becomes] of good)
        assert.deepEqual(result(read({ ...beside, [name]: found })), becomes)
    })
    it('refuses bad values in one line with its name, what was found, unless secret, and what is allowed', () => {
      for (const found of bad) {
        const message = refusal({ ...beside, [name]: found })
        assert.match(message, new RegExp(`^${name} [^\\n]+$`), found)
        if (settings[name as SettingName].secret) assert.ok(!message.includes(found), message)
      }
    })
  })
}

describe('Settings', () => {
  it('that are wrong are reported together', () => {
    const message = refusal({ PORT: 'http', LOG_LEVEL: 'loud', POOL_SIZE: '0' })
    for (const name of ['PORT is "http"', 'LOG_LEVEL is "loud"', 'POOL_SIZE is "0"']) {
      assert.ok(message.includes(name), message)
    }
  })

  it('that are wrong end the start with one line and exit code 1', async () => {
    const { exitCode, output } = await startFailing({ LOG_LEVEL: 'loud', PORT: '1e3' })
    assert.equal(exitCode, 1)
    assert.equal(
      output,
      'PORT is "1e3"; allowed: a whole number from 0 to 65535. ' +
        'LOG_LEVEL is "loud"; allowed: fatal, error, warn, info, debug, trace, silent',
    )
  })

  it('that no body of BODY_LIMIT could keep to end the start', async () => {
    for (const name of ['CLIENT_MEMORY', 'CLIENT_MEMORY_PER_ADDRESS']) {
      const { exitCode, output } = await startFailing({ BODY_LIMIT: '1048577', [name]: '1048576' })
      assert.equal(exitCode, 1)
      assert.equal(output, `BODY_LIMIT, 1048577, must not exceed ${name}, 1048576`)
    }
  })

  it('that hold a password never show it, neither refused nor in use', async () => {
    const refused = await startFailing({ DATABASE_URL: 'postgres://carol:s3cr3t/@db.example.com/todos' })
    assert.equal(refused.exitCode, 1)
    assert.match(refused.output, /^DATABASE_URL cannot be read/)
    assert.doesNotMatch(refused.output, /s3cr3t/)

    const service = await startService({ LOG_LEVEL: 'trace' })
    await fetch(`${service.url}/todos`)
    const { password } = new URL(service.databaseUrl)
    assert.notEqual(password, '')
    assert.ok(!JSON.stringify(service.logs).includes(password))
  })
})

describe("The README's table of settings", () => {
  it('says what the settings are, and nothing else', async () => {
    const readme = await readFile(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8')
    const [, section = ''] = readme.split('<!-- settings')
    const rows =
      section
        .split('\n\n')[0]
        ?.split('\n')
        .filter((line) => line.startsWith('| `'))
        .map((line) => line.replace(/ +\|/g, ' |')) ?? []
    const expected = Object.entries(settings).map(
      ([name, { standard, meaning, allowed }]) =>
        `| \`${name}\` |${standard === undefined ? '' : ` ${standard}`} | ${meaning} | ${allowed} |`,
    )
    assert.deepEqual(rows, expected)
  })
})

function refusal(environment: Record<string, string>): string {
  try {
    read(environment)
  } catch (error) {
    assert.ok(error instanceof StartError, String(error))
    return error.message
  }
  return assert.fail(`accepted: ${JSON.stringify(environment)}`)
}
