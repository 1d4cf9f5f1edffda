/**
 * The README promises a 503 within 2 × CONNECT_TIMEOUT + STATEMENT_TIMEOUT + 2 seconds: to each of many requests that
 * are behind each other, and to those that need more than one statement.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { atEnd } from './support/cleanup.js'
import { bytesOf, openConnection, type RawConnection } from './support/connection.js'
import { type Service, startService, waitUntil } from './support/service.js'

type Limits = Record<'CONNECT_TIMEOUT' | 'STATEMENT_TIMEOUT', string>

const promised = ({ CONNECT_TIMEOUT, STATEMENT_TIMEOUT }: Limits) =>
  2 * Number(CONNECT_TIMEOUT) + Number(STATEMENT_TIMEOUT) + 2

const json = { 'Content-Type': 'application/json' }

interface Request {
  readonly method?: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

const send = ({ url }: Service, { path, ...request }: Request) => fetch(url + path, request)

const create = (title: string, headers = {}): Request => ({
  method: 'POST',
  path: '/todos',
  headers: { ...json, ...headers },
  body: JSON.stringify({ title }),
})

const rename = (path: string, headers = {}): Request => ({
  method: 'PATCH',
  path,
  headers: { 'Content-Type': 'application/merge-patch+json', ...headers },
  body: '{"title":"B"}',
})

const many = <Made>(count: number, make: (index: number) => Made): Made[] =>
  Array.from({ length: count }, (_, i) => make(i))

async function createdBy(service: Service): Promise<string> {
  const answer = await send(service, create('A'))
  return new URL(String(answer.headers.get('Location'))).pathname
}

async function refusedInTime(service: Service, limits: Limits, requests: readonly Request[]): Promise<void> {
  const start = performance.now()
  const outcomes = await Promise.all(
    requests.map(async (request) => {
      const { status } = await send(service, request)
      const seconds = (performance.now() - start) / 1000
      return { request, status, seconds }
    }),
  )
  const broken = outcomes.filter(({ status, seconds }) => status !== 503 || seconds > promised(limits))
  assert.deepEqual(broken, [])
}

/** Runs statements in a transaction on a connection of its own; `end` ends both. */
async function transaction({ databaseUrl }: Service) {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  atEnd(() => client.end())
  await client.query('begin')
  return {
    run: (text: string, values: unknown[] = []) => client.query(text, values),
    async end() {
      await client.query('commit')
      await client.end()
    },
  }
}

test('while a table is locked, each of many gets its 503 in time, and afterwards all are served at once', async () => {
  const limits = { CONNECT_TIMEOUT: '1', STATEMENT_TIMEOUT: '1' }
  const service = await startService({ ...limits, CONCURRENCY_LIMIT: '1000' }) // all of them wait in the database
  const one = await createdBy(service)
  const requests: Request[] = [
    ...many(100, (index) => ({ path: index % 2 ? one : '/todos?limit=5' })),
    ...many(100, (index) => create(`Later ${index}`)),
    ...many(20, (index) => create(`Once ${index}`, { 'Idempotency-Key': `locked-${index}` })),
    ...many(20, () => rename(one, { 'If-Match': '"99"' })),
    { path: '/todos?deadlineBefore=2030-01-01T00:00:00Z' },
    ...many(3, () => ({ path: '/health/ready' })),
  ]
  const locks = await transaction(service)
  await locks.run('lock table todo.todos, todo.idempotency_keys, todo.migrations')
  await refusedInTime(service, limits, requests)
  await refusedInTime(service, limits, requests.slice(0, 100))
  await locks.end()
  const some = requests.filter((_, index) => index % 12 === 0)
  const answers = await Promise.all(some.map((request) => send(service, request)))
  const expected = some.map(({ method }) => ({ POST: 201, PATCH: 412 })[method ?? ''] ?? 200)
  assert.deepEqual(
    answers.map(({ status }) => status),
    expected,
  )
})

