/** How long a client may take, how many connections there are, and what the log says of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from './support/client.js'
import { bytesOf, isOpen, openConnections } from './support/connection.js'
import { linesOfLimit, waitUntil } from './support/service.js'
import { fillPage } from './support/todos.js'

const head = bytesOf('POST', '/todos', 'x'.repeat(100_000)).slice(0, -1)

test('an answer that nobody reads is given up after ANSWER_TIMEOUT; one that is read in time is not', async () => {
  const { service, client } = await serve({ ANSWER_TIMEOUT: '3' })
  await fillPage(client)
  const page = bytesOf('GET', '/todos?limit=100')
  const readers = await openConnections(service.url, 2, page)
  const [other] = await openConnections(service.url, 1, page.repeat(4))
  other?.socket.pause()
  await waitUntil('the answer is read', () => readers.every(({ received }) => received().endsWith(']')))
  await waitUntil('it is logged', () => linesOfLimit(service, 'ANSWER_TIMEOUT').length === 1)
  other?.socket.resume()
  await other?.closed
  assert.ok(readers.every(isOpen))
})

test('beyond CONNECTION_LIMIT the connections that have been idle for the longest are closed', async () => {
  const { service, client } = await serve({ CONNECTION_LIMIT: '20' })
  const [busy] = await openConnections(service.url, 1, head)
  const idle = await openConnections(service.url, 15, '')
  await openConnections(service.url, 15, '')
  await waitUntil('ten are closed', () => !idle.slice(0, 10).some(isOpen))
  assert.equal((await client.get('/health')).status, 200)
  busy?.socket.write('x')
  await busy?.waitFor(/^HTTP\/1\.1 400 /)
  await waitUntil('it is logged', () => linesOfLimit(service, 'CONNECTION_LIMIT').length === 1)
})

test('new connections whose requests cannot be read in time are closed, and logged once', async () => {
  const { service, client } = await serve({ REFUSAL_TIMEOUT: '0.1' })
  const chunks = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }
  const costly = bytesOf('POST', '/todos', undefined, chunks) + '1\r\n \r\n'.repeat(10_000)
  const connections = await openConnections(service.url, 100, costly)
  await waitUntil('it is logged', () => linesOfLimit(service, 'REFUSAL_TIMEOUT').length > 0)
  for (const { socket } of connections) socket.destroy()
  // A new one may have to wait for as long itself, for as long as something lies unread.
  const isServed = () =>
    client.get('/health').then(
      ({ status }) => status === 200,
      () => false,
    )
  await waitUntil('others are served', isServed)
  await service.stop()
  const [first, ...rest] = linesOfLimit(service, 'REFUSAL_TIMEOUT').map(({ count }) => count)
  assert.equal(first, undefined)
  assert.equal(rest.length, 1)
})

test('requests that are too slow or too large are logged once, not once each', async () => {
  const { service } = await serve({ REQUEST_TIMEOUT: '1' })
  const late = await openConnections(service.url, 20, head)
  const large = await openConnections(service.url, 20, `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)
  const bodies = await openConnections(service.url, 20, bytesOf('POST', '/todos', 'x'.repeat(102_401)))
  for (const each of bodies) await each.waitFor(/^HTTP\/1\.1 413 /)
  await Promise.all([...late, ...large].map(({ closed }) => closed))
  assert.ok(late.every(({ statuses }) => statuses().join() === '408'))
  assert.ok(large.every(({ statuses }) => statuses().join() === '431'))
  const names = ['REQUEST_TIMEOUT', 'HEADER_LIMIT', 'BODY_LIMIT']
  await waitUntil('all are logged', () => names.every((name) => linesOfLimit(service, name).length === 1))
  await service.stop()
  for (const name of names)
    assert.deepEqual(
      linesOfLimit(service, name).map(({ count }) => count),
      [undefined, 19],
      name,
    )
})
