import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { serve } from './support/client.js'

const { client } = await serve()

test('a todo is read at its url, as it was stored', async () => {
  const created = await client.create({
    description: 'The ficus',
    deadline: '2030-06-01T09:00:00+02:00',
    order: 7,
  })
  const read = await client.get(created.todo.url)
  assert.deepEqual(read.todo, created.todo)
  assert.equal(read.etag, created.etag)
  assert.equal(read.headers['cache-control'], 'no-cache')
  assert.equal(read.headers['content-type'], 'application/json')
})

test('an id may be written in capitals and percent-encoded', async () => {
  const { todo } = await client.create()
  assert.deepEqual((await client.get(`/todos/${todo.id.toUpperCase()}`)).todo, todo)
  assert.deepEqual((await client.get(`/todos/${todo.id.replaceAll('-', '%2D')}`)).todo, todo)
})

test('an id that is unknown is 404, whatever its version', async () => {
  for (const id of [uuid(), '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']) {
    const answer = await client.get(`/todos/${id}`)
    assert.equal(answer.status, 404)
    assert.match(answer.problem.detail, new RegExp(id))
  }
})

for (const id of [
  '1',
  'x',
  `urn:uuid:${uuid()}`,
  `{${uuid()}}`,
  uuid().replaceAll('-', ''),
  `${uuid()}0`,
  '%00',
  ',',
  '..',
]) {
  test(`${id} is no id`, async () => {
    const answer = await client.get(`/todos/${id}`)
    assert.equal(answer.status, 400)
    assert.deepEqual([...new Set(answer.places)], ['id'])
  })
}

test('whatever the client says it accepts, the answer is JSON', async () => {
  const { todo } = await client.create()
  for (const accept of ['text/html', 'application/xml;q=1', 'nonsense', '*/*;q=0', '']) {
    assert.deepEqual((await client.get(todo.url, { Accept: accept })).todo, todo)
    assert.equal((await client.get('/todos?nonsense=1', { Accept: accept })).status, 400)
  }
})
