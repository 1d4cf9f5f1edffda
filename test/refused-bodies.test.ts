import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { serve } from './support/client.js'
import { waitUntil } from './support/service.js'

const { service, client } = await serve()
const host = 'Host: todo.example.org\r\n'

test('a client that waits for leave to send its body gets it', async () => {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  let received = ''
  socket.setEncoding('utf8').on('data', (text) => {
    received += text
  })
  socket.write(
    `POST /todos HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n`,
  )
  await waitUntil('an answer', () => received.includes('\r\n'))
  assert.match(received, /^HTTP\/1.1 100 /)
  socket.write('{"title":"A"}')
  await waitUntil('201 Created', () => received.includes('HTTP/1.1 201'))
  socket.destroy()
  await client.delete('/todos')
})

test('a client that waits for leave to send what is not taken gets the answer instead', async () => {
  const headers = `${host}Expect: 100-continue\r\nContent-Type: application/json\r\n`
  for (const [method, path, length, status] of [
    ['POST', '/todos', 1_000_000, 413],
    ['POST', '/nothing', 13, 404],
    ['PUT', '/todos', 13, 405],
  ] as const) {
    const head = `${method} ${path} HTTP/1.1\r\n${headers}Content-Length: ${length}\r\n\r\n`
    const [answer] = await client.raw(head, [method, path])
    assert.equal(answer?.status, status)
    assert.equal(answer?.headers.connection, 'close')
  }
})

test('a body that is too large is refused before all of it has come', async () => {
  const tooMuch = 'x'.repeat(102_401)
  for (const framing of [
    `Content-Length: 1000000\r\n\r\n`,
    `Transfer-Encoding: chunked\r\n\r\n${tooMuch.length.toString(16)}\r\n`,
  ]) {
    const head = `POST /todos HTTP/1.1\r\n${host}Content-Type: application/json\r\n${framing}`
    const [answer] = await client.raw(head + tooMuch, ['POST', '/todos'])
    assert.equal(answer?.status, 413)
  }
})

/** Sends a request piece by piece, each when the last thing received ends as it must, and closes its own side. */
async function sendInTurn(
  { url }: { url: string },
  ...turns: [piece: string, thenReceived: RegExp][]
): Promise<void> {
  const port = Number(new URL(url).port)
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const closed = once(socket, 'close') // rejects when the connection is reset
  let received = ''
  socket.setEncoding('utf8').on('data', (text) => {
    received += text
  })
  for (const [piece, expected] of turns) {
    socket.write(piece)
    await waitUntil(`${expected}`, () => expected.test(received))
  }
  await fetch(`${url}/todos`) // meanwhile the last piece is read
  socket.end('x'.repeat(2_000_000))
  await closed
}

for (const [what, head, status] of [
  ['too large', 'POST /todos HTTP/1.1\r\nContent-Type: application/json\r\n', 413],
  ['of another type', 'POST /todos HTTP/1.1\r\nContent-Type: text/plain\r\n', 415],
  ['for nothing', 'POST /nothing HTTP/1.1\r\n', 404],
  ['for documentation', 'POST /docs HTTP/1.1\r\n', 405],
] as const) {
  test(`a body ${what} is read to its end before the connection is closed, so that the answer arrives`, () =>
    sendInTurn(service, [
      `${head}${host}Connection: close\r\nContent-Length: 2000000\r\n\r\n`,
      RegExp(`^HTTP/1.1 ${status} .*}$`, 's'),
    ]))
}

test('so is a body that was given leave and then became too large', () =>
  sendInTurn(
    service,
    [
      `POST /todos HTTP/1.1\r\nContent-Type: application/json\r\n${host}Expect: 100-continue\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`,
      /^HTTP\/1.1 100 /,
    ],
    [`${(2_102_401).toString(16)}\r\n${'x'.repeat(102_401)}`, /HTTP\/1.1 413 .*}$/s],
  ))

test('so is one whose chunk is none', () =>
  sendInTurn(service, [
    `POST /todos HTTP/1.1\r\nContent-Type: application/json\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    /^HTTP\/1.1 400 .*}$/s,
  ]))

test('so is one that is too late, and whatever still comes of it has no effect', async () => {
  const { service } = await serve({ REQUEST_TIMEOUT: '1' })
  const [all, end] = ['d\r\n{"title":"A"}\r\n', '0\r\n\r\n']
  const head = `POST /todos HTTP/1.1\r\nContent-Type: application/json\r\n${host}Transfer-Encoding: chunked\r\n\r\n`
  await sendInTurn(service, [head + all, /^HTTP\/1.1 408 .*}$/s], [end, /./])
  await service.stop()
  assert.deepEqual(await service.query('select from todo.todos'), [])
})

test('no more than usual is read of it, however much comes', async () => {
  const { service } = await serve({ REQUEST_TIMEOUT: '1', BODY_LIMIT: '65536' })
  const socket = connect({ port: Number(new URL(service.url).port), host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  let received = ''
  socket.setEncoding('utf8').on('data', (text) => {
    received += text
  })
  const head = `POST /todos HTTP/1.1\r\nContent-Type: application/json\r\n${host}Transfer-Encoding: chunked\r\n\r\n`
  socket.write(`${head}1\r\n{\r\n`)
  await waitUntil('it is too late', () => /^HTTP\/1.1 408 .*}$/s.test(received))
  socket.write(`${(1_000_000).toString(16)}\r\n${' '.repeat(70_000)}`)
  await waitUntil('it is closed', () => {
    socket.write(' ')
    return socket.destroyed
  })
  assert.ok(!service.logs.some(({ status }) => status === 413))
})

test('a request that was answered before its end and then stays unfinished gets no second answer', async () => {
  const head = `POST /nothing HTTP/1.1\r\n${host}Content-Length: 13\r\n\r\n`
  const impatient = await serve({ REQUEST_TIMEOUT: '1' })
  const answers = await impatient.client.raw(head, ['POST', '/nothing'], ['POST', '/nothing'])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [404],
  )
})

test('a compressed body that is refused is thrown away, and the connection goes on', async () => {
  const bomb = gzipSync(`{"title":"${'a'.repeat(200_000)}"}`)
  const chunk = (bytes: Buffer) => `${bytes.length.toString(16)}\r\n${bytes.toString('latin1')}\r\n`
  const junk = chunk(Buffer.alloc(1_000, 'x'))
  for (const [body, status] of [
    [junk.repeat(90), 400],
    [junk.repeat(300), 413],
    [chunk(bomb) + junk.repeat(90), 413],
  ] as const) {
    const head = `POST /todos HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`
    const bytes = Buffer.from(`${head}${body}0\r\n\r\nGET /health HTTP/1.1\r\n${host}\r\n`, 'latin1')
    const [refused, next] = await client.raw(bytes, ['POST', '/todos'], ['GET', '/health'])
    assert.deepEqual([refused?.status, next?.status], [status, 200])
  }
})
