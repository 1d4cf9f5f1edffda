import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Todo } from '../generated/contract.js'
import { serve } from './support/client.js'
import { expectedList, type ListRequest, listAddress, pseudoRandom } from './support/todo-model.js'

const { client } = await serve()
const random = pseudoRandom(7)

/** The value of a list's sort that a new todo gets: anywhere in the list, its very beginning and its end included. */
function anywhere() {
  const day = `${1 + random(28)}`.padStart(2, '0')
  return {
    order: random(4) ? random(12) : null,
    deadline: random(4) ? `2030-01-${day}T00:00:00.000Z` : null,
    status: (['pending', 'in_progress'] as const)[random(2)] ?? 'pending',
  }
}

/** Creates todos, deletes some, and moves others to another place and another status. */
async function disturb(others: Todo[]): Promise<void> {
  for (let count = 0; count < 3; count++)
    others.push((await client.create({ title: 'comes and goes', ...anywhere() })).todo)
  const gone = others.splice(random(others.length), 1)
  await Promise.all(gone.map(({ url }) => client.delete(url)))
  for (const { url } of others.slice(0, 4)) {
    await client.patch(url, { ...anywhere(), status: random(2) ? 'completed' : 'pending' })
  }
}

const requests: ListRequest[] = [
  'createdAt',
  '-createdAt',
  'deadline',
  '-deadline',
  'order',
  '-order',
].flatMap((sort) => [{ sort }, { sort, completed: false }])
for (const request of requests) {
  test(`${JSON.stringify(request)}: what was there all along is neither missed nor repeated`, async () => {
    await client.delete('/todos')
    const stayed: Todo[] = []
    const others: Todo[] = []
    for (let count = 0; count < 24; count++) {
      const { todo } = await client.create({ title: 'stays', ...anywhere() })
      if (count % 3) stayed.push(todo)
      else others.push(todo)
    }
    const seen: Todo[] = []
    for (let next: string | undefined = listAddress({ ...request, limit: 5 }); next; ) {
      const answer: Awaited<ReturnType<typeof client.get>> = await client.get(next)
      seen.push(...answer.todos)
      next = answer.next
      await disturb(others)
      assert.ok(seen.length < 300, 'the list comes to an end')
    }
    const ids = new Set(stayed.map(({ id }) => id))
    assert.deepEqual(
      seen.filter(({ id }) => ids.has(id)),
      expectedList(stayed, request),
    )
    const repeated = seen.filter((todo, index) => seen.findIndex(({ id }) => id === todo.id) < index)
    for (const todo of repeated)
      assert.notEqual(todo.updatedAt, todo.createdAt, 'only what moved may come twice')
  })
}

test('the todo at which a page ended may be deleted or moved before the next one', async () => {
  for (const change of ['deleted', 'moved']) {
    await client.delete('/todos')
    const todos: Todo[] = []
    for (let order = 0; order < 6; order++) todos.push((await client.create({ order })).todo)
    const first = await client.get(listAddress({ sort: 'order', limit: 3 }))
    const last = first.todos[2]?.url ?? ''
    if (change === 'deleted') await client.delete(last)
    else await client.patch(last, { order: -1 })
    const second = await client.get(first.next ?? '')
    assert.deepEqual(second.todos, todos.slice(3))
  }
})

test('a list that is emptied in the middle ends', async () => {
  for (let count = 0; count < 4; count++) await client.create()
  const first = await client.get('/todos?limit=2')
  await client.delete('/todos')
  const second = await client.get(first.next ?? '')
  assert.deepEqual([second.todos, second.next], [[], undefined])
})
