import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from './support/client.js'
import { createDatabase } from './support/cluster.js'
import { startService } from './support/service.js'

test('two instances that start at once on an empty database serve one list', async () => {
  const DATABASE_URL = await createDatabase('template0')
  const services = await Promise.all([startService({ DATABASE_URL }), startService({ DATABASE_URL })])
  const [one, two] = services.map(({ url }) => createClient(url))
  assert.ok(one && two)

  const { todo, etag } = await one.create({ deadline: '2030-01-01T00:00:00.000Z' })
  const read = await two.get(todo.url)
  assert.deepEqual({ ...read.todo, url: todo.url }, todo)
  assert.equal((await two.get(todo.url, { 'If-None-Match': etag })).status, 304)

  const changed = await two.patch(todo.url, { completed: true }, { 'If-Match': etag })
  assert.equal((await one.patch(todo.url, { completed: false }, { 'If-Match': etag })).status, 412)
  assert.equal((await one.get(todo.url)).etag, changed.etag)

  for (let count = 0; count < 5; count++) await (count % 2 ? one : two).create({ order: count })
  const first = await one.get('/todos?limit=3&sort=-order')
  const second = await two.get(first.next ?? '')
  assert.deepEqual(
    [...first.todos, ...second.todos].map(({ order }) => order),
    [4, 3, 2, 1, 0, null],
  )

  assert.equal((await two.delete(todo.url)).status, 204)
  assert.equal((await one.get(todo.url)).status, 404)
  assert.equal(await services[0]?.stop(), 0)
  assert.equal((await two.get('/todos')).todos.length, 5)
})
