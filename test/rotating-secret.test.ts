import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { databaseUrl } from './support/cluster.js'
import { type SecretsManager, startSecretsManager } from './support/secrets-manager.js'
import { type Service, type Settings, startFailing, startService, waitUntil } from './support/service.js'
import { startTlsCluster, type TlsCluster } from './support/tls-cluster.js'

const first = { username: 'rotating', password: 'first "pass\\word"' }

let cluster: TlsCluster
let administrator: pg.Client
let secrets: SecretsManager
let settings: Settings

before(async () => {
  cluster = await startTlsCluster(['hostnossl todo all all reject'])
  administrator = new pg.Client({
    connectionString: databaseUrl(cluster, 'postgres'),
    ssl: { rejectUnauthorized: false },
  })
  await administrator.connect()
  await administrator.query(`CREATE ROLE rotating LOGIN PASSWORD ${pg.escapeLiteral(first.password)}`)
  await administrator.query('CREATE DATABASE todo OWNER rotating')
  secrets = await startSecretsManager(first)
  settings = {
    ...secrets.settings,
    ...{ PGHOST: 'localhost', PGPORT: String(cluster.port), PGDATABASE: 'todo', POOL_SIZE: '20' },
    ...{ PGSSLMODE: 'verify-full', PGSSLROOTCERT: cluster.authorityFile },
  }
})
after(async () => {
  await administrator.end()
  await secrets.close()
  await cluster.remove()
})

/** How many of the service's connections were opened after this moment of the database's clock. */
async function connectionsSince(moment: Date): Promise<number> {
  const { rows } = await administrator.query(
    `SELECT count(*)::integer AS count FROM pg_stat_activity
      WHERE application_name = 'todo' AND backend_start > $1`,
    [moment],
  )
  return rows[0].count
}

async function databaseTime(): Promise<Date> {
  return (await administrator.query('SELECT clock_timestamp() AS now')).rows[0].now
}

/** Clients that write and read, one request after the other each, until they are stopped. */
function load(service: Service) {
  const statuses = new Map<number, number>()
  const workers: Promise<void>[] = []
  let working = true
  const work = async () => {
    for (let count = 0; working; count++) {
      const init = {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"title":"Rotate"}',
      }
      const { status } = await fetch(`${service.url}/todos`, count % 2 ? init : {})
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  return {
    add: (count: number) => workers.push(...Array.from({ length: count }, work)),
    async stop() {
      working = false
      await Promise.all(workers)
      return statuses
    },
  }
}

describe('DATABASE_SECRET_ARN', () => {
  it('serves on while user and password change twice under load', async () => {
    const service = await startService(settings)
    const clients = load(service)
    clients.add(2)
    const clone = { username: 'rotating_clone', password: 'third' }
    const rotations = [
      { next: { ...first, password: 'second' }, statements: ["ALTER ROLE rotating PASSWORD 'second'"] },
      {
        // The strategy with two users that take turns.
        next: clone,
        statements: [
          "CREATE ROLE rotating_clone LOGIN IN ROLE rotating PASSWORD 'third'",
          'ALTER ROLE rotating PASSWORD NULL',
        ],
      },
    ]
    for (const { next, statements } of rotations) {
      const readsBefore = secrets.reads()
      const moment = await databaseTime()
      for (const statement of statements) await administrator.query(statement)
      clients.add(8) // They need new connections, whose login is refused.
      await waitUntil('the secret is read again', () => secrets.reads() > readsBefore)
      secrets.put(next) // As in a real rotation, after the database.
      await waitUntil('connections are made with it', async () => (await connectionsSince(moment)) > 0)
    }
    const statuses = await clients.stop()
    assert.deepEqual([...statuses.keys()].sort(), [200, 201])
    const readsAtEnd = secrets.reads()
    await Promise.all(Array.from({ length: 40 }, () => fetch(`${service.url}/todos`)))
    assert.equal(secrets.reads(), readsAtEnd, 'credentials that hold are not read again')
    for (const password of [first.password, 'second', 'third']) {
      assert.ok(!JSON.stringify(service.logs).includes(JSON.stringify(password)))
    }
    await service.stop()
  })

  async function refusal(more: Settings = {}): Promise<string> {
    const { exitCode, output } = await startFailing({ ...settings, ...more })
    assert.equal(exitCode, 1)
    const lines = output.split('\n').filter((line) => !line.startsWith('{'))
    assert.equal(lines.length, 1, output)
    return lines[0] ?? ''
  }

  it('stops the start with one line when the credentials in the secret are refused', async () => {
    secrets.put({ username: 'rotating', password: 's3cr3t' })
    const line = await refusal()
    assert.match(line, /password authentication failed for user "rotating"; check user and password$/)
    assert.doesNotMatch(line, /s3cr3t/)
  })

  it('stops the start with one line when the secret holds something else', async () => {
    for (const value of ['s3cr3t', { user: 'rotating', password: 's3cr3t' }, ['s3cr3t']]) {
      secrets.put(value)
      const line = await refusal()
      assert.match(line, /: the secret arn:aws:\S+ must be JSON with "username" and "password"$/)
      assert.doesNotMatch(line, /s3cr3t/)
    }
  })

  it('stops the start with one line when AWS refuses to give it', async () => {
    const other = `${settings.DATABASE_SECRET_ARN}x`
    assert.match(await refusal({ DATABASE_SECRET_ARN: other }), /; check DATABASE_SECRET_ARN$/)
    const keys = { AWS_ACCESS_KEY_ID: 'OTHER' }
    assert.match(await refusal(keys), /; allow secretsmanager:GetSecretValue on DATABASE_SECRET_ARN$/)
    const noKeys = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', HOME: '/nowhere' }
    assert.match(await refusal(noKeys), /; give the service credentials for AWS$/)
  })
})
