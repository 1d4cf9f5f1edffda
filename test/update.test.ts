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

const mergePatch = { 'Content-Type': 'application/merge-patch+json' }

for (const [what, headers] of [
  ['application/merge-patch+json', mergePatch],
  ['application/json', {}],
] as const) {
  test(`${what}: only the fields that are given change`, async () => {
    const created = await client.create(full)
    const { url } = created.todo
    for (const change of [
      { title: 'B' },
      { description: '' },
      { deadline: '2031-01-01T00:00:00.000Z' },
      { order: 0 },
      { status: 'pending' },
      { description: null },
      { deadline: null },
      { order: null },
      { title: 'C', description: 'D', order: 5 },
    ]) {
      const before = await client.get(url)
      const updated = await client.patch(url, change, headers)
      const { updatedAt } = updated.todo
      assert.deepEqual(updated.todo, { ...before.todo, ...change, updatedAt })
      assert.ok(updatedAt >= before.todo.updatedAt)
      assert.notEqual(updated.etag, before.etag)
      const read = await client.get(url)
      assert.deepEqual([read.todo, read.etag], [updated.todo, updated.etag])
    }
  })
}

for (const [stored, sent, status] of [
  ['completed', { completed: false }, 'pending'],
  ['in_progress', { completed: false }, 'in_progress'],
  ['pending', { completed: false }, 'pending'],
  ['pending', { completed: true }, 'completed'],
  ['in_progress', { completed: true }, 'completed'],
  ['completed', { completed: true }, 'completed'],
  ['completed', { completed: false, status: 'in_progress' }, 'in_progress'],
  ['pending', { completed: true, status: 'completed' }, 'completed'],
  ['completed', { status: 'in_progress' }, 'in_progress'],
] as const) {
  test(`${JSON.stringify(sent)} turns ${stored} into ${status}`, async () => {
    const { todo } = await client.create({ status: stored })
    const updated = await client.patch(todo.url, sent)
    assert.deepEqual([updated.todo.status, updated.todo.completed], [status, status === 'completed'])
    assert.deepEqual((await client.get(todo.url)).todo, updated.todo)
  })
}

test('an empty patch changes nothing, entity tag and updatedAt included', async () => {
  const { todo, etag } = await client.create(full)
  const updated = await client.patch(todo.url, {}, mergePatch)
  assert.deepEqual([updated.todo, updated.etag], [todo, etag])
  assert.equal((await client.patch(todo.url, {}, { 'If-Match': etag })).status, 200)
  assert.equal((await client.patch(todo.url, {}, { 'If-Match': '"2"' })).status, 412)
  assert.equal((await client.patch(`/todos/${uuid()}`, {})).status, 404)
})

test('null is refused where there must be something', async () => {
  const { todo, etag } = await client.create(full)
  const answer = await client.patch(todo.url, { title: null, status: null, completed: null })
  assert.equal(answer.status, 400)
  assert.deepEqual(answer.places.toSorted(), ['/completed', '/status', '/title'])
  assert.equal((await client.get(todo.url)).etag, etag)
})

test('a contradiction is 422 and changes nothing', async () => {
  const { todo, etag } = await client.create(full)
  for (const sent of [
    { status: 'pending', completed: true },
    { status: 'completed', completed: false },
  ]) {
    const answer = await client.patch(todo.url, sent)
    assert.equal(answer.status, 422)
    assert.deepEqual(answer.places, ['/completed'])
  }
  assert.equal((await client.get(todo.url)).etag, etag)
})

test('unknown and read-only fields are refused, each by its name, and nothing is changed', async () => {
  const { todo, etag } = await client.create(full)
  const answer = await client.patch(todo.url, { ...todo, 'a/b~c': 1, version: 2 })
  assert.equal(answer.status, 400)
  const readOnly = ['/createdAt', '/id', '/updatedAt', '/url']
  assert.deepEqual(answer.places.toSorted(), ['/a~1b~0c', ...readOnly, '/version'])
  assert.equal((await client.get(todo.url)).etag, etag)
})

test('a patch of an unknown todo is 404', async () => {
  assert.equal((await client.patch(`/todos/${uuid()}`, { title: 'B' })).status, 404)
})
