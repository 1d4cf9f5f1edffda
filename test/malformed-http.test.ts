import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { serve } from './support/client.js'
import { waitUntil } from './support/service.js'

const { service, client } = await serve({ REQUEST_TIMEOUT: '1' })
const host = 'Host: todo.example.org\r\n'
const get = (target: string, headers = host) => `GET ${target} HTTP/1.1\r\n${headers}\r\n`

/** The one answer to some bytes; like every answer, it must be problem details with a request id if it is an error. */
async function answerTo(bytes: string | Buffer | string[], method = 'GET', path = '/todos') {
  const [answer, ...more] = await client.raw(bytes, [method, path])
  assert.ok(answer, 'there is an answer')
  assert.deepEqual(more, [])
  return answer
}

const notHttp: Record<string, string | Buffer> = {
  'bytes of TLS': Buffer.from('1603010200010001fc0303', 'hex'),
  'a word': 'hello\r\n\r\n',
  'an unknown method': 'BREW /todos HTTP/1.1\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'an unknown version': 'GET /todos HTTP/1.9\r\n\r\n',
  'a blank in a header name': get('/todos', 'X Y: 1\r\n'),
  'a NUL in a header': get('/todos', `${host}X: a\0b\r\n`),
  'a control character in the target': get('/todos\u0001'),
  'letters beyond ASCII in the target': get('/todos/ä'),
  'a target without a slash': get('todos'),
  'lines that are folded': get('/todos', `${host}X: a\r\n b\r\n`),
  'two lengths': `POST /todos HTTP/1.1\r\n${host}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
  'a length and chunks': `POST /todos HTTP/1.1\r\n${host}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
  'a negative length': `POST /todos HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`,
  'a broken chunk': `POST /todos HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
}
for (const [what, bytes] of Object.entries(notHttp)) {
  test(`${what}: 400`, async () => {
    const answer = await answerTo(bytes, 'BREW', '/')
    assert.equal(answer.status, 400)
    assert.equal(answer.headers.connection, 'close')
  })
}

test('an address that is too long is 414', async () => {
  assert.equal((await answerTo(get(`/todos?cursor=${'a'.repeat(20_000)}`))).status, 414)
})

test('header fields that are too large are 431, in one packet and in several', async () => {
  const large = 'a'.repeat(9_000)
  assert.equal((await answerTo(get('/todos', `${host}X: ${large}${large}\r\n`))).status, 431)
  assert.equal((await answerTo([`GET /todos HTTP/1.1\r\n${host}X: `, large, large])).status, 431)
})

test('HEADER_LIMIT bytes of address, names and values are taken, and one more is not', async () => {
  const sizeOfOthers = '/healthHosttodo.example.orgX'.length
  for (const [more, status] of [
    [0, 200],
    [1, 431],
  ] as const) {
    const field = `X: ${'a'.repeat(16_384 - sizeOfOthers + more)}\r\n`
    const answer = await answerTo(get('/health', `Host: todo.example.org\r\n${field}`), 'GET', '/health')
    assert.equal(answer.status, status)
  }
})

test('more header fields than FIELD_LIMIT are 431, in their turn, and no request behind them is handled', async () => {
  const many = get('/todos', `${host}X-Request-Id: many\r\n${'a:\r\n'.repeat(4_095)}`)
  const answers = await client.raw(
    get('/health') + many + get('/health'),
    ['GET', '/health'],
    ['GET', '/todos'],
  )
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 431],
  )
  assert.equal(answers[1]?.headers['x-request-id'], 'many')
  assert.equal(answers[1]?.headers.connection, 'close')
  assert.equal((await answerTo(get('/todos', `${host}${'a:\r\n'.repeat(4_095)}`))).status, 200)
})

test('extensions of chunks that are too large are 413', async () => {
  const start = `POST /todos HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
  assert.equal((await answerTo(`${start}1;${'a'.repeat(20_000)}\r\n`, 'POST')).status, 413)
})

test('a request that does not arrive whole in time is 408, headers and body alike', async () => {
  const [headers, body] = await Promise.all([
    answerTo(`GET /todos HTTP/1.1\r\n${host}`),
    answerTo(
      `POST /todos HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"tit`,
      'POST',
    ),
  ])
  assert.deepEqual([headers.status, body.status], [408, 408])
  assert.deepEqual((await client.get('/todos')).todos, [])
})

