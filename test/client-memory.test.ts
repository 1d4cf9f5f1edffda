/** Who gives way when clients make the service hold too much, and what does not count. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from './support/client.js'
import { bytesOf, isOpen, openConnection, openConnections, type RawConnection } from './support/connection.js'
import { lockTodos, statementWaits } from './support/locked-todos.js'
import { linesOfLimit, waitUntil } from './support/service.js'
import { fillPage } from './support/todos.js'

const json = { 'Content-Type': 'application/json' }
const head = bytesOf('POST', '/todos', 'x'.repeat(100_000)).slice(0, -1)
const longField = `X: ${'a'.repeat(15_000)}`

test('a request that is being handled is not given up for others that are unfinished', async () => {
  const { service, client } = await serve({ CLIENT_MEMORY: '1048576', STATEMENT_TIMEOUT: '60' })
  const release = await lockTodos(service)
  const body = `{"title":"handled"${' '.repeat(90_000)}}`
  const handled = client.post(body)
  await statementWaits(service)
  const connections = await openConnections(service.url, 60, head.slice(0, -50_000))
  await waitUntil('others are closed', () => connections.filter(isOpen).length < 30)
  await release()
  assert.equal((await handled).status, 201)
})

test('whoever has to give up an unfinished request is told when to try again', async () => {
  const { service } = await serve({ CLIENT_MEMORY: '1048576' })
  const connections = await openConnections(service.url, 30, head)
  const closed = await Promise.race(connections.map((each) => each.closed.then(() => each)))
  assert.match(closed.received(), /^HTTP\/1\.1 503 .*\r\nRetry-After: [1-5]\r\n/s)
})

test('an address has less than all: another one’s requests go on', async () => {
  const { service } = await serve({ CLIENT_MEMORY_PER_ADDRESS: '1048576' })
  const other = await openConnections(service.url, 5, head, '127.0.0.2')
  const connections = await openConnections(service.url, 30, head)
  await waitUntil('some are closed', () => !connections.every(isOpen))
  for (const { socket } of other) socket.write('x')
  for (const connection of other) await connection.waitFor(/^HTTP\/1\.1 400 /)
  await waitUntil('it is logged', () => linesOfLimit(service, 'CLIENT_MEMORY_PER_ADDRESS').length === 1)
})

test('an address that holds little does not give way to one that holds much', async () => {
  const { service } = await serve({ CLIENT_MEMORY: '1048576' })
  const [slow] = await openConnections(service.url, 1, head, '127.0.0.2')
  const connections = await openConnections(service.url, 30, `GET /health HTTP/1.1\r\n${longField}`)
  await waitUntil('half are closed', () => connections.filter(isOpen).length < 15)
  slow?.socket.write('x')
  await slow?.waitFor(/^HTTP\/1\.1 400 /)
})

test('a trusted proxy is many clients, and has no such limit', async () => {
  const { service, client } = await serve({
    CLIENT_MEMORY_PER_ADDRESS: '1048576',
    TRUST_PROXY: '127.0.0.1',
  })
  const connections = await openConnections(service.url, 30, head)
  // Each answer takes a turn of the event loop, in which 64 kB of each connection are read.
  for (let count = 0; count < 20; count += 1) await client.get('/health')
  for (const { socket } of connections) socket.write('x')
  for (const connection of connections) await connection.waitFor(/^HTTP\/1\.1 400 /)
  assert.deepEqual(linesOfLimit(service, 'CLIENT_MEMORY_PER_ADDRESS'), [])
})

test('unread answers count, and the oldest of them are given up', async () => {
  const { service, client } = await serve({ CLIENT_MEMORY: '10000000' })
  await fillPage(client)
  const connections = await Promise.all(Array.from({ length: 10 }, () => openConnection(service.url)))
  for (const { socket } of connections) {
    socket.pause()
    socket.write(bytesOf('GET', '/todos?limit=100').repeat(3))
  }
  await waitUntil('some are given up', () => linesOfLimit(service, 'CLIENT_MEMORY').length === 1)
  for (const { socket } of connections) socket.resume()
  await Promise.race(connections.map(({ closed }) => closed))
  assert.equal((await client.get('/todos?limit=100')).todos.length, 100)
})

test('what comes of a body that was refused is not counted', async () => {
  const { service, client } = await serve({ CLIENT_MEMORY: '1048576' })
  const start = ' '.repeat(200_000)
  const chunked = { ...json, 'Transfer-Encoding': 'chunked' }
  for (const [status, request] of [
    [413, bytesOf('POST', '/todos', undefined, { ...json, 'Content-Length': '1000000' })],
    [413, `${bytesOf('POST', '/todos', undefined, chunked)}f4240\r\n`],
    [415, bytesOf('POST', '/todos', undefined, { 'Content-Length': '1000000' })],
  ] as const) {
    for (let count = 0; count < 20; count += 1) {
      const [connection] = await openConnections(service.url, 1, request + start)
      await connection?.waitFor(RegExp(`^HTTP/1.1 ${status} `))
      await client.get('/health')
    }
  }
  assert.deepEqual(linesOfLimit(service, 'CLIENT_MEMORY'), [])
})

test('a body in chunks leaves nothing behind that counts, whether it was taken or not', async () => {
  const { service } = await serve({ CLIENT_MEMORY: '1048576' })
  const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }
  const chunks = `${'1\r\n \r\n'.repeat(3_000)}d\r\n{"title":"A"}\r\n0\r\n\r\n`
  const requests: Record<number, string> = {
    201: bytesOf('POST', '/todos', undefined, headers) + chunks,
    413: `${bytesOf('POST', '/todos', undefined, headers)}${`64\r\n${' '.repeat(100)}\r\n`.repeat(3_000)}0\r\n\r\n`,
    415: bytesOf('POST', '/todos', undefined, { ...headers, 'Content-Type': 'text/plain' }) + chunks,
    404: bytesOf('POST', '/nothing', undefined, headers) + chunks,
  }
  const connections: RawConnection[] = []
  for (const [status, request] of Object.entries(requests)) {
    for (let count = 0; count < 20; count += 1) {
      const [connection] = await openConnections(service.url, 1, request)
      await connection?.waitFor(RegExp(`^HTTP/1.1 ${status} .*}$`, 's'))
      if (connection) connections.push(connection)
    }
  }
  for (const { socket } of connections) socket.write(bytesOf('GET', '/nothing'))
  for (const connection of connections) await connection.waitFor(/}HTTP\/1.1 404 .*}$/s)
  assert.deepEqual(linesOfLimit(service, 'CLIENT_MEMORY'), [])
})
