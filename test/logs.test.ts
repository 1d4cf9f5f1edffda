import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { serve } from './support/client.js'
import { lockTodos, statementWaits } from './support/locked-todos.js'
import { startService, waitUntil } from './support/service.js'

const { service, client } = await serve()

/** The lines of a request, once there are as many as expected. */
async function linesOf(requestId: unknown, count = 1) {
  const find = () => service.logs.filter((line) => line.requestId === requestId)
  await waitUntil(`the log of ${requestId}`, () => find().length >= count)
  return find()
}

test('every line is JSON with a time, a level and a message', () => {
  assert.ok(service.logs.length > 0)
  for (const line of service.logs) {
    assert.equal(line.text, undefined)
    assert.match(String(line.time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.match(String(line.level), /^(info|warn|error)$/)
    assert.equal(typeof line.msg, 'string')
  }
})

test('a request is one line: id, method, path, operation, status, duration', async () => {
  const { todo } = await client.create()
  const path = `/todos/${todo.id}`
  for (const [method, address, operationId, status] of [
    ['GET', path, 'getTodo', 200],
    ['HEAD', path, 'getTodo', 200],
    ['GET', '/todos?limit=1&sort=order', 'listTodos', 200],
    ['DELETE', path, 'deleteTodo', 204],
    ['GET', path, 'getTodo', 404],
    ['PUT', '/todos', undefined, 405],
    ['GET', '/nothing', undefined, 404],
    ['OPTIONS', '/todos', undefined, 204],
  ] as const) {
    const { headers } = await client.send(method, address)
    const [line, ...more] = await linesOf(headers['x-request-id'])
    assert.deepEqual(more, [])
    assert.equal(typeof line?.duration, 'number')
    const [pathname] = address.split('?')
    assert.deepEqual(
      { ...line, method, path: pathname, operationId, status },
      { ...line, operationId: line?.operationId },
      `${method} ${address}`,
    )
  }
})

test('a traceparent is in the line, if it is one', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const { headers } = await client.get('/todos', { traceparent })
  assert.equal((await linesOf(headers['x-request-id']))[0]?.traceparent, traceparent)
  for (const wrong of ['', 'x', traceparent.toUpperCase(), `${traceparent}-x`, traceparent.slice(1)]) {
    const other = await client.get('/todos', { traceparent: wrong })
    assert.equal((await linesOf(other.headers['x-request-id']))[0]?.traceparent, undefined)
  }
})

test('a client that goes away before its answer is logged as such', async () => {
  const release = await lockTodos(service)
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.write('GET /todos HTTP/1.1\r\nHost: a\r\nX-Request-Id: gone\r\n\r\n')
  await statementWaits(service)
  socket.destroy()
  const [line] = await linesOf('gone')
  await release()
  assert.equal(line?.aborted, true)
})

test('nothing of a body, a query, a header or the database is ever in the log', async () => {
  const secrets = ['s3cret-title', 's3cret-key', 's3cret-query', 's3cret-header', 's3cret-field']
  const headers = { 'Idempotency-Key': 's3cret-key', Authorization: 's3cret-header', Cookie: 's3cret-header' }
  const requests = [
    client.post({ title: 's3cret-title' }, headers),
    client.post({ title: 's3cret-title', 's3cret-field': 1 }, headers),
    client.post('{"title":"s3cret-title"', headers),
    client.get('/todos?s3cret-query=s3cret-query', headers),
    client.get('/todos?cursor=s3cret-query', headers),
  ]
  for (const { headers } of await Promise.all(requests)) await linesOf(headers['x-request-id'])
  await service.query("alter table todo.todos add constraint never check (title !~ 's3cret') not valid")
  const failed = await client.post(
    { title: 's3cret-title' },
    { ...headers, 'Idempotency-Key': 's3cret-key-2' },
  )
  assert.equal(failed.status, 500)
  await linesOf(failed.headers['x-request-id'], 2)
  const log = JSON.stringify(service.logs)
  const { password, href } = new URL(service.databaseUrl)
  for (const secret of [...secrets, password, href]) assert.ok(!log.includes(secret), secret)
})

test('LOG_LEVEL decides what is logged', async () => {
  const quiet = await serve({ LOG_LEVEL: 'error' })
  await quiet.client.get('/todos')
  await quiet.service.query('alter schema todo rename to elsewhere')
  const failed = await quiet.client.get('/todos')
  await waitUntil('the fault is logged', () => quiet.service.logs.length >= 2)
  for (const { level, requestId } of quiet.service.logs) {
    assert.deepEqual([level, requestId], ['error', failed.headers['x-request-id']])
  }
  const silent = await serve({ LOG_LEVEL: 'silent' })
  await silent.client.get('/todos')
  assert.equal(await silent.service.stop(), 0)
  assert.deepEqual(silent.service.logs, [])
})

test('start and stop are logged, with the addresses and a curl that works', async () => {
  const other = await startService()
  const messages = () => other.logs.map(({ msg }) => String(msg))
  const last = (message: string) => message.startsWith(`Try: curl -i ${other.url}/todos `)
  await waitUntil('the last line of the start', () => messages().some(last))
  assert.ok(messages().includes(`Ready on ${other.url}`))
  assert.ok(messages().includes(`Documentation: ${other.url}/docs`))
  await other.stop()
  await waitUntil('the last line', () => messages().includes('Stopped.'))
  assert.ok(messages().includes('Stopping.'))
})

test('a client that hangs up in the middle of its body is no fault of the service', async () => {
  const { service } = await serve()
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.write('POST /todos HTTP/1.1\r\nHost: a\r\nX-Request-Id: gone\r\nContent-Type: application/json\r\n')
  socket.write('Content-Length: 100\r\n\r\n{')
  await once(socket, 'connect')
  await waitUntil('the request has begun', async () => (await fetch(`${service.url}/health`)).ok)
  socket.destroy()
  const lines = () => service.logs.filter(({ requestId }) => requestId === 'gone')
  await waitUntil('its line', () => lines().length > 0)
  assert.deepEqual(
    lines().map(({ level, status, aborted }) => ({ level, status, aborted })),
    [{ level: 'info', status: undefined, aborted: true }],
  )
})

test('the line of the last request before the stop is not lost', async () => {
  const { service } = await serve()
  await fetch(`${service.url}/health`, { headers: { 'X-Request-Id': 'last' } })
  await service.stop()
  assert.equal(service.logs.filter(({ requestId }) => requestId === 'last').length, 1)
})

test('while nobody reads the log, a part of it is kept, and how many lines were dropped is said', async () => {
  const { service, client } = await serve()
  const { stdout } = service.process
  stdout?.pause()
  for (let count = 0; count < 400; count += 1) await client.get(`/${'a'.repeat(15_000)}`)
  stdout?.resume()
  const lines = () => service.logs.filter(({ status }) => status === 404).length
  await waitUntil('it is said', () => service.logs.some(({ msg }) => /^Lines were not logged/.test(`${msg}`)))
  const [said] = service.logs.filter(({ msg }) => /^Lines were not logged/.test(`${msg}`))
  assert.equal(lines() + Number(said?.count), 400)
  assert.ok(lines() < 320, `${lines()} of 6 MB were kept`)
  await client.get('/health')
  await waitUntil('the next line', () => service.logs.some(({ path }) => path === '/health'))
})

test('a service whose log nobody reads any more goes on, says so on standard error, and ends well', async () => {
  const unread = await startService()
  unread.process.stdout?.destroy()
  await fetch(`${unread.url}/health`)
  const complaints = () =>
    unread.logs.filter(({ text }) => /^From now on nothing is logged: /.test(`${text}`))
  await waitUntil('it says so', () => complaints().length > 0)
  const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${unread.url}/todos`)))
  assert.ok(answers.every(({ status }) => status === 200))
  assert.equal(complaints().length, 1)
  assert.equal(await unread.stop(), 0)
})

test('a service whose last words nobody reads ends well', async () => {
  const unread = await startService()
  unread.process.stdout?.destroy()
  unread.process.kill('SIGTERM')
  await waitUntil('the service has ended', () => unread.process.exitCode !== null)
  assert.equal(unread.process.exitCode, 0)
})

test('a service whose log is open, and not read, ends well', async () => {
  const { service, client } = await serve()
  const { process, logs } = service
  process.stdout?.pause()
  for (let count = 0; count < 100; count += 1) await client.get(`/${'a'.repeat(15_000)}`)
  process.kill('SIGTERM')
  const ends = waitUntil('the service has ended', () => process.exitCode !== null)
  await ends.finally(() => process.stdout?.resume())
  assert.equal(process.exitCode, 0)
  assert.ok(!logs.some(({ msg }) => msg === 'Stopped.'))
})
