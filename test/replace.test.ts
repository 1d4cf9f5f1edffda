import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { serve } from './support/client.js'

const { client } = await serve()

const full = {
  title: 'Water the plants',
  description: 'The ficus',
  deadline: '2030-06-01T07:00:00.000Z',
  status: 'in_progress',
  order: 3,
} as const

test('everything that can be written is replaced, the rest stays', async () => {
  const created = await client.create(full)
  const content = {
    title: 'B',
    description: '',
    deadline: '2031-01-01T00:00:00.000Z',
    status: 'completed',
    order: -1,
  }
  const replaced = await client.put(created.todo.url, content)
  const { id, url, createdAt } = created.todo
  const { updatedAt } = replaced.todo
  assert.deepEqual(replaced.todo, { id, url, createdAt, updatedAt, ...content, completed: true })
  assert.ok(updatedAt >= created.todo.updatedAt)
  assert.notEqual(replaced.etag, created.etag)
  const read = await client.get(url)
  assert.deepEqual(read.todo, replaced.todo)
  assert.equal(read.etag, replaced.etag)
})

test('what is left out gets its default', async () => {
  const { todo } = await client.create({ ...full, status: 'completed' })
  const replaced = await client.put(todo.url, { title: 'B' })
  const { description, deadline, status, completed, order } = replaced.todo
  assert.deepEqual([description, deadline, status, completed, order], [null, null, 'pending', false, null])
})

for (const [sent, status] of [
  [{ completed: true }, 'completed'],
  [{ completed: false }, 'pending'],
  [{ completed: false, status: 'in_progress' }, 'in_progress'],
  [{ description: null, deadline: null, order: null }, 'pending'],
] as const) {
  test(`${JSON.stringify(sent)} leaves it ${status}`, async () => {
    const { todo } = await client.create({ ...full, status: 'completed' })
    assert.equal((await client.put(todo.url, { title: 'B', ...sent })).todo.status, status)
  })
}

test('a contradiction is 422, a fault 400, and neither changes anything', async () => {
  const { todo, etag } = await client.create(full)
  const contradiction = await client.put(todo.url, { title: 'B', status: 'pending', completed: true })
  assert.equal(contradiction.status, 422)
  assert.deepEqual(contradiction.places, ['/completed'])
  for (const [content, place] of [
    [{}, '/title'],
    [{ title: null }, '/title'],
    [{ title: 'B', status: null }, '/status'],
    [{ title: 'B', completed: null }, '/completed'],
    [{ title: 'B', deadline: '9999-12-31T23:59:59-01:00' }, '/deadline'],
    [{ ...todo, title: 'B' }, '/id'],
  ] as const) {
    const answer = await client.put(todo.url, content)
    assert.equal(answer.status, 400)
    assert.ok(answer.places.includes(place), answer.text)
  }
  const read = await client.get(todo.url)
  assert.deepEqual([read.todo, read.etag], [todo, etag])
})

test('PUT does not create', async () => {
  const url = `/todos/${uuid()}`
  assert.equal((await client.put(url, full)).status, 404)
  assert.equal((await client.get(url)).status, 404)
})

test('each replacement has an entity tag of its own, even by the same content', async () => {
  const { todo, etag } = await client.create(full)
  const tags = [etag]
  for (let count = 0; count < 3; count++) tags.push((await client.put(todo.url, full)).etag)
  assert.equal(new Set(tags).size, 4)
})
