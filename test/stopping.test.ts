import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { serve } from './support/client.js'
import { bytesOf, openConnection } from './support/connection.js'
import { createInFlight } from './support/locked-todos.js'
import { type Service, waitUntil } from './support/service.js'
import { fillPage } from './support/todos.js'

const isStopping = (service: Service) => service.logs.some(({ msg }) => msg === 'Stopping.')

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets the request in flight finish, takes no more, and ends with 0`, async () => {
    const { service, client } = await serve({ STATEMENT_TIMEOUT: '60' })
    const { answer, release } = await createInFlight(service, client)
    const ended = once(service.process, 'exit')
    service.process.kill(signal)
    await waitUntil('it is stopping', () => isStopping(service))
    await waitUntil('it takes no new connection', () =>
      fetch(`${service.url}/health`).then(
        () => false,
        () => true,
      ),
    )
    assert.equal(service.process.exitCode, null)
    await release()
    const { todo } = await answer
    assert.deepEqual(await ended, [0, null])
    const stored = await service.query('select id from todo.todos')
    assert.deepEqual(stored, [{ id: todo.id }])
    await waitUntil('the last line', () => service.logs.some(({ msg }) => msg === 'Stopped.'))
  })
}

test('connections that are kept open do not hold it up', async () => {
  const { service, client } = await serve({ STATEMENT_TIMEOUT: '60' })
  await Promise.all(Array.from({ length: 20 }, () => client.get('/health')))
  const { answer, release } = await createInFlight(service, client)
  service.process.kill('SIGTERM')
  await waitUntil('it is stopping', () => isStopping(service))
  const released = performance.now()
  await release()
  await answer
  if (service.process.exitCode === null) await once(service.process, 'exit')
  const limit = 10_000 // after which connections are cut
  assert.ok(performance.now() - released < limit / 2, 'it waited for a connection that nobody uses')
})

test('the first request of each connection made before the signal is answered, read already or not', async () => {
  const { service } = await serve()
  const open = () => Promise.all(Array.from({ length: 75 }, () => openConnection(service.url)))
  const known = await open()
  service.process.kill('SIGSTOP')
  const connections = [...known, ...(await open())] // the last are not accepted yet
  for (const { socket } of connections) socket.write(bytesOf('GET', '/todos?limit=20').repeat(16))
  service.process.kill('SIGTERM')
  service.process.kill('SIGCONT')
  await Promise.all(connections.map(({ closed }) => closed))
  const first = connections.map((connection) => connection.statuses()[0])
  const others = first.filter((status) => status !== 200 && status !== 503)
  assert.deepEqual(others, [])
})

test('an answer that its client has begun to read is sent to its end', async () => {
  const { service, client } = await serve()
  await fillPage(client)
  const connection = await openConnection(service.url)
  connection.socket.write(bytesOf('GET', '/todos?limit=100').repeat(8))
  await connection.waitFor(/^HTTP\/1\.1 200 /)
  connection.socket.pause()
  const ended = once(service.process, 'exit')
  service.process.kill('SIGTERM')
  await waitUntil('it takes no new connection', () =>
    fetch(service.url).then(
      () => false,
      () => true,
    ),
  )
  connection.socket.resume()
  await connection.closed
  for (const answer of connection.received().split(/(?=HTTP\/1\.1 )/)) {
    const [head = '', content = ''] = answer.split('\r\n\r\n')
    assert.equal(content.length, Number(/\nContent-Length: (\d+)/.exec(head)?.[1]))
  }
  assert.deepEqual(await ended, [0, null])
})

test('a statement that takes longer holds it up no longer than its client', async () => {
  const { service, client } = await serve({ STATEMENT_TIMEOUT: '60' })
  const { answer, release } = await createInFlight(service, client)
  const failed = assert.rejects(answer)
  service.process.kill('SIGTERM')
  await waitUntil('it has ended', () => service.process.exitCode === 0)
  await failed
  await release()
})

test('a client that sent CONNECT and does not read holds it up no longer than others', async () => {
  const { service, client } = await serve({ ANSWER_TIMEOUT: '300', LINGER_TIMEOUT: '30' })
  await fillPage(client)
  const connection = await openConnection(service.url)
  connection.socket.pause()
  const pages = bytesOf('GET', '/todos?limit=100').repeat(8)
  connection.socket.write(`${pages}CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n`)
  await waitUntil('it came', () => service.logs.some(({ path }) => path === '/todos'))
  service.process.kill('SIGTERM')
  await waitUntil('it has ended', () => service.process.exitCode === 0)
})

test('a connection on which nothing was ever sent does not hold it up', async () => {
  const { service } = await serve()
  const unused = connect(Number(new URL(service.url).port), '127.0.0.1')
  await once(unused, 'connect')
  const start = performance.now()
  assert.equal(await service.stop(), 0)
  const limit = 10_000 // after which connections are cut
  assert.ok(performance.now() - start < limit / 2, 'it waited for a connection that nobody uses')
})

test('during SHUTDOWN_DELAY it serves on, not ready, and asks clients to leave', async () => {
  const { service, client } = await serve({ SHUTDOWN_DELAY: '2' })
  service.process.kill('SIGTERM')
  await waitUntil('it is not ready', async () => (await client.get('/health/ready')).status === 503)
  const created = await client.create()
  assert.equal(created.headers.connection, 'close')
  assert.equal((await client.get('/health')).status, 200)
  await once(service.process, 'exit')
  assert.equal(service.process.exitCode, 0)
  assert.equal((await service.query('select from todo.todos')).length, 1)
})

test('a second signal ends it at once', async () => {
  const { service, client } = await serve({ STATEMENT_TIMEOUT: '60' })
  const { answer, release } = await createInFlight(service, client)
  const failed = assert.rejects(answer)
  service.process.kill('SIGTERM')
  await waitUntil('it is stopping', () => isStopping(service))
  service.process.kill('SIGINT')
  const [exitCode] = await once(service.process, 'exit')
  assert.equal(exitCode, 1)
  await failed
  await release()
})