test('an expectation that cannot be met is 417', async () => {
  const answer = await answerTo(
    `POST /todos HTTP/1.1\r\n${host}Expect: tea\r\nX-Request-Id: mine\r\nContent-Length: 0\r\n\r\n`,
    'POST',
  )
  assert.equal(answer.status, 417)
  assert.equal(answer.headers['x-request-id'], 'mine')
})

test('a request that came too late has no effect, and its connection is closed', async () => {
  const socket = connect({ port: Number(new URL(service.url).port), host: '127.0.0.1', allowHalfOpen: true })
  let received = ''
  socket.setEncoding('utf8').on('data', (text) => {
    received += text
  })
  socket.on('error', () => {})
  const body = '{"title":"Too late"}'
  const head = `POST /todos HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  socket.write(head + body.slice(0, -1))
  await waitUntil('408', () => received.startsWith('HTTP/1.1 408'))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(`}${head}${body}`)
  await waitUntil('the connection is closed', () => {
    socket.write(' ')
    return socket.destroyed
  })
  await closed
  assert.deepEqual((await client.get('/todos')).todos, [])
})

for (const [what, bytes, status] of [
  ['what is no HTTP', 'nonsense\r\n\r\n', 400],
  ['a header too large', `GET / HTTP/1.1\r\n${host}A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['CONNECT', `CONNECT todo.example.org:80 HTTP/1.1\r\n${host}\r\n`, 405],
] as const) {
  test(`${what} behind a good request is answered behind it`, async () => {
    const body = '{"title":"A"}'
    const good = `POST /todos HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 13\r\n\r\n${body}`
    const answers = await client.raw(good + bytes, ['POST', '/todos'], ['GET', '/'])
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [201, status],
    )
    await client.delete('/todos')
  })
}

test('a client that breaks off after CONNECT harms nobody', async () => {
  const body = '{"title":"A"}'
  const good = `POST /todos HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 13\r\n\r\n${body}`
  for (let count = 0; count < 10; count += 1) {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    socket.on('error', () => {})
    const bytes = `${good}CONNECT todo.example.org:80 HTTP/1.1\r\n${host}\r\n`
    await new Promise((resolve) => socket.write(bytes, resolve))
    socket.resetAndDestroy() // while the answer to the good request is on its way
  }
  await waitUntil('all are stored', async () => (await client.get('/todos')).todos.length === 10)
  await client.delete('/todos')
})

test('CONNECT and TRACE are methods of no path', async () => {
  assert.equal((await answerTo(`CONNECT todo.example.org:80 HTTP/1.1\r\n${host}\r\n`, 'CONNECT')).status, 405)
  const trace = await answerTo(`TRACE /todos HTTP/1.1\r\n${host}\r\n`, 'TRACE')
  assert.equal(trace.status, 405)
  assert.equal(trace.headers.allow, 'GET, HEAD, POST, DELETE, OPTIONS')
})

for (const [what, headers] of Object.entries({
  'no Host': '',
  'two Hosts': `${host}host: other.example.org\r\n`,
  'a Host with a blank': 'Host: a b\r\n',
  'a Host with a path': 'Host: a/b\r\n',
  'a Host with a user': 'Host: a@b\r\n',
  'a Host with two ports': 'Host: a:1:2\r\n',
  'a Host whose port is no number': 'Host: a:b\r\n',
  'a Host whose port is too high': 'Host: a:65536\r\n',
  'a Host with an empty part': 'Host: a..b\r\n',
  'a Host of dots': 'Host: ..\r\n',
  'a Host that is no address': 'Host: 999.999.999.999\r\n',
  'a Host that is no IPv6 address': 'Host: [:]\r\n',
  'a Host that is too long': `Host: ${'a'.repeat(300)}\r\n`,
  'a Host that is markup': 'Host: <script>\r\n',
})) {
  test(`${what} is 400, and nothing is written`, async () => {
    const body = '{"title":"A"}'
    const rest = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const { todo, etag } = await client.create()
    for (const [method, path] of [
      ['POST', '/todos'],
      ['PUT', `/todos/${todo.id}`],
      ['PATCH', `/todos/${todo.id}`],
    ] as const) {
      const answer = await answerTo(`${method} ${path} HTTP/1.1\r\n${headers}${rest}`, method, path)
      assert.equal(answer.status, 400)
      assert.deepEqual(answer.places, ['Host'])
    }
    const read = await client.get('/todos')
    assert.deepEqual(read.todos, [todo])
    assert.equal((await client.get(todo.url)).etag, etag)
    await client.delete('/todos')
  })
}

