import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from './support/client.js'
import { bytesOf, openConnection } from './support/connection.js'
import { waitUntil } from './support/service.js'

const { service, client } = await serve({ REQUEST_TIMEOUT: '1' })

for (const id of ['a', 'A-1_b.2', '0'.repeat(128), '..', '-', '01932c07-209c-7d4c-9d3e-1b2c3d4e5f60']) {
  test(`${id.slice(0, 20)} is kept, whatever the answer`, async () => {
    const headers = { 'X-Request-Id': id }
    for (const answer of [
      await client.get('/todos', headers),
      await client.post({}, headers),
      await client.get('/nothing', headers),
      await client.send('OPTIONS', '/todos', { headers }),
      await client.send('HEAD', '/health', { headers }),
    ]) {
      assert.equal(answer.headers['x-request-id'], id)
      if (answer.status >= 400) assert.equal(answer.problem.requestId, id)
    }
  })
}

for (const id of ['', 'a b', 'a,b', 'ä', '0'.repeat(129), '<script>', 'a"b', "a'b", 'a/b', '\u00a0']) {
  test(`"${id.slice(0, 20)}" is replaced`, async () => {
    const { headers } = await client.get('/todos', { 'X-Request-Id': id })
    assert.notEqual(headers['x-request-id'], id)
  })
}

const cut = 'POST /todos HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nContent-Type: application/json\r\n'
for (const [what, bytes, status] of [
  ['comes too late', `${cut}Content-Length: 20\r\n\r\n{`, 408],
  ['comes in chunks that are none', `${cut}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
  ['is for a tunnel', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n', 405],
] as const) {
  test(`is kept where a request ${what}, also behind another`, async () => {
    for (const before of ['', 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n']) {
      const connection = await openConnection(service.url)
      connection.socket.write(before + bytes)
      await connection.closed
      assert.deepEqual(connection.statuses(), before ? [200, status] : [status])
      assert.match(connection.received(), /X-Request-Id: mine\r\n.*"requestId":"mine"/s)
    }
  })
}

test('an id may be any word, also one that HTTP knows', async () => {
  const connection = await openConnection(service.url)
  const ids = ['Connection', 'close', 'Content-Length', '100-continue', 'chunked', 'Transfer-Encoding']
  for (const [index, id] of ids.entries()) {
    connection.socket.write(bytesOf('GET', '/nothing', undefined, { 'X-Request-Id': id }).repeat(2))
    await waitUntil(id, () => connection.statuses().length === 2 * (index + 1))
    assert.equal(connection.received().split(`X-Request-Id: ${id}\r\n`).length, 3)
  }
})

test('two ids are none', async () => {
  const { headers } = await client.get('/todos', { 'X-Request-Id': ['a', 'b'] })
  assert.match(String(headers['x-request-id']), /^[\da-f-]{36}$/)
})

test('each request without an id gets one of its own', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.get('/health')))
  assert.equal(new Set(answers.map(({ headers }) => headers['x-request-id'])).size, 50)
})
