import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'
import { serve } from './support/client.js'

const { service, client } = await serve()
const json = 'application/json'

/** Sends a body as it is, to create a todo. */
const post = (body: string | Buffer, headers: Record<string, string>) => client.post(body, headers)

for (const type of [
  json,
  'Application/JSON',
  `${json};charset=utf-8`,
  `${json}; charset="UTF-8"`,
  `${json} ; version=1`,
]) {
  test(`${type} is taken`, async () => {
    assert.equal((await post('{"title":"Ä"}', { 'Content-Type': type })).todo.title, 'Ä')
  })
}

for (const type of [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/merge-patch+json',
  'application/problem+json',
  'text/json',
  'application',
  'application/json, application/json',
  ';charset=utf-8',
  `${json}; charset=iso-8859-1`,
  `${json}; charset=utf-16`,
  `${json}; charset=nonsense`,
  '__proto__',
  '',
]) {
  test(`"${type}" is not taken for a new todo`, async () => {
    const answer = await post('{"title":"A"}', { 'Content-Type': type })
    assert.equal(answer.status, 415)
  })
}

test('a body without Content-Type is not taken', async () => {
  const request = `POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n{"title":"A"}`
  const [answer] = await client.raw(request, ['POST', '/todos'])
  assert.equal(answer?.status, 415)
})

test('PUT takes JSON alone, PATCH a merge patch too', async () => {
  const { todo } = await client.create()
  const headers = { 'Content-Type': 'application/merge-patch+json; charset=utf-8' }
  assert.equal((await client.put(todo.url, { title: 'B' }, headers)).status, 415)
  assert.equal((await client.patch(todo.url, { title: 'B' }, headers)).status, 200)
  assert.equal(
    (await client.patch(todo.url, { title: 'B' }, { 'Content-Type': 'application/json-patch+json' })).status,
    415,
  )
})

test('the Content-Type of a request without a body is ignored', async () => {
  const { todo } = await client.create()
  for (const type of ['text/plain', 'nonsense', `${json}; charset=latin1`, '']) {
    const headers = { 'Content-Type': type }
    assert.equal((await client.get('/todos', headers)).status, 200)
    assert.equal((await client.get(todo.url, headers)).status, 200)
    assert.equal((await client.send('HEAD', todo.url, { headers })).status, 200)
    assert.equal((await client.get('/health/ready', headers)).status, 200)
    assert.equal((await client.send('OPTIONS', '/todos', { headers })).status, 204)
    assert.equal((await client.delete('/todos?completed=true', headers)).status, 204)
  }
})

test('a missing body is a fault of its own, however it is missing', async () => {
  const { todo, etag } = await client.create()
  for (const [method, path] of [
    ['POST', '/todos'],
    ['PUT', `/todos/${todo.id}`],
    ['PATCH', `/todos/${todo.id}`],
  ] as const) {
    for (const headers of [
      '',
      'Content-Length: 0\r\n',
      'Content-Length: 00\r\n',
      `Content-Type: ${json}\r\nContent-Length: 0\r\n`,
      `Content-Type: ${json}\r\nTransfer-Encoding: chunked\r\n`,
    ]) {
      const end = headers.includes('chunked') ? '0\r\n\r\n' : ''
      const [answer] = await client.raw(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n${end}`, [
        method,
        path,
      ])
      assert.ok(answer?.status === 400 || headers === 'Content-Length: 00\r\n', `${method} ${headers}`)
      if (answer?.status === 400)
        assert.deepEqual(answer.problem.errors, [{ pointer: '', detail: 'is required' }])
    }
  }
  assert.equal((await client.get(todo.url)).etag, etag)
})

for (const [coding, encode] of [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['identity', (bytes: Buffer) => bytes],
] as const) {
  test(`a body may be coded as ${coding}, and is limited as it is decoded`, async () => {
    const headers = { 'Content-Encoding': coding, 'Content-Type': json }
    const body = encode(Buffer.from('{"title":"Ä"}'))
    assert.equal((await post(body, headers)).todo.title, 'Ä')
    const bomb = encode(
      Buffer.from(`{"title":"${'a'.repeat(coding === 'identity' ? 200_000 : 20_000_000)}"}`),
    )
    assert.equal((await post(bomb, headers)).status, 413)
  })
}

for (const coding of ['zstd', 'gzip, gzip', 'nonsense', 'constructor', '__proto__', 'toString']) {
  test(`a body coded as ${coding} is not taken`, async () => {
    assert.equal((await post('{"title":"A"}', { 'Content-Encoding': coding })).status, 415)
  })
}

test('a body coded as br is not taken when decoding it needs 16 MB', async () => {
  const params = { [constants.BROTLI_PARAM_LGWIN]: 24 }
  const answer = await post(brotliCompressSync('{"title":"A"}', { params }), { 'Content-Encoding': 'br' })
  assert.equal(answer.status, 415)
  assert.match(answer.problem.detail ?? '', /window/)
})

test('a body that is not coded as it says is 400', async () => {
  for (const coding of ['gzip', 'deflate', 'br']) {
    const answer = await post('{"title":"A"}', { 'Content-Encoding': coding })
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.places, [''])
  }
  const cut = gzipSync('{"title":"A"}').subarray(0, -4)
  assert.equal((await post(cut, { 'Content-Encoding': 'gzip' })).status, 400)
})

test('the largest body that is taken, and one byte more', async () => {
  const limit = 102_400
  const padded = (length: number) => '{"title":"A"}'.padEnd(length)
  assert.equal((await post(padded(limit), {})).status, 201)
  assert.equal((await post(padded(limit + 1), {})).status, 413)
  assert.equal((await post(padded(1_000_000), {})).status, 413)
  const chunks = `${padded(limit + 1).length.toString(16)}\r\n${padded(limit + 1)}\r\n0\r\n\r\n`
  const chunked = `POST /todos HTTP/1.1\r\nHost: a\r\nContent-Type: ${json}\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`
  const [answer] = await client.raw(chunked, ['POST', '/todos'])
  assert.equal(answer?.status, 413)
})

test('the service keeps nothing of the types that clients think of', {
  skip: process.platform !== 'linux',
}, async () => {
  const memory = () =>
    Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${service.process.pid}/status`, 'utf8'))?.[1])
  const send = (from: number) =>
    Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        const type = `${json}; number=${from + index}`
        assert.equal((await post('{"title":"A"}', { 'Content-Type': type })).status, 201)
        assert.equal((await post('{}', { 'Content-Type': `text/x${from + index}` })).status, 415)
      }),
    )
  await send(0)
  const before = memory()
  await send(500)
  assert.ok(memory() - before < 60_000, `${memory() - before} kB more after 1,000 requests`)
})
