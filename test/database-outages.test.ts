import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { type Cluster, databaseUrl, startCluster } from './support/cluster.js'
import { type Service, startService, waitUntil } from './support/service.js'
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.js'

/** Seconds; the README states the bound that follows: 2 × CONNECT_TIMEOUT + STATEMENT_TIMEOUT + 2. */
const limits = { CONNECT_TIMEOUT: 0.5, STATEMENT_TIMEOUT: 1 }
const longestAnswer = 2 * limits.CONNECT_TIMEOUT + limits.STATEMENT_TIMEOUT + 2
/** Seconds from the database's return to the first good answer. */
const longestRecovery = 2
const poolSize = 5
/** The README's: those of the pool, and two for short reads. */
const mostConnections = poolSize + 2

let cluster: Cluster
let proxy: TcpProxy
let settings: Record<'DATABASE_URL' | 'CONNECT_TIMEOUT' | 'STATEMENT_TIMEOUT' | 'POOL_SIZE', string>
let service: Service

before(async () => {
  cluster = await startCluster()
  proxy = await startTcpProxy(cluster.port)
  await administer("CREATE ROLE todo LOGIN PASSWORD 'secret'", 'CREATE DATABASE todo OWNER todo')
  settings = {
    DATABASE_URL: `postgres://todo:secret@127.0.0.1:${proxy.port}/todo`,
    CONNECT_TIMEOUT: String(limits.CONNECT_TIMEOUT),
    STATEMENT_TIMEOUT: String(limits.STATEMENT_TIMEOUT),
    POOL_SIZE: String(poolSize),
  }
  service = await startService(settings)
})
after(async () => {
  await service.stop()
  await proxy.close()
  await cluster.remove()
})

/** Past the proxy and as superuser. */
async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client(databaseUrl(cluster, 'postgres'))
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

/** Nobody can read or write todos until the function that it gives is called. */
async function lockTodos(): Promise<() => Promise<void>> {
  const holder = new pg.Client(databaseUrl(cluster, 'todo'))
  await holder.connect()
  await holder.query('BEGIN; LOCK todo.todos')
  return () => holder.end()
}

const list = (url = service.url) => fetch(`${url}/todos`)
const ready = () => fetch(`${service.url}/health/ready`)
const create = (url = service.url) =>
  fetch(`${url}/todos`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"title":"Survive"}',
  })

async function assertUnavailable(request: () => Promise<Response>): Promise<void> {
  const start = performance.now()
  const answer = await request()
  const problem = (await answer.json()) as { status: number }
  const seconds = (performance.now() - start) / 1000
  assert.equal(answer.status, 503, JSON.stringify(problem))
  assert.equal(problem.status, 503)
  assert.match(answer.headers.get('Content-Type') ?? '', /^application\/problem\+json/)
  assert.match(answer.headers.get('Retry-After') ?? '', /^\d+$/)
  assert.ok(seconds < longestAnswer, `answered after ${seconds} s`)
}

async function assertAlive(): Promise<void> {
  assert.equal((await fetch(`${service.url}/health`)).status, 200)
  assert.equal(service.process.exitCode, null)
}

/** Good answers again in time, to everybody, and no more connections than there should be. */
async function assertRecovers(): Promise<void> {
  const start = performance.now()
  await waitUntil('everybody gets good answers', async () => {
    if ((await create()).status !== 201) return false
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? list() : create())),
    )
    return answers.every(({ status }) => status === 200 || status === 201)
  })
  const seconds = (performance.now() - start) / 1000
  assert.ok(seconds < longestRecovery, `recovered after ${seconds} s`)
  assert.equal((await ready()).status, 200)
  await waitUntil('lost connections are closed', () => proxy.lostCount() === 0)
  await waitUntil('no more are open than may be', () => proxy.connectionCount() <= mostConnections)
}

/** Fills the pool, so that an outage meets connections that were used a moment ago. */
const warmUp = () => Promise.all(Array.from({ length: 20 }, list))

interface Outage {
  begin(): void | Promise<void>
  end(): void | Promise<void>
}

const outages: Record<string, Outage> = {
  'was killed and started again': { begin: () => cluster.kill(), end: () => cluster.start() },
  'was shut down and started again': { begin: () => cluster.stop(), end: () => cluster.start() },
  'stalls for a while': { begin: () => proxy.stall(), end: () => proxy.resume() },
  'has no connections left': {
    begin: () =>
      administer(
        'ALTER ROLE todo CONNECTION LIMIT 0',
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'todo'",
      ),
    end: () => administer('ALTER ROLE todo CONNECTION LIMIT -1'),
  },
  'lets nobody in any more': {
    begin: () =>
      administer(
        'ALTER ROLE todo NOLOGIN',
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'todo'",
      ),
    end: () => administer('ALTER ROLE todo LOGIN'),
  },
}

