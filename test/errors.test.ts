import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { contractFile, loadContract, operationsOf } from '../src/contract/contract.js'
import { type Answer, serve } from './support/client.js'
import { waitUntil } from './support/service.js'

const { service, client } = await serve({ STATEMENT_TIMEOUT: '1' })
const { todo } = await client.create()
const one = `/todos/${todo.id}`
const unknown = `/todos/${uuid()}`
const large = { title: 'A', description: 'a'.repeat(200_000) }
const text = { headers: { 'Content-Type': 'text/plain' }, body: 'A' }
const contradiction = { title: 'A', status: 'pending', completed: true }
const stale = { 'If-Match': '"99"' }

/** For each operation and status of the contract a request that leads to it; those of 500 and 503 are below. */
const requests: Record<string, () => Promise<Answer>> = {
  'listTodos 200': () => client.get('/todos'),
  'listTodos 400': () => client.get('/todos?limit=0'),
  'createTodo 201': () => client.post({ title: 'A' }),
  'createTodo 400': () => client.post({}),
  'createTodo 413': () => client.post(large),
  'createTodo 415': () => client.send('POST', '/todos', text),
  'createTodo 422': () => client.post(contradiction),
  'deleteTodos 204': () => client.delete('/todos?completed=true'),
  'deleteTodos 400': () => client.delete('/todos?completed=false'),
  'getTodo 200': () => client.get(one),
  'getTodo 304': () => client.get(one, { 'If-None-Match': '*' }),
  'getTodo 400': () => client.get('/todos/1'),
  'getTodo 404': () => client.get(unknown),
  'replaceTodo 200': () => client.put(one, { title: 'A' }),
  'replaceTodo 400': () => client.put(one, {}),
  'replaceTodo 404': () => client.put(unknown, { title: 'A' }),
  'replaceTodo 412': () => client.put(one, { title: 'A' }, stale),
  'replaceTodo 413': () => client.put(one, large),
  'replaceTodo 415': () => client.send('PUT', one, text),
  'replaceTodo 422': () => client.put(one, contradiction),
  'updateTodo 200': () => client.patch(one, { title: 'A' }),
  'updateTodo 400': () => client.patch(one, { title: null }),
  'updateTodo 404': () => client.patch(unknown, { title: 'A' }),
  'updateTodo 412': () => client.patch(one, { title: 'A' }, stale),
  'updateTodo 413': () => client.patch(one, large),
  'updateTodo 415': () => client.send('PATCH', one, text),
  'updateTodo 422': () => client.patch(one, contradiction),
  'deleteTodo 204': async () => client.delete((await client.create()).todo.url),
  'deleteTodo 400': () => client.delete(one, { 'If-Match': 'A' }),
  'deleteTodo 404': () => client.delete(unknown),
  'deleteTodo 412': () => client.delete(one, stale),
  'getLiveness 200': () => client.get('/health'),
  'getLiveness 400': () => client.get('/health?a=1'),
  'getReadiness 200': () => client.get('/health/ready'),
  'getReadiness 400': () => client.get('/health/ready?a=1'),
}

/** Requests that need the database. */
const needy: Record<string, () => Promise<Answer>> = {
  listTodos: () => client.get('/todos'),
  createTodo: () => client.post({ title: 'A' }),
  deleteTodos: () => client.delete('/todos?completed=true'),
  getTodo: () => client.get(one),
  replaceTodo: () => client.put(one, { title: 'A' }),
  updateTodo: () => client.patch(one, { title: 'A' }),
  deleteTodo: () => client.delete(one),
  getReadiness: () => client.get('/health/ready'),
}

test('every status that the contract documents is one of those below', async () => {
  const documented = operationsOf(await loadContract(contractFile)).flatMap(({ operationId, responses }) =>
    [...responses.keys()].map((status) => `${operationId} ${status}`),
  )
  const needyStatuses = Object.keys(needy).flatMap((operationId) => [
    `${operationId} 500`,
    `${operationId} 503`,
  ])
  assert.deepEqual([...Object.keys(requests), ...needyStatuses].toSorted(), documented.toSorted())
})

for (const [name, request] of Object.entries(requests)) {
  test(name, async () => {
    const answer = await request()
    assert.equal(answer.status, Number(name.split(' ')[1]), answer.text)
    if (answer.status >= 400) assert.equal(answer.problem.type, 'about:blank')
  })
}

test('503 with Retry-After when the database does not get on, and then again what it was', async () => {
  await service.query('begin')
  await service.query('lock table todo.todos, todo.migrations in access exclusive mode')
  for (const answer of await Promise.all(Object.values(needy).map((request) => request()))) {
    assert.equal(answer.status, 503, answer.path)
    assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/)
  }
  assert.equal((await client.get('/health')).status, 200)
  await service.query('rollback')
  assert.equal((await client.get('/health/ready')).status, 200)
})

test('500 for a fault of the service, which is in the log under the id of the request', async () => {
  await service.query('alter schema todo rename to elsewhere')
  for (const [operationId, request] of Object.entries(needy)) {
    const { status, problem } = await request()
    assert.equal(status, 500, operationId)
    const ofRequest = () => service.logs.filter(({ requestId }) => requestId === problem.requestId)
    await waitUntil('the fault and the request in the log', () => ofRequest().length === 2)
    assert.match(JSON.stringify(ofRequest()), /does not exist/)
  }
  await service.query('alter schema elsewhere rename to todo')
  assert.equal((await client.get('/health/ready')).status, 200)
})

for (const [method, path, allow] of [
  ['PUT', '/todos', 'GET, HEAD, POST, DELETE, OPTIONS'],
  ['PATCH', '/todos', 'GET, HEAD, POST, DELETE, OPTIONS'],
  ['POST', one, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
  ['POST', unknown, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
  ['DELETE', '/health', 'GET, HEAD, OPTIONS'],
  ['POST', '/health/ready', 'GET, HEAD, OPTIONS'],
  ['PROPFIND', '/todos', 'GET, HEAD, POST, DELETE, OPTIONS'],
] as const) {
  test(`${method} ${path.slice(0, 8)} is 405 and says what is allowed`, async () => {
    const answer = await client.send(method, path, { body: '{' })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.allow, allow)
  })
}

for (const path of [
  '/nothing',
  '/todos/',
  '/Todos',
  `${one}/`,
  `${one}/x`,
  '/health/',
  '/favicon.ico',
  '/.env',
  '/docs/../todos',
]) {
  test(`${path.slice(0, 20)} is 404 for every method`, async () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.equal((await client.send(method, path)).status, 404)
    }
  })
}

test('an unknown path is 404 before anything else is looked at', async () => {
  assert.equal((await client.send('POST', '/nothing?a=%', { ...text, body: '{' })).status, 404)
})