test('the statements of one request have its time together', async () => {
  const limits = { CONNECT_TIMEOUT: '0.5', STATEMENT_TIMEOUT: '4' }
  const service = await startService(limits)
  const one = await createdBy(service)
  const requests = [rename(one, { 'If-Match': '"1"' }), create('A', { 'Idempotency-Key': 'taken' })]
  const waiting = async (count: number) => {
    const rows = await service.query("select from pg_locks where not granted and locktype <> 'relation'")
    return rows.length === count
  }
  const other = await transaction(service)
  await other.run('update todo.todos set version = 2')
  await other.run(
    `insert into todo.idempotency_keys (key, request, reply, expires_at) values ('taken', '{}', '{}', 'infinity')`,
  )
  const refused = refusedInTime(service, limits, requests)
  await waitUntil('both wait for the other transaction', () => waiting(2))
  const lockers = [await transaction(service), await transaction(service)] as const
  const locked = [lockers[0].run('lock table todo.todos'), lockers[1].run('lock table todo.idempotency_keys')]
  await delay(3_400) // most of what a statement may take: the second begins when little of the promise is left
  await other.end()
  await Promise.all(locked)
  await refused
  await Promise.all(lockers.map((locker) => locker.end()))
})

test('the time for which a request waits behind another is a part of its own', async () => {
  const limits = { CONNECT_TIMEOUT: '4', STATEMENT_TIMEOUT: '9' }
  const service = await startService(limits)
  const one = await createdBy(service)
  const [first, second, third] = [
    await transaction(service),
    await transaction(service),
    await transaction(service),
  ]
  const areWaiting = (count: number) => async () => {
    const rows = await service.query('select from pg_locks where not granted')
    return rows.length === count
  }
  await first.run('lock table todo.todos')
  const changed = second.run('update todo.todos set version = 2')
  const { headers, body } = rename(one, { 'If-Match': '"1"' })
  const connection = await openConnection(service.url)
  const start = performance.now()
  connection.socket.write(bytesOf('GET', one) + bytesOf('PATCH', one, body, headers))
  await waitUntil('the read waits for the lock, and the other transaction', areWaiting(2))
  await delay(4_600) // nearly as long as a request may wait behind another
  await first.end()
  await changed
  await waitUntil('the change waits for the other transaction', areWaiting(1))
  const locked = third.run('lock table todo.todos')
  await delay(7_000) // no statement of it may begin after nine seconds, or fourteen if its time began only now
  await second.end()
  await locked
  await waitUntil('both are answered', () => connection.statuses().length === 2)
  const seconds = (performance.now() - start) / 1000
  assert.deepEqual(connection.statuses(), [200, 503])
  assert.ok(seconds < promised(limits), `${seconds} s`)
  await third.end()
})

test('while a table is locked, requests behind each other on one connection get their 503 in time as well', async () => {
  const limits = { CONNECT_TIMEOUT: '0.5', STATEMENT_TIMEOUT: '1' }
  const service = await startService({ ...limits, POOL_SIZE: '2' })
  const one = await createdBy(service)
  const locks = await transaction(service)
  await locks.run('lock table todo.todos')
  const reads = bytesOf('GET', '/todos?limit=5') + bytesOf('GET', one)
  const write = bytesOf('POST', '/todos', JSON.stringify({ title: 'A', description: 'a'.repeat(3_900) }))
  const start = performance.now()
  const refused = async (count: number, pair: string) => {
    const connection = await openConnection(service.url)
    connection.socket.write(pair.repeat(count / 2) + bytesOf('GET', '/health'))
    await connection.waitFor(/HTTP\/1\.1 200 .*}$/s)
    assert.deepEqual(connection.statuses(), [...Array(count).fill(503), 200])
    return connection
  }
  // The many are more than are read before the first of them are answered.
  const [few, ...lots] = await Promise.all([
    refused(20, reads),
    ...many(4, (index) => refused(400, index % 2 ? write.repeat(2) : reads)),
  ])
  const seconds = (performance.now() - start) / 1000
  assert.ok(seconds < promised(limits), `${seconds} s`)
  await locks.end()
  const served = async ({ socket, received, statuses }: RawConnection) => {
    const count = statuses().length
    socket.write(reads)
    await waitUntil('both are answered', () => statuses().length === count + 2 && received().endsWith('}'))
    assert.deepEqual(statuses().slice(count), [200, 200])
  }
  await served(few)
  await delay(1_000 * longestWait(lots))
  await Promise.all(lots.map(served))
})

/** Seconds. */
const longestWait = (connections: readonly RawConnection[]) =>
  Math.max(
    ...connections.flatMap(({ received }) =>
      [...received().matchAll(/\nRetry-After: (\d+)/g)].map(([, seconds]) => Number(seconds)),
    ),
  )
