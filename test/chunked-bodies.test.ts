/** Bodies in chunks, down to the smallest: what they cost has a limit, what networks make of them has none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { serve } from './support/client.js'
import { bytesOf, openConnections } from './support/connection.js'
import { lockTodos } from './support/locked-todos.js'
import { linesOfLimit, waitUntil } from './support/service.js'

const json = { 'Content-Type': 'application/json' }

test('a body in the smallest chunks is put together', async () => {
  const { service, client } = await serve()
  const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }
  const body = JSON.stringify({ title: 'A', description: 'b'.repeat(3_000) })
  const chunks = [...body].map((character) => `1\r\n${character}\r\n`).join('')
  const zipped = [...gzipSync(body)].map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('')
  const requests = [
    bytesOf('POST', '/todos', undefined, headers) + chunks,
    bytesOf('POST', '/todos', undefined, { ...headers, 'Content-Encoding': 'x-gzip' }) + zipped,
  ]
  const [connection] = await openConnections(
    service.url,
    1,
    requests.map((request) => `${request}0\r\n\r\n`).join(''),
  )
  await connection?.waitFor(/(HTTP\/1\.1 201 .*){2}}$/s)
  const descriptions = (await client.get('/todos')).todos.map(({ description }) => description?.length)
  assert.deepEqual(descriptions, [3_000, 3_000])
})

test('a body in too many chunks is refused; in twice as many, its connection is closed', async () => {
  const { service } = await serve({ CHUNK_LIMIT: '1000' })
  const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }
  for (const [method, path] of [
    ['POST', '/todos'],
    ['GET', '/todos'], // takes no body
  ] as const) {
    const first = bytesOf(method, path, undefined, headers)
    const [many] = await openConnections(service.url, 1, first + '1\r\n \r\n'.repeat(1_900))
    await many?.waitFor(/^HTTP\/1\.1 413 .*"The body comes in more than 1000 chunks of less than 1 kB\./s)
    many?.socket.destroy()
  }
  // Behind one that waits for the database, in one write, and behind an answer.
  const release = await lockTodos(service)
  for (const before of ['', bytesOf('GET', '/todos'), bytesOf('GET', '/health')]) {
    const [twice] = await openConnections(service.url, 1, before)
    if (before.includes('health')) await twice?.waitFor(/}$/)
    twice?.socket.write(bytesOf('POST', '/todos', undefined, headers) + '1\r\n \r\n'.repeat(2_001))
    await waitUntil('it is closed', () => twice?.socket.closed === true)
  }
  const [unknown] = await openConnections(service.url, 1, bytesOf('POST', '/nothing', undefined, headers))
  await unknown?.waitFor(/^HTTP\/1\.1 404 /)
  unknown?.socket.write('1\r\n \r\n'.repeat(2_001))
  await waitUntil('it is closed', () => unknown?.socket.closed === true)
  await release()
  await service.stop()
  const [first, rest, ...others] = linesOfLimit(service, 'CHUNK_LIMIT').map(({ count }) => count)
  assert.deepEqual([first, others], [undefined, []])
  assert.ok(Number(rest) >= 5, `${rest} more than one`) // of two answers and four connections
})

test('the pieces of a chunk as networks carry them are no chunks', async () => {
  const { service, client } = await serve({ CHUNK_LIMIT: '100', BODY_LIMIT: '1000000' })
  const headers = { ...json, 'Transfer-Encoding': 'chunked' }
  const [connection] = await openConnections(service.url, 1, bytesOf('POST', '/todos', undefined, headers))
  connection?.socket.setNoDelay()
  const body = `{"title":"A"${' '.repeat(499_987)}}`
  connection?.socket.write(`${body.length.toString(16)}\r\n`)
  for (let sent = 0; sent < body.length; sent += 1_220) {
    connection?.socket.write(body.slice(sent, sent + 1_220))
    if (sent % 2_440 === 0) await client.get('/health')
  }
  connection?.socket.write('\r\n0\r\n\r\n')
  await connection?.waitFor(/^HTTP\/1\.1 201 /)
})

test('only chunks of the same body count as such', async () => {
  const { service, client } = await serve({ CHUNK_LIMIT: '100' })
  const chunked = bytesOf('POST', '/todos', undefined, { ...json, 'Transfer-Encoding': 'chunked' })
  const [pipelined, piecemeal] = await openConnections(service.url, 2, '')
  pipelined?.socket.write(`${chunked}d\r\n{"title":"A"}\r\n0\r\n\r\n`.repeat(250))
  await waitUntil('all are answered', () => pipelined?.statuses().length === 250)
  assert.ok(pipelined?.statuses().every((status) => status === 201))
  for (const byte of bytesOf('POST', '/todos', JSON.stringify({ title: 'A'.repeat(150) }))) {
    piecemeal?.socket.write(byte)
    await client.get('/health')
  }
  await piecemeal?.waitFor(/^HTTP\/1\.1 201 /)
})
