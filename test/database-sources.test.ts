import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readConfiguration } from '../src/configuration.js'
import { createDatabase, giveToServer, startCluster } from './support/cluster.js'
import { type Settings, startFailing, startService } from './support/service.js'

/** Empty values count as absent; naming them keeps the helper from adding a database of its own. */
const noSource = { DATABASE_URL: '', PGHOST: '' }

const folders: string[] = []
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'todo-source-'))
  folders.push(folder)
  return folder
}

async function folderWithManifest(content: unknown): Promise<string> {
  const folder = await makeFolder()
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  await writeFile(join(folder, 'manifest.json'), text)
  return folder
}

interface Address {
  host: string
  port: string
  database: string
  user: string
  password: string
}

const addressOf = (url: string): Address => {
  const { hostname: host, port, pathname, username: user, password } = new URL(url)
  return { host, port, database: pathname.slice(1), user, password }
}

const manifestOf = ({ host, port, database, user, password }: Address) => ({
  database_server_host: host,
  database_server_port: port,
  database,
  db_user: user,
  db_password: password,
})

const variablesOf = ({ host, port, database, user, password }: Address) => ({
  PGHOST: host,
  PGPORT: port,
  PGDATABASE: database,
  PGUSER: user,
  PGPASSWORD: password,
})

/** Starts the service, creates a todo, and gives the source it logged and what is stored where. */
async function sourceTaken(settings: Settings, workingDirectory?: string): Promise<unknown> {
  const service = await startService(settings, workingDirectory)
  const answer = await fetch(`${service.url}/todos`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"title":"Find me"}',
  })
  assert.equal(answer.status, 201)
  const line = service.logs.find(({ msg }) => String(msg).startsWith('Database: '))
  await service.stop()
  return line?.msg
}

describe('The database', () => {
  let address: Address
  let url: string
  before(async () => {
    url = await createDatabase()
    address = addressOf(url)
  })
  const wrong: Address = { host: '127.0.0.1', port: '1', database: 'no', user: 'no', password: 'no' }

  it('is the one of DATABASE_URL before all others', async () => {
    const folder = await folderWithManifest(manifestOf(wrong))
    const taken = await sourceTaken({ ...variablesOf(wrong), DATABASE_URL: url }, folder)
    assert.equal(taken, 'Database: DATABASE_URL')
  })

  it('is the one of PGHOST before manifest.json', async () => {
    const folder = await folderWithManifest(manifestOf(wrong))
    assert.equal(await sourceTaken({ ...variablesOf(address) }, folder), 'Database: PGHOST')
  })

  it('is the one of manifest.json when no variable names one, whatever other PG variables say', async () => {
    const folder = await folderWithManifest({ ...manifestOf(address), debug: true })
    const { PGHOST, ...others } = variablesOf(wrong)
    assert.equal(await sourceTaken({ ...noSource, ...others }, folder), 'Database: manifest.json')
  })

  it('is an embedded one when nothing names one', async () => {
    const folder = await makeFolder()
    assert.equal(await sourceTaken(noSource, folder), 'Database: embedded')
  })
})

describe('manifest.json', () => {
  const good = manifestOf({ host: 'db', port: '5432', database: 'todos', user: 'carol', password: '' })

  const faults: Record<string, [content: unknown, message: RegExp]> = {
    'without a key': [
      { ...good, db_user: undefined },
      /manifest\.json: db_user is missing; it must be a string$/,
    ],
    'with a number': [
      { ...good, database_server_port: 5432 },
      /manifest\.json: database_server_port must be a string in quotation marks, and is a number$/,
    ],
    'with null': [{ ...good, db_password: null }, /manifest\.json: db_password must be .*, and is null$/],
    'with an empty host': [
      { ...good, database_server_host: '' },
      /manifest\.json: database_server_host is empty$/,
    ],
    'with several faults': [
      { ...good, database: undefined, db_user: 7 },
      /manifest\.json: database is missing; it must be a string; db_user must be .* a number$/,
    ],
    'with a port that is none': [
      { ...good, database_server_port: 'five' },
      /^manifest\.json has the port "five"; allowed: a whole number from 1 to 65535$/,
    ],
    'that is a list': [[good], /manifest\.json: must be a JSON object$/],
    'that is broken JSON': [
      '{"database": "todos", "db_password": "s3cr3t",}',
      /manifest\.json is not valid JSON$/,
    ],
  }
  for (const [what, [content, message]] of Object.entries(faults)) {
    it(`${what} stops the start with one line`, async () => {
      const { exitCode, output } = await startFailing(noSource, await folderWithManifest(content))
      assert.equal(exitCode, 1)
      assert.match(output, message)
      assert.doesNotMatch(output, /\n|s3cr3t/)
    })
  }

  it('that cannot be read stops the start with one line', async () => {
    const folder = await makeFolder()
    await mkdir(join(folder, 'manifest.json'))
    const { exitCode, output } = await startFailing(noSource, folder)
    assert.equal(exitCode, 1)
    assert.match(output, /^\S+manifest\.json is there but cannot be read \(EISDIR\)$/)
  })

  it('takes an empty password', async () => {
    const { database } = readConfiguration({}, await folderWithManifest(good))
    assert.ok(database.source === 'manifest.json')
    assert.equal(database.server.password, '')
  })
})