test('HTTP/1.0 needs no Host; links then name the address that was called', async () => {
  const { todo } = await client.create()
  const answer = await answerTo('GET /todos HTTP/1.0\r\n\r\n')
  assert.deepEqual(answer.todos, [todo])
  await client.delete('/todos')
})

test('a whole address as the target names host and path', async () => {
  const { todo } = await client.create()
  const answer = await answerTo(
    get(`http://other.example.org:81/todos/${todo.id}`),
    'GET',
    `/todos/${todo.id}`,
  )
  assert.equal(answer.todo.url, `http://other.example.org:81/todos/${todo.id}`)
  await client.delete('/todos')
})

for (const target of [
  'http://[::1/todos',
  'http://a:b/todos',
  'http://%zz/todos',
  'ftp://a/todos',
  '*',
  '//todos',
  '//a@b:c/todos',
  '/todos/',
  '/TODOS',
  '/%74odos',
  '/todos/a/b',
  '/todos%2F1',
  '/__proto__',
  '/../todos',
]) {
  test(`there is nothing at ${target}`, async () => {
    assert.equal((await answerTo(get(target), 'GET', '/nothing')).status, 404)
  })
}

test('every printable character in path and query gets an answer that is no fault of the service', async () => {
  for (let code = 0x21; code < 0x7f; code++) {
    const character = String.fromCharCode(code)
    for (const target of [
      `/${character}`,
      `/todos/${character}`,
      `/todos?${character}`,
      `/todos?limit=${character}`,
    ]) {
      const [answer] = await client.raw(get(target), ['GET', target.replace(/#.*/, '')])
      assert.ok((answer?.status ?? 500) < 500, target)
    }
  }
})

for (const coding of ['gzip, chunked', 'x, Chunked']) {
  test(`a body in the transfer coding ${coding} is 400, and nothing is written`, async () => {
    const fields = `${host}Content-Type: application/json\r\nTransfer-Encoding: ${coding}\r\n`
    const answer = await answerTo(
      `POST /todos HTTP/1.1\r\n${fields}\r\nd\r\n{"title":"A"}\r\n0\r\n\r\n`,
      'POST',
    )
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.places, ['Transfer-Encoding'])
    assert.deepEqual((await client.get('/todos')).todos, [])
  })
}

test('the name of a transfer coding is taken in any case', async () => {
  const fields = `${host}Content-Type: application/json\r\nTransfer-Encoding: Chunked\r\n`
  const bytes = `POST /todos HTTP/1.1\r\n${fields}\r\nd\r\n{"title":"A"}\r\n0\r\n\r\n`
  assert.equal((await answerTo(bytes, 'POST')).status, 201)
  await client.delete('/todos')
})

test('a thousand header fields do not hide the one that counts', async () => {
  const { todo } = await client.create()
  const path = `/todos/${todo.id}`
  const many = 'a:\r\n'.repeat(3_000)
  const answer = await answerTo(
    `DELETE ${path} HTTP/1.1\r\n${host}${many}If-Match: "9"\r\n\r\n`,
    'DELETE',
    path,
  )
  assert.equal(answer.status, 412)
  await client.delete('/todos')
})

test('every refusal is in the log under its request id', async () => {
  const bytes = [notHttp['a word'] ?? '', get('/todos', ''), `CONNECT a:80 HTTP/1.1\r\n${host}\r\n`]
  for (const each of bytes) {
    const { headers, status } = await answerTo(each, 'CONNECT', 'a:80')
    const find = () => service.logs.find(({ requestId }) => requestId === headers['x-request-id'])
    await waitUntil('the log line', () => find() !== undefined)
    assert.equal(find()?.status, status)
  }
})

test('after all that it still serves', async () => {
  assert.equal((await client.get('/health/ready')).status, 200)
})
