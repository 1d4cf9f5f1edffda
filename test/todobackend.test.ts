/** What the tests of TodoBackend (https://todobackend.com) ask of a service, with `/todos` as its root. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { serve } from './support/client.js'

const { service, client } = await serve()
const root = `${service.url}/todos`
/** What a browser sends from a page elsewhere. */
const browser = { Origin: 'https://todobackend.com', Accept: 'text/plain, */*; q=0.01' }

beforeEach(async () => {
  await client.delete(root, browser)
})

test('the root answers a GET', async () => {
  assert.equal((await client.get(root, browser)).status, 200)
})

test('the root answers a POST with the todo that was posted', async () => {
  const { todo } = await client.post({ title: 'a todo' }, browser)
  assert.equal(todo.title, 'a todo')
})

test('after a DELETE the root is an empty list', async () => {
  await client.post({ title: 'a todo' })
  assert.equal((await client.delete(root, browser)).status, 204)
  assert.deepEqual((await client.get(root, browser)).todos, [])
})

test('a new todo is in the list at the root', async () => {
  await client.post({ title: 'walk the dog' })
  const { todos } = await client.get(root, browser)
  assert.equal(todos.length, 1)
  assert.equal(todos[0]?.title, 'walk the dog')
})

test('a new todo is not completed', async () => {
  await client.post({ title: 'blah' })
  assert.equal((await client.get(root)).todos[0]?.completed, false)
})

test('a todo has a url, which answers with the todo', async () => {
  const { todo } = await client.post({ title: 'blah' })
  assert.equal((await client.get(todo.url)).todo.title, 'blah')
  const listed = (await client.get(root)).todos[0]
  assert.equal(listed?.url, todo.url)
})

test('a PATCH at its url changes title, completed and order, and the list shows that', async () => {
  const { todo } = await client.post({ title: 'initial', order: 10 })
  for (const change of [{ title: 'bathe the cat' }, { completed: true }, { order: 95 }]) {
    const changed = await client.patch(todo.url, change, browser)
    assert.deepEqual({ ...changed.todo, ...change }, changed.todo)
    const [listed] = (await client.get(root)).todos
    assert.deepEqual(listed, changed.todo)
  }
})

test('a DELETE at its url removes it', async () => {
  const { todo } = await client.post({ title: 'blah' })
  assert.equal((await client.delete(todo.url, browser)).status, 204)
  assert.deepEqual((await client.get(root)).todos, [])
})

test('a todo may be created with an order, which is kept', async () => {
  const { todo } = await client.post({ title: 'blah', order: 523 })
  assert.equal((await client.get(todo.url)).todo.order, 523)
})

test('a page elsewhere may send every one of these requests', async () => {
  for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
    const { headers } = await client.send('OPTIONS', root, {
      headers: {
        ...browser,
        'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': 'content-type',
      },
    })
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.match(String(headers['access-control-allow-methods']), new RegExp(method))
    assert.match(String(headers['access-control-allow-headers']), /content-type/)
  }
})
