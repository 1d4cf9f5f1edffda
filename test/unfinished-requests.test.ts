/** What a client makes the service hold before a request is answered counts, wherever it breaks off. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from './support/client.js'
import { bytesOf, isOpen, openConnections } from './support/connection.js'
import { lockTodos } from './support/locked-todos.js'
import { linesOfLimit, waitUntil } from './support/service.js'

const json = { 'Content-Type': 'application/json' }
const head = bytesOf('POST', '/todos', 'x'.repeat(100_000)).slice(0, -1)
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
    const connections = await openConnections(service.url, 100, bytes)
    await waitUntil('some are closed', () => !connections.every(isOpen))
    assert.ok(connections.some(isOpen))
    assert.equal((await client.get('/health')).status, 200)
    await release()
    assert.equal((await client.create()).status, 201)
    await waitUntil('it is logged', () => linesOfLimit(service, 'CLIENT_MEMORY').length === 1)
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
  const [connection] = await openConnections(
    service.url,
    1,
    bytesOf('GET', '/todos') + withTrailers.repeat(14),
  )
  await waitUntil('it is logged', () => linesOfLimit(service, 'CLIENT_MEMORY').length === 1)
  await connection?.closed
  await release()
})
