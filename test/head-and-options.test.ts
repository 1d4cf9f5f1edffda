import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { serve } from './support/client.js'

const { service, client } = await serve()
const { todo } = await client.create({ title: 'Ä' })
await client.create()

const paths = [
  '/todos',
  '/todos?limit=1&sort=-order',
  '/todos?limit=0',
  '/todos?nonsense=1',
  `/todos/${todo.id}`,
  `/todos/${uuid()}`,
  '/todos/x',
  '/health',
  '/health/ready',
  '/nothing',
]
for (const path of paths) {
  test(`HEAD ${path.slice(0, 24)} says what GET says, without the content`, async () => {
    const [get, head] = [await client.get(path), await client.send('HEAD', path)]
    assert.equal(head.status, get.status)
    const { date: _, 'x-request-id': __, ...expected } = get.headers
    const { date: ___, 'x-request-id': ____, ...received } = head.headers
    if (get.status < 400) assert.equal(Number(received['content-length']), Buffer.byteLength(get.text))
    if (get.status >= 400) delete expected['content-length']
    if (get.status >= 400) delete received['content-length']
    assert.deepEqual(received, expected)
  })
}

test('a connection is as good after HEAD as before', async () => {
  const head = 'HEAD /todos HTTP/1.1\r\nHost: a\r\n\r\n'
  const get = 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n'
  const answers = await client.raw(head + get, ['HEAD', '/todos'], ['GET', '/health'])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  )
})

test('HEAD is logged as HEAD', async () => {
  const { headers } = await client.send('HEAD', '/health', { headers: { 'X-Request-Id': 'head-1' } })
  assert.equal(headers['x-request-id'], 'head-1')
  const line = () => service.logs.find(({ requestId }) => requestId === 'head-1')
  while (!line()) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual([line()?.method, line()?.operationId], ['HEAD', 'getLiveness'])
})

for (const [path, allow] of [
  ['/todos', 'GET, HEAD, POST, DELETE, OPTIONS'],
  [`/todos/${todo.id}`, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
  ['/todos/x', 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
  ['/health', 'GET, HEAD, OPTIONS'],
  ['/nothing', undefined],
  ['*', undefined],
] as const) {
  test(`OPTIONS ${path.slice(0, 8)} is answered everywhere, with the methods where there are any`, async () => {
    const answer = await client.send('OPTIONS', path)
    assert.equal(answer.status, 204)
    assert.equal(answer.headers.allow, allow)
  })
}
