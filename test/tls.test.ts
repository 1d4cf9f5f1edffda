import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { readConfiguration } from '../src/configuration.js'
import { transports } from '../src/database/tls.js'
import { type Cluster, createDatabase, databaseUrl, startCluster } from './support/cluster.js'
import { type Settings, startFailing, startService } from './support/service.js'
import { startTlsCluster, type TlsCluster } from './support/tls-cluster.js'

/** Where to connect, and as whom. The certificate is for the name `localhost` and not for its address. */
interface Target {
  readonly host?: '127.0.0.1' | 'localhost'
  readonly user?: string
  readonly query?: string
}

/** The URL of a new, empty database. */
async function newDatabase(cluster: Cluster, { host, user, query = '' }: Target = {}): Promise<string> {
  const { pathname } = new URL(await createDatabase('template0', cluster))
  const facts = { ...cluster, host: host ?? cluster.host, user: user ?? cluster.user }
  return databaseUrl(facts, pathname.slice(1)) + query
}

/** Whether the service encrypts its connections, over which it works. */
async function isEncrypted(cluster: Cluster, settings: Settings, target: Target = {}): Promise<boolean> {
  const url = await newDatabase(cluster, target)
  const service = await startService({ DATABASE_URL: url, ...settings })
  assert.equal((await fetch(`${service.url}/todos`)).status, 200)
  const administrator = new pg.Client(databaseUrl(cluster, new URL(url).pathname.slice(1)))
  await administrator.connect()
  const { rows } = await administrator.query(
    `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
      WHERE application_name = 'todo' AND datname = current_database()`,
  )
  await administrator.end()
  await service.stop()
  assert.equal(rows.length, 1)
  return rows[0].ssl
}

/** The one line with which the start stops. */
async function refusal(cluster: Cluster, settings: Settings, target: Target = {}): Promise<string> {
  const url = await newDatabase(cluster, target)
  const { exitCode, output } = await startFailing({ DATABASE_URL: url, ...settings })
  assert.equal(exitCode, 1)
  const lines = output.split('\n').filter((line) => !line.startsWith('{'))
  assert.equal(lines.length, 1, output)
  return lines[0] ?? ''
}

describe('With a server that has TLS, PGSSLMODE', () => {
  let cluster: TlsCluster
  before(async () => {
    cluster = await startTlsCluster([
      'hostnossl all tls_only all reject',
      'hostssl all plain_only all reject',
    ])
    const administrator = new pg.Client(databaseUrl(cluster, 'postgres'))
    await administrator.connect()
    for (const role of ['tls_only', 'plain_only']) {
      await administrator.query(`CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD '${cluster.password}'`)
    }
    await administrator.end()
  })
  after(() => cluster.remove())

  it('disable does without', async () => {
    assert.equal(await isEncrypted(cluster, { PGSSLMODE: 'disable' }), false)
  })

  it('allow does without, unless the server insists', async () => {
    assert.equal(await isEncrypted(cluster, { PGSSLMODE: 'allow' }), false)
    assert.equal(await isEncrypted(cluster, { PGSSLMODE: 'allow' }, { user: 'tls_only' }), true)
  })

  it('prefer, the standard, encrypts, unless the server refuses', async () => {
    assert.equal(await isEncrypted(cluster, {}), true)
    assert.equal(await isEncrypted(cluster, { PGSSLMODE: 'prefer' }, { user: 'plain_only' }), false)
  })

  it('require encrypts and asks for no authority, unless PGSSLROOTCERT names one', async () => {
    assert.equal(await isEncrypted(cluster, { PGSSLMODE: 'require' }), true)
    const stranger = { PGSSLMODE: 'require', PGSSLROOTCERT: cluster.strangerFile }
    assert.match(await refusal(cluster, stranger), /certificate/)
    assert.match(await refusal(cluster, { PGSSLMODE: 'require' }, { user: 'plain_only' }), /pg_hba\.conf/)
  })

  it('verify-ca asks for the authority and for no name', async () => {
    const good = { PGSSLMODE: 'verify-ca', PGSSLROOTCERT: cluster.authorityFile }
    assert.equal(await isEncrypted(cluster, good, { host: '127.0.0.1' }), true)
    const bad = { PGSSLMODE: 'verify-ca', PGSSLROOTCERT: cluster.strangerFile }
    assert.match(await refusal(cluster, bad), /check the server's certificate, PGSSLMODE \(verify-ca\)/)
  })

  it('verify-full asks for both', async () => {
    const good = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: cluster.authorityFile }
    assert.equal(await isEncrypted(cluster, good, { host: 'localhost' }), true)
    assert.match(await refusal(cluster, good, { host: '127.0.0.1' }), /127\.0\.0\.1 is not in the cert/)
    const stranger = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: cluster.strangerFile }
    assert.match(await refusal(cluster, stranger, { host: 'localhost' }), /certificate/)
    assert.match(await refusal(cluster, { PGSSLMODE: 'verify-full' }, { host: 'localhost' }), /certificate/)
  })

  it('holds for other sources too, and sslmode in the URL comes before it', async () => {
    const { port, pathname } = new URL(await newDatabase(cluster))
    const { exitCode, output } = await startFailing({
      ...{ PGHOST: '127.0.0.1', PGPORT: port, PGDATABASE: pathname.slice(1) },
      ...{ PGUSER: cluster.user, PGPASSWORD: cluster.password },
      ...{ PGSSLMODE: 'verify-full', PGSSLROOTCERT: cluster.authorityFile },
    })
    assert.equal(exitCode, 1)
    assert.match(output, /127\.0\.0\.1 is not in the cert/)
    assert.equal(await isEncrypted(cluster, { PGSSLMODE: 'require' }, { query: '?sslmode=disable' }), false)
  })

  it('and a certificate file that cannot be read stop the start with one line', async () => {
    const settings = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/nowhere/ca.pem' }
    assert.match(
      await refusal(cluster, settings),
      /^The file .*\/nowhere\/ca\.pem .*cannot be read \(ENOENT\)$/,
    )
  })
})

describe('With a server that has no TLS, PGSSLMODE', () => {
  let cluster: Cluster
  before(async () => {
    cluster = await startCluster()
  })
  after(() => cluster.remove())

  it('prefer and allow do without', async () => {
    assert.equal(await isEncrypted(cluster, { PGSSLMODE: 'prefer' }), false)
    assert.equal(await isEncrypted(cluster, { PGSSLMODE: 'allow' }), false)
  })

  it('require stops the start with one line', async () => {
    assert.match(
      await refusal(cluster, { PGSSLMODE: 'require' }),
      /The server does not support SSL connections/,
    )
  })
})

describe('RDS hosts', () => {
  const first = (environment: Record<string, string>) => {
    const { database } = readConfiguration(
      { PGHOST: 'todos.abc.us-east-1.rds.amazonaws.com', ...environment },
      '/nowhere',
    )
    assert.ok(database.source === 'PGHOST')
    return transports(database.server)
  }

  it('are verified by built-in certificates unless other ones are named', () => {
    const [transport, ...others] = first({})
    assert.ok(transport !== false && transport.secureContext !== undefined)
    assert.equal(transport.rejectUnauthorized, undefined)
    assert.equal(transport.checkServerIdentity, undefined)
    assert.deepEqual(others, [])
    assert.throws(() => first({ PGSSLROOTCERT: '/nowhere/ca.pem' }), { name: 'StartError' })
  })
})