describe('DATABASE_URL', () => {
  const server = (url: string, environment = {}) => {
    const { database } = readConfiguration({ ...environment, DATABASE_URL: url }, '/nowhere')
    assert.ok(database.source === 'DATABASE_URL')
    const { host, port, database: name, user, password, sslMode, sslRootCertificate } = database.server
    return { host, port, name, user, password, sslMode, sslRootCertificate }
  }

  it('may have every part, percent-encoded', () => {
    assert.deepEqual(server('postgresql://c%40rol:p%2F%25@db.example.com:6432/my%20todos'), {
      ...{ host: 'db.example.com', port: 6432, name: 'my todos', user: 'c@rol', password: 'p/%' },
      ...{ sslMode: 'prefer', sslRootCertificate: undefined },
    })
  })

  it('may say the parts as parameters, which count more', () => {
    const url =
      'postgres://db.example.com/a?host=other.example.com&port=1234&dbname=b&user=carol&password=x%26y' +
      '&sslmode=verify-ca&sslrootcert=/etc/ca.pem'
    assert.deepEqual(server(url, { PGSSLMODE: 'disable' }), {
      ...{ host: 'other.example.com', port: 1234, name: 'b', user: 'carol', password: 'x&y' },
      ...{ sslMode: 'verify-ca', sslRootCertificate: '/etc/ca.pem' },
    })
  })

  it('may name the directory of a Unix socket in both ways, and an IPv6 address', () => {
    assert.equal(server('postgres:///todos?host=/var/run/postgresql').host, '/var/run/postgresql')
    assert.equal(server('postgres://carol@%2Fvar%2Frun%2Fpostgresql/todos').host, '/var/run/postgresql')
    assert.equal(server('postgres://carol@/todos?host=/tmp').user, 'carol')
    assert.equal(server('postgres://[2001:db8::1]:5433/todos').host, '2001:db8::1')
  })

  it('leaves to the PG variables what it does not say', () => {
    const environment = { PGUSER: 'carol', PGPASSWORD: 'x', PGPORT: '6432', PGDATABASE: 'todos' }
    const { port, user, password, name } = server('postgres://db.example.com', environment)
    assert.deepEqual(
      { port, user, password, name },
      { port: 6432, user: 'carol', password: 'x', name: 'todos' },
    )
  })

  it('is refused in one line that shows none of it', () => {
    const faults: [url: string, message: RegExp][] = [
      ['postgres://u:s3cr3t/x@h/db', /^DATABASE_URL cannot be read .*percent-encoded\?\)$/],
      ['postgres://u:x@s3cr3t@h/db', /^DATABASE_URL cannot be read/],
      ['postgres://u:1/s3cr3t@h/db', /^DATABASE_URL cannot be read/],
      ['postgres://u:s3cr3t%@h/db', /^DATABASE_URL has a percent sign/],
      ['postgres://u:s3cr3t@h/db?pool=5', /^DATABASE_URL has an unknown parameter .*\(known: host, port, /],
      [
        'postgres://u:s3cr3t@h/db?channel_binding=require',
        /^DATABASE_URL has an unknown parameter channel_binding after the question mark/,
      ],
      ['mysql://u:s3cr3t@h/db', /^DATABASE_URL does not begin with postgresql:\/\/$/],
      ['postgres://u:s3cr3t@h:99999/db', /^DATABASE_URL has a port that is none .*; allowed: a whole number/],
      ['postgres://s3cr3t:987654321/db', /^DATABASE_URL has a port that is none \(is the host missing\?\)/],
      ['postgres://u:s3cr3t@h/db?sslmode=on', /^DATABASE_URL has the sslmode "on"; allowed: /],
      ['postgres://u:s3cr3t@h1,h2/db', /^DATABASE_URL names several hosts; allowed: one$/],
    ]
    for (const [url, message] of faults) {
      assert.throws(() => server(url), { name: 'StartError', message })
      assert.throws(
        () => server(url),
        (error: Error) => !error.message.includes('s3cr3t'),
      )
    }
  })
})

describe('PGSSLMODE', () => {
  it('is verify-full for RDS hosts unless given, whichever the source', async () => {
    const host = 'todos.abc.eu-central-1.rds.amazonaws.com'
    const manifest = manifestOf({ host, port: '5432', database: 'todos', user: 'carol', password: 'x' })
    const folder = await folderWithManifest(manifest)
    const mode = (environment: Record<string, string>) => {
      const { database } = readConfiguration(environment, folder)
      return database.source === 'embedded' ? undefined : database.server.sslMode
    }
    for (const source of [{ DATABASE_URL: `postgres://${host}/todos` }, { PGHOST: host }, {}]) {
      assert.equal(mode(source), 'verify-full')
      assert.equal(mode({ ...source, PGSSLMODE: 'require' }), 'require')
    }
    assert.equal(mode({ PGHOST: `${host}.example.com` }), 'prefer')
  })
})

describe('DATABASE_SECRET_ARN', () => {
  it('wants a database to log in to', async () => {
    const settings = {
      ...noSource,
      DATABASE_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:todos',
    }
    const { exitCode, output } = await startFailing(settings, await makeFolder())
    assert.equal(exitCode, 1)
    assert.equal(output, 'DATABASE_SECRET_ARN is set, but no database is; set DATABASE_URL or PGHOST too')
  })
})

describe('A database', { skip: process.platform === 'win32' }, () => {
  it('is reached over a Unix socket, by PGHOST and by DATABASE_URL', async () => {
    const folder = await makeFolder()
    await giveToServer(folder)
    const cluster = await startCluster({ unix_socket_directories: folder })
    after(() => cluster.remove())
    const { port, database, user, password } = addressOf(await createDatabase('template0', cluster))
    const variables = {
      ...variablesOf({ host: folder, port, database, user, password }),
      PGSSLMODE: 'require',
    }
    assert.equal(await sourceTaken(variables), 'Database: PGHOST')
    const url = `postgres://${user}:${password}@/${database}?host=${encodeURIComponent(folder)}&port=${port}`
    assert.equal(await sourceTaken({ DATABASE_URL: url }), 'Database: DATABASE_URL')
  })
})
