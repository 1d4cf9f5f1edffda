import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Todo, TodoStatus } from '../generated/contract.js'
import { contractFile, loadContract, operationsOf } from '../src/contract/contract.js'
import { serve } from './support/client.js'
import { expectedList, type ListRequest, listAddress, pseudoRandom } from './support/todo-model.js'

const { client } = await serve()
const statuses = ['pending', 'in_progress', 'completed'] as const satisfies TodoStatus[]
const deadlines = [null, '2030-01-01T00:00:00.000Z', '2030-01-01T00:00:00.001Z', '0001-01-01T00:00:00.000Z']
const orders = [null, 0, -1, 1, 2147483647, -2147483648]
const sorts = ['createdAt', '-createdAt', 'deadline', '-deadline', 'order', '-order']

/** 180 todos in which every value has many ties, and every value meets every other. */
const random = pseudoRandom(20)
const pick = <Value>(values: readonly Value[]) => values[random(values.length)] as Value
const todos: Todo[] = []
for (let count = 0; count < 180; count++) {
  const deadline = random(3) ? pick(deadlines) : `20${10 + random(90)}-0${1 + random(9)}-01T00:00:00.000Z`
  const content = {
    title: `${count}`,
    status: pick(statuses),
    deadline,
    order: random(3) ? pick(orders) : random(50),
  }
  todos.push((await client.create(content)).todo)
}

const filters: Omit<ListRequest, 'sort' | 'limit'>[] = [
  {},
  ...statuses.map((status) => ({ status: [status] })),
  { status: ['pending', 'in_progress'] },
  { status: ['completed', 'pending'] },
  { status: [...statuses] },
  { completed: true },
  { completed: false },
  { completed: false, status: ['in_progress', 'completed'] },
  { completed: true, status: ['pending'] },
  { deadlineBefore: '2030-01-01T00:00:00.001Z' },
  { deadlineAfter: '2030-01-01T00:00:00.000Z' },
  { deadlineAfter: '2029-12-31T23:59:59.999Z', deadlineBefore: '2030-01-01T01:00:00.001+01:00' },
  { deadlineAfter: '2060-01-01T00:00:00Z', deadlineBefore: '2020-01-01T00:00:00Z' },
  { deadlineAfter: '2020-01-01T00:00:00Z', completed: false },
]

for (const sort of sorts) {
  for (const filter of filters) {
    test(`sort=${sort} ${JSON.stringify(filter)}: every todo once, in order, whatever the page`, async () => {
      const request = { sort, ...filter }
      const expected = expectedList(todos, request)
      for (const limit of [100, 1 + random(60)]) {
        const pages = await client.pages(listAddress({ ...request, limit }))
        assert.deepEqual(pages.flat(), expected)
        for (const page of pages.slice(0, -1)) assert.equal(page.length, limit)
      }
    })
  }
}

test('every page size from 1 to 100 gives the same list', async () => {
  const sample = { sort: '-deadline', status: ['pending', 'completed'] } as const
  const expected = expectedList(todos, sample).map(({ id }) => id)
  for (let limit = 1; limit <= 100; limit++) {
    const pages = await client.pages(listAddress({ ...sample, limit }))
    assert.deepEqual(
      pages.flat().map(({ id }) => id),
      expected,
    )
  }
})

test('the largest page that the contract allows is served, and leads to the next', async () => {
  const list = operationsOf(await loadContract(contractFile)).find((each) => each.operationId === 'listTodos')
  const limit = list?.parameters.find(({ name }) => name === 'limit')
  assert.ok(limit?.schema && 'maximum' in limit.schema)
  const { maximum } = limit.schema
  const answer = await client.get(`/todos?limit=${maximum}`)
  assert.equal(answer.todos.length, maximum)
  assert.ok(answer.next)
})

test('a page has 50 todos, in the order of creation, unless something else is asked for', async () => {
  const answer = await client.get('/todos')
  assert.deepEqual(answer.todos, expectedList(todos, {}).slice(0, 50))
  assert.equal(answer.headers['cache-control'], 'no-cache')
  const { searchParams } = new URL(answer.next ?? '')
  assert.deepEqual([...searchParams.keys()].toSorted(), ['cursor', 'limit', 'sort'])
})

test('a page that is just full has no next one, and one todo more makes one', async () => {
  const request = { status: ['in_progress'] } as const
  const expected = expectedList(todos, request)
  const full = await client.get(listAddress({ ...request, limit: expected.length }))
  assert.equal(full.next, undefined)
  const short = await client.get(listAddress({ ...request, limit: expected.length - 1 }))
  assert.deepEqual((await client.get(short.next ?? '')).todos, expected.slice(-1))
})

test('the link is absolute and carries the whole query; another limit may be set in the middle', async () => {
  const request: ListRequest = {
    sort: '-deadline',
    status: ['pending', 'in_progress'],
    completed: false,
    deadlineAfter: '0001-01-01T05:30:00+05:30',
    limit: 3,
  }
  const { next } = await client.get(listAddress(request))
  const url = new URL(next ?? '')
  assert.ok(next?.startsWith('http://127.0.0.1:'))
  assert.deepEqual(url.searchParams.getAll('status'), ['pending', 'in_progress'])
  assert.equal(url.searchParams.get('deadlineAfter'), '0001-01-01T05:30:00+05:30')
  url.searchParams.set('limit', '100')
  const rest = await client.get(url.href)
  assert.deepEqual(rest.todos, expectedList(todos, request).slice(3, 103))
  url.searchParams.delete('limit')
  assert.deepEqual((await client.get(url.href)).todos, expectedList(todos, request).slice(3, 53))
})

test('a query may be written in other ways that mean the same', async () => {
  const expected = expectedList(todos, { deadlineAfter: '2030-01-01T00:00:00Z', limit: 5 }).slice(0, 5)
  for (const query of [
    'deadlineAfter=2030-01-01T00:00:00Z&limit=5',
    'limit=5&&deadlineAfter=2030-01-01T02:00:00%2B02:00&',
    'deadlineAfter=2030-01-01T02%3A00%3A00%2B02%3A00&limit=%35',
    'deadlineAfter=2029-12-31t22:00:00-02:00&limit=5',
  ]) {
    assert.deepEqual((await client.get(`/todos?${query}`)).todos, expected)
  }
})
