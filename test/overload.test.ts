/** More requests than are handled at once: who waits, who is refused, and who is never made to wait. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { serve } from './support/client.js'
import { bytesOf, openConnection } from './support/connection.js'
import { createInFlight } from './support/locked-todos.js'
import { linesOfLimit, waitUntil } from './support/service.js'

const slow = { CONCURRENCY_LIMIT: '1', STATEMENT_TIMEOUT: '60', REFUSAL_DELAY: '0.2' }

test('a request waits for its turn, and the requests that waited are handled in their order', async () => {
  const { service, client } = await serve({ ...slow, QUEUE_TIMEOUT: '10' })
  const { answer, release } = await createInFlight(service, client)
  const titles = Array.from({ length: 20 }, (_, index) => `Todo ${index}`)
  const others: Promise<unknown>[] = []
  for (const title of titles) {
    others.push(client.create({ title }))
    assert.equal((await client.get('/health')).status, 200)
  }
  await release()
  await Promise.all([answer, ...others])
  const stored = (await client.get('/todos')).todos.map(({ title }) => title)
  assert.deepEqual(stored, ['in flight', ...titles])
})

test('whoever waits for too long gets 503 and is not handled; one line in the log speaks for all', async () => {
  const { service, client } = await serve({ ...slow, QUEUE_TIMEOUT: '0.1' })
  const { answer, release } = await createInFlight(service, client)
  const refused = await Promise.all([
    ...Array.from({ length: 50 }, () => client.post({ title: 'never' })),
    ...Array.from({ length: 50 }, () => client.get('/todos')),
  ])
  const delays = new Set(refused.map(({ headers }) => Number(headers['retry-after'])))
  assert.ok(refused.every(({ status }) => status === 503))
  assert.ok(delays.size > 1, 'they do not come back all together')
  assert.equal((await client.get('/health')).status, 200)
  await release()
  await answer
  assert.deepEqual(
    (await client.get('/todos')).todos.map(({ title }) => title),
    ['in flight'],
  )
  await waitUntil('it is logged', () => linesOfLimit(service, 'QUEUE_TIMEOUT').length === 1)
  const ids = new Set(refused.map(({ headers }) => headers['x-request-id']))
  assert.ok(service.logs.filter(({ requestId }) => ids.has(`${requestId}`)).length === 0)
  await service.stop()
  assert.deepEqual(
    linesOfLimit(service, 'QUEUE_TIMEOUT').map(({ count }) => count),
    [undefined, 99],
  )
})

test('more than QUEUE_LIMIT do not wait at all', async () => {
  const { service, client } = await serve({ ...slow, QUEUE_TIMEOUT: '10', QUEUE_LIMIT: '10' })
  const { answer, release } = await createInFlight(service, client)
  const waiting: Promise<unknown>[] = []
  let refused = 0
  const send = () =>
    client.get('/todos').then(({ status }) => {
      refused += status === 503 ? 1 : 0
    })
  for (let count = 0; count < 15; count += 1) waiting.push(send())
  await waitUntil('the others are refused', () => refused === 5)
  await release()
  await Promise.all([answer, ...waiting])
  assert.equal(refused, 5)
  await waitUntil('it is logged', () => linesOfLimit(service, 'QUEUE_LIMIT').length === 1)
})

test('a crowd of bad requests that waited is refused, and takes nobody’s turn', async () => {
  const { service, client } = await serve({ ...slow, QUEUE_TIMEOUT: '60' })
  const { answer, release } = await createInFlight(service, client)
  const crowd = await Promise.all(Array.from({ length: 1_000 }, () => openConnection(service.url)))
  for (const { socket } of crowd) socket.write(bytesOf('GET', '/todos?bad=1'))
  for (let count = 0; count < 50; count += 1) await client.get('/health')
  await release()
  await answer
  for (const { waitFor } of crowd) await waitFor(/^HTTP\/1\.1 400 .*}$/s)
  for (let count = 0; count < 3; count += 1) assert.equal((await client.get('/todos')).status, 200)
})

test('a body of a type that is refused holds nothing while it waits', async () => {
  const { service, client } = await serve({ ...slow, QUEUE_TIMEOUT: '60', CLIENT_MEMORY: '1048576' })
  const { answer, release } = await createInFlight(service, client)
  const headers = { 'Content-Type': 'text/plain', 'Transfer-Encoding': 'chunked' }
  const bytes = `${bytesOf('POST', '/todos', undefined, headers)}4e20\r\n${' '.repeat(20_000)}\r\n0\r\n\r\n`
  const crowd = await Promise.all(Array.from({ length: 100 }, () => openConnection(service.url)))
  for (const { socket } of crowd) socket.write(bytes)
  await delay(500) // the connections are looked at several times a second
  await release()
  await answer
  for (const { waitFor } of crowd) await waitFor(/^HTTP\/1\.1 415 .*}$/s)
  assert.deepEqual(linesOfLimit(service, 'CLIENT_MEMORY'), [])
})

test('a client that leaves while it waits is not handled', async () => {
  const { service, client } = await serve({ ...slow, QUEUE_TIMEOUT: '10' })
  const { answer, release } = await createInFlight(service, client)
  const leaving = new AbortController()
  const body = JSON.stringify({ title: 'never' })
  const headers = { 'Content-Type': 'application/json', 'X-Request-Id': 'leaving' }
  const left = fetch(`${service.url}/todos`, { method: 'POST', headers, body, signal: leaving.signal })
  for (let count = 0; count < 5; count += 1) await client.get('/health')
  leaving.abort()
  await assert.rejects(left)
  await waitUntil('its line', () => service.logs.some(({ requestId }) => requestId === 'leaving'))
  await release()
  await answer
  assert.equal((await client.get('/todos')).todos.length, 1)
})

test('a slow body takes nobody’s turn', async () => {
  const { service, client } = await serve(slow)
  const slowOnes = await Promise.all(Array.from({ length: 5 }, () => openConnection(service.url)))
  const bytes = bytesOf('POST', '/todos', '{"title":"slow"}')
  for (const { socket } of slowOnes) socket.write(bytes.slice(0, -1))
  for (let count = 0; count < 5; count += 1) await client.create()
  for (const { socket } of slowOnes) socket.write(bytes.slice(-1))
  for (const each of slowOnes) await each.waitFor(/^HTTP\/1\.1 201 /)
})

test('while a crowd sends what is costly to read, others are read in between', async () => {
  const { service } = await serve()
  const costly = `${bytesOf('GET', '/health').slice(0, -2)}${'a:\r\n'.repeat(4_000)}\r\n`
  const crowd = await Promise.all(Array.from({ length: 100 }, () => openConnection(service.url)))
  let answered = 0
  for (const { socket } of crowd) {
    socket.write(costly.repeat(8))
    socket.on('data', (text: string) => {
      const answers = text.split('HTTP/1.1 ').length - 1
      answered += answers
      socket.write(costly.repeat(answers))
    })
  }
  await waitUntil('the crowd is answered', () => answered > 0)
  answered = 0
  for (let count = 0; count < 20; count += 1) {
    const other = await openConnection(service.url)
    other.socket.write(bytesOf('GET', '/health'))
    await other.waitFor(/}$/)
  }
  assert.ok(answered < 2_000, `While 20 others got their answers the crowd got ${answered}.`)
})

test('while others flood it, a client is read before which many have connections that are idle', async () => {
  const { service } = await serve()
  const health = bytesOf('GET', '/health')
  const idle = await Promise.all(Array.from({ length: 1_500 }, () => openConnection(service.url)))
  for (const { socket } of idle) socket.write(health)
  await Promise.all(idle.map((each) => each.waitFor(/}$/)))
  const last = await openConnection(service.url)
  let isOver = false
  let sent = 0
  const chunked = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }
  const costly = bytesOf('POST', '/todos', undefined, chunked) + '1\r\n \r\n'.repeat(3_600)
  const flood = async () => {
    while (!isOver) {
      const { socket } = await openConnection(service.url, '127.0.0.2')
      socket.write(costly)
      sent += 1
      await delay(80)
      socket.destroy()
    }
  }
  const floods = Array.from({ length: 20 }, flood)
  try {
    for (let count = 1; count <= 5; count += 1) {
      last.socket.write(health)
      await waitUntil('the client is answered', () => last.statuses().length === count)
    }
  } finally {
    isOver = true
    await Promise.all(floods)
  }
  assert.ok(sent < 500, `While one client got 5 answers, ${sent} others were let in.`)
})
