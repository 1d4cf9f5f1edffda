import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { type Cluster, createDatabase, databaseUrl, startCluster } from './support/cluster.js'
import { type Settings, startFailing, startService } from './support/service.js'
import { startTcpProxy } from './support/tcp-proxy.js'

let cluster: Cluster
before(async () => {
  cluster = await startCluster()
})
after(() => cluster.remove())

async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client(databaseUrl(cluster, 'postgres'))
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

/** What the service said of waiting, and its last words. */
async function failedStart(settings: Settings): Promise<{ waiting: string[]; line: string }> {
  const { exitCode, output } = await startFailing(settings)
  assert.equal(exitCode, 1)
  const lines = output.split('\n')
  const errors = lines.filter((line) => !line.startsWith('{'))
  assert.equal(errors.length, 1, output)
  return { waiting: lines.filter((line) => line.includes('Waiting for the database')), line: errors[0] ?? '' }
}

describe('A start whose database is away', () => {
  it('waits for it, saying so, and then serves', async () => {
    const url = await createDatabase('template0', cluster)
    await cluster.stop()
    const standIn = createServer((socket) => socket.destroy()).listen(cluster.port, '127.0.0.1')
    await once(standIn, 'listening')
    const starting = startService({ DATABASE_URL: url })
    await once(standIn, 'connection')
    standIn.close()
    await once(standIn, 'close')
    await cluster.start()
    const service = await starting
    assert.equal((await fetch(`${service.url}/todos`)).status, 200)
    const waiting = service.logs.filter(({ msg }) => String(msg).startsWith('Waiting for the database'))
    assert.ok(waiting.length > 0)
    assert.ok(!JSON.stringify(waiting).includes(cluster.password))
    await service.stop()
  })

  it('gives up after START_TIMEOUT, with the reason', async () => {
    const { waiting, line } = await failedStart({
      DATABASE_URL: 'postgres://carol:s3cr3t@127.0.0.1:1/todos',
      START_TIMEOUT: '1',
    })
    assert.equal(waiting.length, 1, 'the same reason is said once')
    assert.match(
      line,
      /^The database todos at 127\.0\.0\.1:1 was away for 1 s \(START_TIMEOUT\): connect ECONNREFUSED 127\.0\.0\.1:1$/,
    )
  })

  it('gives up too when the database accepts connections and says nothing', async () => {
    const proxy = await startTcpProxy(cluster.port)
    proxy.stall()
    const { line } = await failedStart({
      ...{ DATABASE_URL: `postgres://carol:s3cr3t@127.0.0.1:${proxy.port}/todos` },
      ...{ START_TIMEOUT: '1', CONNECT_TIMEOUT: '0.5' },
    })
    assert.match(line, /was away for 1 s \(START_TIMEOUT\): Connection terminated due to connection timeout$/)
    await proxy.close()
  })
})

describe('A start whose database will not do', () => {
  const cases: Record<string, { prepare?: string[]; url: () => string; message: RegExp }> = {
    'because the password is wrong': {
      url: () => databaseUrl({ ...cluster, password: 's3cr3t' }, 'postgres'),
      message: /: password authentication failed for user "tester"; check user and password$/,
    },
    'because the user is unknown': {
      url: () => databaseUrl({ ...cluster, user: 'nobody', password: 's3cr3t' }, 'postgres'),
      message: /: password authentication failed for user "nobody"; check user and password$/,
    },
    'because a password is wanted': {
      url: () => `postgres://tester@127.0.0.1:${cluster.port}/postgres`,
      message: /: it asks for a password, and none is set$/,
    },
    'because there is no such database': {
      url: () => databaseUrl(cluster, 'nowhere'),
      message: /: database "nowhere" does not exist; create it, or check its name$/,
    },
    'because its encoding is not UTF8': {
      prepare: ["CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"],
      url: () => databaseUrl(cluster, 'latin'),
      message:
        /^The database latin at \S+ has the encoding LATIN1; create one with ENCODING 'UTF8' and use that$/,
    },
    'because the user may not connect': {
      prepare: [
        "CREATE ROLE stranger LOGIN PASSWORD 's3cr3t'",
        'CREATE DATABASE closed',
        'REVOKE CONNECT ON DATABASE closed FROM PUBLIC',
      ],
      url: () => databaseUrl({ ...cluster, user: 'stranger', password: 's3cr3t' }, 'closed'),
      message:
        /: permission denied for database "closed"; grant the user CONNECT and CREATE on the database$/,
    },
    'because the user may not create the schema': {
      prepare: ["CREATE ROLE reader LOGIN PASSWORD 's3cr3t'", 'CREATE DATABASE guarded'],
      url: () => databaseUrl({ ...cluster, user: 'reader', password: 's3cr3t' }, 'guarded'),
      message: /^The user "reader" may not create the schema "todo" in the database "guarded"\. Run /,
    },
  }
  for (const [why, { prepare = [], url, message }] of Object.entries(cases)) {
    it(`stops at once with one line, ${why}`, async () => {
      await administer(...prepare)
      const start = performance.now()
      const { waiting, line } = await failedStart({ DATABASE_URL: url() })
      assert.ok(performance.now() - start < 30_000, 'START_TIMEOUT would have been a minute')
      assert.match(line, message)
      assert.deepEqual(waiting, [])
      assert.ok(!line.includes('s3cr3t') && !line.includes(cluster.password))
    })
  }
})