describe('When the database', () => {
  for (const [what, { begin, end }] of Object.entries(outages)) {
    it(`${what}, requests get 503 in bounded time, and the service recovers by itself`, async () => {
      await warmUp()
      await begin()
      await Promise.all([list, list, create, ready, list].map((request) => assertUnavailable(request)))
      await assertUnavailable(create)
      await assertAlive()
      await end()
      await assertRecovers()
    })
  }

  for (const fault of ['reset', 'halfClose', 'forget'] as const) {
    it(`connections meet "${fault}", requests fail with 503 at worst, and soon not at all`, async () => {
      await warmUp()
      proxy[fault]()
      const answers = await Promise.all(Array.from({ length: 20 }, list))
      for (const { status } of answers) assert.ok([200, 503].includes(status), String(status))
      await assertAlive()
      await assertRecovers()
    })
  }

  it('connections are lost in silence while they rest, no request notices', async () => {
    const { DATABASE_URL, POOL_SIZE } = settings
    const resting = await startService({ DATABASE_URL, POOL_SIZE }) // with time to rest before they are closed
    await Promise.all(Array.from({ length: 10 }, () => create(resting.url)))
    const start = performance.now()
    await waitUntil('the connections have rested', () => performance.now() - start > 1_100)
    proxy.forget()
    const answers = await Promise.all([list(resting.url), create(resting.url), create(resting.url)])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 201, 201],
    )
    await resting.stop()
  })

  it('takes only reads, reads go on, writes get 503, and the service recovers by itself', async () => {
    await administer('ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()')
    await waitUntil('the server is read-only', async () => (await ready()).status === 503)
    await assertUnavailable(create)
    await assertUnavailable(ready)
    assert.equal((await list()).status, 200)
    await assertAlive()
    await administer(
      'SET default_transaction_read_only = off',
      'ALTER SYSTEM RESET default_transaction_read_only',
      'SELECT pg_reload_conf()',
    )
    await assertRecovers()
  })

  it('does not get on with its work, statements end, and requests get 503', async () => {
    const release = await lockTodos()
    await Promise.all([list, list, list, create, create, create].map(assertUnavailable))
    await assertAlive()
    await release()
    await assertRecovers()
  })

  it('does not keep up, only so many requests wait, and the next get 503 at once', async () => {
    const patient = await startService({
      ...{
        DATABASE_URL: service.databaseUrl,
        POOL_SIZE: '1',
        CONCURRENCY_LIMIT: '1000',
        CONNECT_TIMEOUT: '60',
        STATEMENT_TIMEOUT: '60',
      },
    })
    const release = await lockTodos()
    const crowd = Array.from({ length: 150 }, () => create(patient.url))
    const statuses: number[] = []
    for (const answer of crowd) answer.then(({ status }) => statuses.push(status))
    await waitUntil('those without a chance were turned away', () => statuses.length === 150 - 1 - 100)
    assert.deepEqual(new Set(statuses), new Set([503]))
    assert.equal((await fetch(`${patient.url}/health`)).status, 200)
    await release()
    await Promise.all(crowd)
    assert.equal(statuses.filter((status) => status === 201).length, 1 + 100)
    await patient.stop()
  })

  it('each 503 is logged in one line that says why, without a stack', async () => {
    const release = await lockTodos()
    const answer = await create()
    await release()
    const id = answer.headers.get('X-Request-Id')
    const lines = () => service.logs.filter(({ requestId }) => requestId === id)
    await waitUntil('both of its lines', () => lines().length === 2)
    assert.equal(answer.status, 503)
    const reasons = lines().map(({ level, reason }) => ({ level, reason }))
    assert.deepEqual(reasons, [
      { level: 'warn', reason: 'canceling statement due to statement timeout' },
      { level: 'error', reason: undefined },
    ])
  })
})

describe('When a failover leaves connections at a server that only takes reads', () => {
  it('writes go to the new one without a restart', async () => {
    const successor = await startCluster()
    after(() => successor.remove())
    const client = new pg.Client(databaseUrl(successor, 'postgres'))
    await client.connect()
    await client.query("CREATE ROLE todo LOGIN PASSWORD 'secret'")
    await client.query('CREATE DATABASE todo OWNER todo')
    await client.end()
    const other = await startService({
      DATABASE_URL: `postgres://todo:secret@127.0.0.1:${successor.port}/todo`,
    })
    await warmUp()
    await administer('ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()')
    await waitUntil('the server is read-only', async () => (await ready()).status === 503)
    proxy.redirect(successor.port)
    const start = performance.now()
    // Nobody writes meanwhile: a load balancer sends nothing to a service that is not ready.
    await waitUntil('the service is ready', async () => (await ready()).status === 200)
    assert.ok(performance.now() - start < longestRecovery * 1000)
    await assertRecovers()
    const stored = (await (await fetch(`${other.url}/todos`)).json()) as unknown[]
    assert.ok(stored.length > 0)
    await other.stop()
  })
})
