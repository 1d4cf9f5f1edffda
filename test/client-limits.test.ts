/** What one client can make the service hold, and for how long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { serve } from './support/client.js'
import { bytesOf, openConnection, type RawConnection } from './support/connection.js'
import { lockTodos, statementWaits } from './support/locked-todos.js'
import { type Service, waitUntil } from './support/service.js'
import { fillPage } from './support/todos.js'

const linesOf = ({ logs }: Service, name: string) => logs.filter(({ limit }) => limit === name)
const json = { 'Content-Type': 'application/json' }
const head = bytesOf('POST', '/todos', 'x'.repeat(100_000)).slice(0, -1)
const open = async (url: string, count: number, bytes: string, localAddress?: string) => {
  const connections = await Promise.all(
    Array.from({ length: count }, () => openConnection(url, localAddress)),
  )
  for (const { socket } of connections) socket.write(bytes, 'latin1')
  return connections
}
const isOpen = ({ socket }: RawConnection) => !socket.destroyed

const longField = `X: ${'a'.repeat(15_000)}`
const lastChunk = `${bytesOf('POST', '/todos', undefined, { ...json, 'Transfer-Encoding': 'chunked' })}2\r\n{}\r\n0\r\n`
const longHead = `${bytesOf('GET', '/todos').slice(0, -2)}${longField}\r\n\r\n`
const unfinished: Record<string, string> = {
  'an unfinished body': head,
  'an unfinished body behind a request and an expectation': `${bytesOf('GET', '/todos')}${bytesOf('POST', '/todos', undefined, { ...json, Expect: '100-continue', 'Content-Length': '100000' })}${'x'.repeat(99_999)}`,
  'an unfinished head of one field': `GET /health HTTP/1.1\r\n${longField}`,
  'an unfinished head of many fields': `GET /health HTTP/1.1\r\n${'a:\r\n'.repeat(3_700)}`,
  'an unfinished head behind a request': `${bytesOf('GET', '/health')}GET / HTTP/1.1\r\n${longField}`,
  'an unfinished head behind a request that is handled': `${bytesOf('GET', '/todos')}GET / HTTP/1.1\r\n${longField}`,
  'unfinished trailers of one field': `${lastChunk}${longField}`,
  'unfinished trailers of many fields': `${lastChunk}${'a:\r\n'.repeat(3_700)}`,
  'a body that does not come behind a long field': `${bytesOf('POST', '/todos').slice(0, -2)}Content-Length: 2\r\n${longField}\r\n\r\n`,
  'a long head of a request that is handled': longHead,
  'what comes behind an answer that closes':
    bytesOf('GET', '/health', undefined, { Expect: 'x' }) + bytesOf('GET', '/').repeat(1_000),
  'what comes behind a request that is refused in its turn': `${bytesOf('GET', '/todos')}GET / HTTP/1.1\r\n${'a:\r\n'.repeat(4_100)}\r\n${longHead.repeat(3)}`,
  'a head of 5 kB of a request that waits to be handled': `${bytesOf('GET', '/todos').slice(0, -2)}X: ${'a'.repeat(5_000)}\r\n\r\n`,
  'a body that does not come behind many fields': `${bytesOf('POST', '/todos').slice(0, -2)}Content-Length: 2\r\n${'a:\r\n'.repeat(3_000)}\r\n`,
  'the beginning of a body behind a long field': `${bytesOf('POST', '/todos').slice(0, -2)}Content-Type: application/json\r\nContent-Length: 20000\r\nX: ${'a'.repeat(5_000)}\r\n\r\n${'x'.repeat(6_000)}`,
  'many requests that wait': bytesOf('GET', '/todos') + bytesOf('GET', '/health').repeat(100) + head,
}
for (const [what, bytes] of Object.entries(unfinished)) {
  test(`${what} counts: beyond the memory for clients the largest and oldest are closed`, async () => {
    const { service, client } = await serve({ CLIENT_MEMORY: '1048576', STATEMENT_TIMEOUT: '60' })
    const release = await lockTodos(service)
    const connections = await open(service.url, 100, bytes)
    await waitUntil('some are closed', () => !connections.every(isOpen))
    assert.ok(connections.some(isOpen))
    assert.equal((await client.get('/health')).status, 200)
    await release()
    assert.equal((await client.create()).status, 201)
    await waitUntil('it is logged', () => linesOf(service, 'CLIENT_MEMORY').length === 1)
    assert.deepEqual(
      service.logs.filter(({ msg, status }) => msg === 'refused' && status === 503),
      [],
    )
  })
}

test('the trailers of requests that wait count', async () => {
  const { service } = await serve({ CLIENT_MEMORY: '1048576', STATEMENT_TIMEOUT: '60' })
  const release = await lockTodos(service)
  const withTrailers = `${lastChunk}${'a:\r\n'.repeat(1_000)}\r\n`
  const [connection] = await open(service.url, 1, bytesOf('GET', '/todos') + withTrailers.repeat(14))
  await waitUntil('it is logged', () => linesOf(service, 'CLIENT_MEMORY').length === 1)
  await connection?.closed
  await release()
})

test('a request that is being handled is not given up for others that are unfinished', async () => {
  const { service, client } = await serve({ CLIENT_MEMORY: '1048576', STATEMENT_TIMEOUT: '60' })
  const release = await lockTodos(service)
  const body = `{"title":"handled"${' '.repeat(90_000)}}`
  const handled = client.post(body)
  await statementWaits(service)
  const connections = await open(service.url, 60, head.slice(0, -50_000))
  await waitUntil('others are closed', () => connections.filter(isOpen).length < 30)
  await release()
  assert.equal((await handled).status, 201)
})

test('whoever has to give up an unfinished request is told when to try again', async () => {
  const { service } = await serve({ CLIENT_MEMORY: '1048576' })
  const connections = await open(service.url, 30, head)
  const closed = await Promise.race(connections.map((each) => each.closed.then(() => each)))
  assert.match(closed.received(), /^HTTP\/1\.1 503 .*\r\nRetry-After: [1-5]\r\n/s)
})

test('an address has less than all: another one’s requests go on', async () => {
  const { service } = await serve({ CLIENT_MEMORY_PER_ADDRESS: '1048576' })
  const other = await open(service.url, 5, head, '127.0.0.2')
  const connections = await open(service.url, 30, head)
  await waitUntil('some are closed', () => !connections.every(isOpen))
  for (const { socket } of other) socket.write('x')
  for (const connection of other) await connection.waitFor(/^HTTP\/1\.1 400 /)
  await waitUntil('it is logged', () => linesOf(service, 'CLIENT_MEMORY_PER_ADDRESS').length === 1)
})

test('an address that holds little does not give way to one that holds much', async () => {
  const { service } = await serve({ CLIENT_MEMORY: '1048576' })
  const [slow] = await open(service.url, 1, head, '127.0.0.2')
  const connections = await open(service.url, 30, `GET /health HTTP/1.1\r\n${longField}`)
  await waitUntil('half are closed', () => connections.filter(isOpen).length < 15)
  slow?.socket.write('x')
  await slow?.waitFor(/^HTTP\/1\.1 400 /)
})

test('a trusted proxy is many clients, and has no such limit', async () => {
  const { service, client } = await serve({
    CLIENT_MEMORY_PER_ADDRESS: '1048576',
    TRUST_PROXY: '127.0.0.1',
  })
  const connections = await open(service.url, 30, head)
  // Each answer takes a turn of the event loop, in which 64 kB of each connection are read.
  for (let count = 0; count < 20; count += 1) await client.get('/health')
  for (const { socket } of connections) socket.write('x')
  for (const connection of connections) await connection.waitFor(/^HTTP\/1\.1 400 /)
  assert.deepEqual(linesOf(service, 'CLIENT_MEMORY_PER_ADDRESS'), [])
})

test('unread answers count, and the oldest of them are given up', async () => {
  const { service, client } = await serve({ CLIENT_MEMORY: '10000000' })
  await fillPage(client)
  const connections = await Promise.all(Array.from({ length: 10 }, () => openConnection(service.url)))
  for (const { socket } of connections) {
    socket.pause()
    socket.write(bytesOf('GET', '/todos?limit=100').repeat(3))
  }
  await waitUntil('some are given up', () => linesOf(service, 'CLIENT_MEMORY').length === 1)
  for (const { socket } of connections) socket.resume()
  await Promise.race(connections.map(({ closed }) => closed))
  assert.equal((await client.get('/todos?limit=100')).todos.length, 100)
})

test('an answer that nobody reads is given up after ANSWER_TIMEOUT; one that is read in time is not', async () => {
  const { service, client } = await serve({ ANSWER_TIMEOUT: '3' })
  await fillPage(client)
  const page = bytesOf('GET', '/todos?limit=100')
  const readers = await open(service.url, 2, page)
  const [other] = await open(service.url, 1, page.repeat(4))
  other?.socket.pause()
  await waitUntil('the answer is read', () => readers.every(({ received }) => received().endsWith(']')))
  await waitUntil('it is logged', () => linesOf(service, 'ANSWER_TIMEOUT').length === 1)
  other?.socket.resume()
  await other?.closed
  assert.ok(readers.every(isOpen))
})

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
  const [connection] = await open(service.url, 1, requests.map((request) => `${request}0\r\n\r\n`).join(''))
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
    const [many] = await open(service.url, 1, first + '1\r\n \r\n'.repeat(1_900))
    await many?.waitFor(/^HTTP\/1\.1 413 .*"The body comes in more than 1000 chunks of less than 1 kB\./s)
    many?.socket.destroy()
  }
  // Behind one that waits for the database, in one write, and behind an answer.
  const release = await lockTodos(service)
  for (const before of ['', bytesOf('GET', '/todos'), bytesOf('GET', '/health')]) {
    const [twice] = await open(service.url, 1, before)
    if (before.includes('health')) await twice?.waitFor(/}$/)
    twice?.socket.write(bytesOf('POST', '/todos', undefined, headers) + '1\r\n \r\n'.repeat(2_001))
    await waitUntil('it is closed', () => twice?.socket.closed === true)
  }
  const [unknown] = await open(service.url, 1, bytesOf('POST', '/nothing', undefined, headers))
  await unknown?.waitFor(/^HTTP\/1\.1 404 /)
  unknown?.socket.write('1\r\n \r\n'.repeat(2_001))
  await waitUntil('it is closed', () => unknown?.socket.closed === true)
  await release()
  await service.stop()
  const [first, rest, ...others] = linesOf(service, 'CHUNK_LIMIT').map(({ count }) => count)
  assert.deepEqual([first, others], [undefined, []])
  assert.ok(Number(rest) >= 5, `${rest} more than one`) // of two answers and four connections
})

test('the pieces of a chunk as networks carry them are no chunks', async () => {
  const { service, client } = await serve({ CHUNK_LIMIT: '100', BODY_LIMIT: '1000000' })
  const headers = { ...json, 'Transfer-Encoding': 'chunked' }
  const [connection] = await open(service.url, 1, bytesOf('POST', '/todos', undefined, headers))
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
  const [pipelined, piecemeal] = await open(service.url, 2, '')
  pipelined?.socket.write(`${chunked}d\r\n{"title":"A"}\r\n0\r\n\r\n`.repeat(250))
  await waitUntil('all are answered', () => pipelined?.statuses().length === 250)
  assert.ok(pipelined?.statuses().every((status) => status === 201))
  for (const byte of bytesOf('POST', '/todos', JSON.stringify({ title: 'A'.repeat(150) }))) {
    piecemeal?.socket.write(byte)
    await client.get('/health')
  }
  await piecemeal?.waitFor(/^HTTP\/1\.1 201 /)
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
      const [connection] = await open(service.url, 1, request + start)
      await connection?.waitFor(RegExp(`^HTTP/1.1 ${status} `))
      await client.get('/health')
    }
  }
  assert.deepEqual(linesOf(service, 'CLIENT_MEMORY'), [])
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
      const [connection] = await open(service.url, 1, request)
      await connection?.waitFor(RegExp(`^HTTP/1.1 ${status} .*}$`, 's'))
      if (connection) connections.push(connection)
    }
  }
  for (const { socket } of connections) socket.write(bytesOf('GET', '/nothing'))
  for (const connection of connections) await connection.waitFor(/}HTTP\/1.1 404 .*}$/s)
  assert.deepEqual(linesOf(service, 'CLIENT_MEMORY'), [])
})

test('beyond CONNECTION_LIMIT the connections that have been idle for the longest are closed', async () => {
  const { service, client } = await serve({ CONNECTION_LIMIT: '20' })
  const [busy] = await open(service.url, 1, head)
  const idle = await open(service.url, 15, '')
  await open(service.url, 15, '')
  await Promise.all(idle.slice(0, 10).map(({ closed }) => closed))
  assert.equal((await client.get('/health')).status, 200)
  busy?.socket.write('x')
  await busy?.waitFor(/^HTTP\/1\.1 400 /)
  await waitUntil('it is logged', () => linesOf(service, 'CONNECTION_LIMIT').length === 1)
})

test('new connections whose requests cannot be read in time are closed, and logged once', async () => {
  const { service, client } = await serve({ REFUSAL_TIMEOUT: '0.1' })
  const chunks = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }
  const costly = bytesOf('POST', '/todos', undefined, chunks) + '1\r\n \r\n'.repeat(10_000)
  const connections = await open(service.url, 100, costly)
  await waitUntil('it is logged', () => linesOf(service, 'REFUSAL_TIMEOUT').length > 0)
  for (const { socket } of connections) socket.destroy()
  // A new one may have to wait for as long itself, for as long as something lies unread.
  const isServed = () =>
    client.get('/health').then(
      ({ status }) => status === 200,
      () => false,
    )
  await waitUntil('others are served', isServed)
  await service.stop()
  const [first, ...rest] = linesOf(service, 'REFUSAL_TIMEOUT').map(({ count }) => count)
  assert.equal(first, undefined)
  assert.equal(rest.length, 1)
})

test('requests that are too slow or too large are logged once, not once each', async () => {
  const { service } = await serve({ REQUEST_TIMEOUT: '1' })
  const late = await open(service.url, 20, head)
  const large = await open(service.url, 20, `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)
  const bodies = await open(service.url, 20, bytesOf('POST', '/todos', 'x'.repeat(102_401)))
  for (const each of bodies) await each.waitFor(/^HTTP\/1\.1 413 /)
  await Promise.all([...late, ...large].map(({ closed }) => closed))
  assert.ok(late.every(({ statuses }) => statuses().join() === '408'))
  assert.ok(large.every(({ statuses }) => statuses().join() === '431'))
  const names = ['REQUEST_TIMEOUT', 'HEADER_LIMIT', 'BODY_LIMIT']
  await waitUntil('all are logged', () => names.every((name) => linesOf(service, name).length === 1))
  await service.stop()
  for (const name of names)
    assert.deepEqual(
      linesOf(service, name).map(({ count }) => count),
      [undefined, 19],
      name,
    )
})
