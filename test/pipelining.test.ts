/** Requests that come before the answer to the one before: one after the other, and each answer in its own place. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { serve } from './support/client.js'
import { bytesOf, openConnection } from './support/connection.js'
import { lockTodos, statementWaits } from './support/locked-todos.js'
import { waitUntil } from './support/service.js'
import { fillPage } from './support/todos.js'

const { service, client } = await serve({ LINGER_TIMEOUT: '30' })
const create = (title: string) => bytesOf('POST', '/todos', JSON.stringify({ title }))
const titles = async () =>
  (await client.get('/todos?limit=100&sort=-createdAt')).todos.map(({ title }) => title)

test('are handled in their order, however many there are', async () => {
  const connection = await openConnection(service.url)
  const expected = Array.from({ length: 500 }, (_, index) => `Todo ${String(index).padStart(3, '0')}`)
  connection.socket.write(expected.map(create).join('') + bytesOf('GET', '/nothing'))
  await connection.waitFor(/HTTP\/1\.1 404 .*}$/s)
  assert.deepEqual(connection.statuses(), [...expected.map(() => 201), 404])
  const answered = [...connection.received().matchAll(/"(Todo \d+)"/g)].map(([, title]) => title)
  assert.deepEqual(answered, expected)
  await client.delete('/todos')
})

test('wait until the answer before them has been taken', async () => {
  await fillPage(client)
  const connection = await openConnection(service.url)
  connection.socket.pause()
  connection.socket.write(bytesOf('GET', '/todos?limit=100').repeat(20) + create('behind'))
  for (let count = 0; count < 50; count += 1) assert.ok(!(await titles()).includes('behind'))
  connection.socket.resume()
  await connection.waitFor(/HTTP\/1\.1 201 /)
  assert.deepEqual(connection.statuses(), [...Array.from({ length: 20 }, () => 200), 201])
  await client.delete('/todos')
})

for (const [what, request, status] of [
  ['an unknown expectation', bytesOf('GET', '/health', undefined, { Expect: 'x' }), 417],
  ['an expectation without a body', bytesOf('GET', '/health', undefined, { Expect: '100-continue' }), 200],
  ['Connection: close', bytesOf('GET', '/health', undefined, { Connection: 'close' }), 200],
] as const) {
  test(`behind ${what} are not handled, whole or in halves, and the connection is closed`, async () => {
    const connection = await openConnection(service.url)
    const [head, body] = [create('never').slice(0, -5), create('never').slice(-5)]
    connection.socket.write(request + head)
    await connection.waitFor(RegExp(`^HTTP/1.1 ${status} .*}$`, 's'))
    connection.socket.write(body + bytesOf('GET', '/nothing'))
    await connection.closed
    assert.deepEqual(connection.statuses(), [status])
    assert.ok(!(await titles()).includes('never'))
    assert.equal(service.process.exitCode, null)
  })
}

for (const [method, path, answer] of [
  ['GET', '/health', 413],
  ['POST', '/todos', 413],
] as const) {
  test(`may announce a body that nobody could hold (${method} ${path})`, async () => {
    const connection = await openConnection(service.url)
    const huge = { 'Content-Type': 'application/json', 'Content-Length': '99999999999' }
    connection.socket.write(`${bytesOf('GET', '/health')}${bytesOf(method, path, undefined, huge)}x`)
    await connection.waitFor(RegExp(`HTTP/1.1 200 .*HTTP/1.1 ${answer} .*}$`, 's'))
    connection.socket.write('y'.repeat(1_000))
    assert.equal((await client.get('/health')).status, 200)
    connection.socket.destroy()
  })
}

for (const [what, fields, end] of [
  ['a bad chunk', { 'Transfer-Encoding': 'chunked' }, 'zz\r\n'],
  ['a body that breaks off', { 'Content-Length': '10' }, 'abc'],
  ['a last chunk that does not come', { 'Transfer-Encoding': 'chunked' }, '3\r\nabc\r\n'],
  ['trailers that are too large', { 'Transfer-Encoding': 'chunked' }, `0\r\nX: ${'a'.repeat(20_000)}`],
] as const) {
  test(`a request that is refused for ${what} has no effect, also where its body is ignored`, async () => {
    const path = new URL(String((await client.create({ title: 'kept' })).headers.location)).pathname
    const connection = await openConnection(service.url)
    connection.socket.end(bytesOf('DELETE', path, undefined, fields) + end)
    await connection.waitFor(/^HTTP\/1\.1 4(00|31) .*}$/s)
    assert.equal((await client.get(path)).status, 200)
  })
}

test('a body of HTTP/1.0 in chunks closes the connection', async () => {
  const connection = await openConnection(service.url)
  const fields = 'Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n'
  connection.socket.write(`GET /health HTTP/1.0\r\n${fields}\r\n1\r\na\r\n0\r\n\r\n`)
  await connection.waitFor(/^HTTP\/1\.1 200 .*Connection: close/s)
  await connection.closed
})

test('a request to change the protocol is answered as if it were none, and is the last of its connection', async () => {
  const connection = await openConnection(service.url)
  const upgrade = bytesOf('GET', '/health', undefined, { Connection: 'Upgrade', Upgrade: 'h2c' })
  connection.socket.write(upgrade + create('behind an upgrade'))
  await connection.waitFor(/^HTTP\/1\.1 200 .*Connection: close/s)
  await connection.closed
  assert.deepEqual(connection.statuses(), [200])
  assert.ok(!(await titles()).includes('behind an upgrade'))
})

test('one that could not be read for longer than it may take to arrive is not too late', async () => {
  const { service } = await serve({ REQUEST_TIMEOUT: '1', STATEMENT_TIMEOUT: '60' })
  const release = await lockTodos(service)
  const connection = await openConnection(service.url)
  const long = bytesOf('GET', '/todos', undefined, { 'X-Long': 'a'.repeat(10_000) })
  connection.socket.write(long.repeat(200))
  await statementWaits(service)
  const late = await openConnection(service.url)
  late.socket.write('GET /')
  await late.waitFor(/^HTTP\/1\.1 408 /)
  await release()
  await waitUntil('all are answered', () => connection.statuses().length === 200)
  assert.deepEqual([...new Set(connection.statuses())], [200])
})

test('one that could not be read, and whose rest does not come then, is too late after that time again', async () => {
  const { service, client } = await serve({ REQUEST_TIMEOUT: '1' })
  await fillPage(client)
  const connection = await openConnection(service.url)
  connection.socket.pause()
  connection.socket.write(bytesOf('GET', '/todos?limit=100').repeat(6) + create('late').slice(0, -5))
  const other = await openConnection(service.url)
  other.socket.write('GET /')
  await other.waitFor(/^HTTP\/1\.1 408 /)
  connection.socket.resume()
  await connection.waitFor(/HTTP\/1\.1 408 /)
  await connection.closed
  assert.deepEqual(connection.statuses(), [...Array(6).fill(200), 408])
})

test('after a backlog that is over, none counts as one that waited', async () => {
  const { service, client } = await serve({ CONNECT_TIMEOUT: '0.5', STATEMENT_TIMEOUT: '60' })
  await fillPage(client)
  const connection = await openConnection(service.url)
  const { socket, waitFor } = connection
  const send = async (bytes: string) => {
    socket.write(bytes)
    for (let count = 0; count < 20; count += 1) await client.get('/health')
  }
  socket.pause()
  await send(bytesOf('GET', '/todos?limit=100').repeat(6)) // more than the system keeps for the client
  await send(create('behind').slice(0, -5)) // Node reads on by itself when the page has been taken
  socket.resume()
  await send(create('behind').slice(-5))
  await waitFor(/HTTP\/1\.1 201 /)
  const release = await lockTodos(service)
  socket.write(bytesOf('GET', '/todos?limit=1'))
  await statementWaits(service)
  await delay(2_000) // longer than a request may wait for others
  await release()
  await waitUntil('it is answered', () => connection.statuses().length === 8)
  socket.write(bytesOf('GET', '/todos?limit=1'))
  await waitUntil('this is answered as well', () => connection.statuses().length === 9)
  assert.deepEqual(connection.statuses(), [...Array(6).fill(200), 201, 200, 200])
})

test('behind an answer that closes the connection are read for a while, so that the answer arrives', async () => {
  const connection = await openConnection(service.url)
  const closing = bytesOf('GET', '/health', undefined, { Expect: 'x' })
  connection.socket.write(closing + create('never').repeat(400))
  await connection.waitFor(/^HTTP\/1.1 417 .*}$/s)
  await connection.closed
  assert.deepEqual(connection.statuses(), [417])
  assert.ok(!(await titles()).includes('never'))
})

test('behind the last answer are read so that it arrives whole, also where it is the page', async () => {
  const connection = await openConnection(service.url)
  const closing = bytesOf('GET', '/openapi.json', undefined, {
    Connection: 'close',
    'Accept-Encoding': 'identity',
  })
  connection.socket.write(closing + create('never').repeat(2_000))
  await connection.closed
  const [, length] = /Content-Length: (\d+)/.exec(connection.received()) ?? []
  const content = connection.received().split('\r\n\r\n')[1]
  assert.equal(content?.length, Number(length))
  assert.ok(!(await titles()).includes('never'))
})

for (const [what, closing] of [
  ['Connection: close', bytesOf('GET', '/health', undefined, { Connection: 'close' })],
  ['an unknown expectation', bytesOf('GET', '/health', undefined, { Expect: 'x' })],
  ['an expectation without a body', bytesOf('GET', '/health', undefined, { Expect: '100-continue' })],
  [
    'an expectation without a body, of the contract',
    bytesOf('GET', '/openapi.json', undefined, { Expect: '100-continue' }),
  ],
  ['HTTP/1.0', 'GET /openapi.json HTTP/1.0\r\n\r\n'],
  ['no HTTP', 'x\r\n\r\n'],
] as const) {
  test(`behind the answer to ${what} are read until the client has ended its side as well`, async () => {
    const connection = await openConnection(service.url)
    const { socket } = connection
    socket.allowHalfOpen = true
    socket.write(closing)
    await once(socket, 'end')
    const write = promisify(socket.write.bind(socket)) as (text: string) => Promise<void>
    for (let count = 0; count < 5; count += 1) {
      await client.get('/health')
      await write(create('never')) // rejects when it was reset
    }
    socket.end()
    await connection.closed
    assert.equal(connection.statuses().length, 1)
  })
}

test('a client that ends its side after such an answer, and within its request, is not waited for', async () => {
  const { service: patient } = await serve({ REQUEST_TIMEOUT: '120' })
  const connection = await openConnection(patient.url)
  const chunked = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }
  connection.socket.write(bytesOf('POST', '/todos', undefined, chunked) + '1\r\n \r\n'.repeat(5_000))
  await connection.waitFor(/^HTTP\/1.1 413 .*}$/s)
  connection.socket.end()
  await waitUntil('it is closed', () => connection.socket.closed)
})

test('behind such an answer are read only for a while, and up to a limit', async () => {
  for (const [settings, content] of [
    [{ LINGER_TIMEOUT: '0.2' }, create('never')],
    [{ LINGER_TIMEOUT: '30', LINGER_LIMIT: '1000000' }, create('x'.repeat(90_000))],
  ] as const) {
    const { service: strict } = await serve(settings)
    const connection = await openConnection(strict.url)
    connection.socket.allowHalfOpen = true
    connection.socket.write(bytesOf('GET', '/health', undefined, { Expect: 'x' }) + create('never'))
    await once(connection.socket, 'end')
    await waitUntil('the connection is closed', () => {
      connection.socket.write(content)
      return connection.socket.destroyed
    })
    if ('LINGER_LIMIT' in settings)
      await waitUntil('it is logged', () => strict.logs.some(({ limit }) => limit === 'LINGER_LIMIT'))
  }
})

test('a body behind an early answer is read only up to a limit', async () => {
  const strict = await serve({ LINGER_LIMIT: '1000000' })
  const connection = await openConnection(strict.service.url)
  connection.socket.write(bytesOf('POST', '/nothing', undefined, { 'Content-Length': '100000000' }))
  await connection.waitFor(/^HTTP\/1.1 404 .*}$/s)
  await waitUntil('the connection is closed', () => {
    connection.socket.write('x'.repeat(100_000))
    return connection.socket.destroyed
  })
  const limit = () => strict.service.logs.filter(({ limit }) => limit === 'LINGER_LIMIT')
  await waitUntil('it is logged', () => limit().length === 1)
})

test('HTTP/1.0 knows no expectation, and gets no 100', async () => {
  const connection = await openConnection(service.url)
  const request = bytesOf('POST', '/todos', '{"title":"A"}', { Expect: '100-continue' })
  connection.socket.write(request.replace('HTTP/1.1', 'HTTP/1.0'))
  await connection.closed
  assert.deepEqual(connection.statuses(), [201])
  await client.delete('/todos')
})

test('a bad one waits for the answers before it, and is the last', async () => {
  const release = await lockTodos(service)
  const connection = await openConnection(service.url)
  connection.socket.write(`${create('first')}BREW /todos HTTP/1.1\r\n\r\n${create('last')}`)
  assert.equal((await client.get('/health')).status, 200)
  assert.equal(connection.received(), '')
  await release()
  await connection.closed
  assert.deepEqual(connection.statuses(), [201, 400])
  assert.deepEqual(await titles(), ['first'])
})
