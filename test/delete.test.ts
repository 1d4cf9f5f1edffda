import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from './support/client.js'

const { client } = await serve()

test('a deleted todo is gone, and only that one', async () => {
  const [kept, deleted] = [await client.create(), await client.create()]
  assert.equal((await client.delete(deleted.todo.url)).status, 204)
  assert.equal((await client.get(deleted.todo.url)).status, 404)
  assert.deepEqual((await client.get('/todos')).todos, [kept.todo])
})

test('a second delete, and every other write, is 404', async () => {
  const { todo } = await client.create()
  await client.delete(todo.url)
  assert.equal((await client.delete(todo.url)).status, 404)
  assert.equal((await client.put(todo.url, { title: 'A' })).status, 404)
  assert.equal((await client.patch(todo.url, { title: 'A' })).status, 404)
})

test('a body with a delete is not looked at', async () => {
  const { todo } = await client.create()
  const headers = { 'Content-Type': 'text/plain; charset=latin1', 'Content-Encoding': 'nonsense' }
  assert.equal((await client.send('DELETE', todo.url, { body: 'not JSON', headers })).status, 204)
})
