import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from './support/client.js'

const { client } = await serve()
await client.create()

/** Queries that are refused, and the parameters that the answer names. */
const refused: [query: string, ...parameters: string[]][] = [
  ['limit=0', 'limit'],
  ['limit=101', 'limit'],
  ['limit=-1', 'limit'],
  ['limit=1.5', 'limit'],
  ['limit=1e1', 'limit'],
  ['limit=0x10', 'limit'],
  ['limit=%205', 'limit'],
  ['limit=5%00', 'limit'],
  ['limit=%D9%A5', 'limit'],
  ['limit=', 'limit'],
  ['limit', 'limit'],
  ['limit=1&limit=1', 'limit'],
  [`limit=${'9'.repeat(400)}`, 'limit'],
  ['limit=Infinity', 'limit'],
  ['limit[]=1', 'limit[]'],
  ['limit[a]=1', 'limit[a]'],
  ['limit%5B%5D=1', 'limit[]'],
  ['Limit=1', 'Limit'],
  ['sort=title', 'sort'],
  ['sort=--order', 'sort'],
  ['sort=+order', 'sort'],
  ['sort=ORDER', 'sort'],
  ['sort=order,deadline', 'sort'],
  ['sort=order&sort=deadline', 'sort'],
  ['sort=constructor', 'sort'],
  ['status=done', 'status'],
  ['status=Pending', 'status'],
  ['status=', 'status'],
  ['status=pending&status=', 'status'],
  ['status=pending,completed', 'status'],
  ['status=pending%2Ccompleted', 'status'],
  ['status=pending&status=pending', 'status'],
  ['status=pending&status=in_progress&status=completed&status=pending', 'status'],
  ['status[]=pending', 'status[]'],
  ['status[0]=pending', 'status[0]'],
  ['completed=1', 'completed'],
  ['completed=yes', 'completed'],
  ['completed=True', 'completed'],
  ['completed=null', 'completed'],
  ['completed=true&completed=false', 'completed'],
  ['deadlineBefore=tomorrow', 'deadlineBefore'],
  ['deadlineBefore=2030-01-01', 'deadlineBefore'],
  ['deadlineBefore=2030-13-01T00:00:00Z', 'deadlineBefore'],
  ['deadlineBefore=2030-02-30T00:00:00Z', 'deadlineBefore'],
  ['deadlineAfter=0000-01-01T00:00:00Z', 'deadlineAfter'],
  ['deadlineAfter=0001-01-01T00:00:00%2B00:01', 'deadlineAfter'],
  ['deadlineAfter=9999-12-31T23:59:59-00:01', 'deadlineAfter'],
  ['deadlineAfter=infinity', 'deadlineAfter'],
  ['deadlineAfter=2030-01-01T00:00:00Z&deadlineAfter=2031-01-01T00:00:00Z', 'deadlineAfter'],
  ['deadlineAfter[]=2030-01-01T00:00:00Z', 'deadlineAfter[]'],
  ['q=x', 'q'],
  ['=', ''],
  ['=1', ''],
  ['?limit=1', '?limit'],
  ['offset=1&page=2', 'offset', 'page'],
  ['__proto__=1', '__proto__'],
  ['__proto__[x]=1', '__proto__[x]'],
  ['constructor=1&toString=2', 'constructor', 'toString'],
  ['%00=1', '\0'],
  ['limit=0&sort=x&status=y&completed=z', 'completed', 'limit', 'sort', 'status'],
]
for (const [query, ...parameters] of refused) {
  test(`${query.slice(0, 60)} is refused`, async () => {
    const answer = await client.get(`/todos?${query}`)
    assert.equal(answer.status, 400)
    assert.deepEqual([...new Set(answer.places)].toSorted(), parameters)
  })
}

for (const [query, detail] of [
  ['limit=1&limit=2', 'must be given only once'],
  ['limit=', 'must not be empty'],
  ['limit=x', 'must be of type integer'],
  ['limit=101', 'must be at most 100'],
  ['colour=green', 'is not a known parameter of this operation'],
  ['status=done', 'must be one of pending, in_progress, completed'],
  ['status=a:b', 'has reserved characters; percent-encode them'],
  ['sort=title', 'must be one of createdAt, -createdAt, deadline, -deadline, order, -order'],
  ['completed=1', 'must be of type boolean'],
  ['deadlineAfter=9999-12-31T23:59:59-00:01', 'is, in UTC, not within the years 0001 to 9999'],
] as const) {
  test(`${query}: ${detail}`, async () => {
    const { problem } = await client.get(`/todos?${query}`)
    assert.equal(problem.errors?.[0]?.detail, detail)
  })
}

test('a bare + is a blank, and the answer says how to write it', async () => {
  const hint = /write it as %2B$/
  for (const name of ['deadlineBefore', 'deadlineAfter']) {
    const bare = await client.get(`/todos?${name}=2030-01-01T00:00:00+02:00`)
    assert.equal(bare.status, 400)
    assert.deepEqual(bare.places, [name])
    assert.match(bare.problem.errors?.[0]?.detail ?? '', hint)
    assert.equal((await client.get(`/todos?${name}=2030-01-01T00:00:00%2B02:00`)).status, 200)
    const other = await client.get(`/todos?${name}=tomorrow`)
    assert.doesNotMatch(other.problem.errors?.[0]?.detail ?? '', hint)
  }
})

test('of thousands of unknown parameters a hundred are named', async () => {
  const query = Array.from({ length: 2_000 }, (_, index) => `a${index}`).join('&')
  const answer = await client.get(`/todos?${query}`)
  assert.equal(answer.status, 400)
  assert.equal(answer.places.length, 100)
})

test('queries that take long to look at are refused like others', async () => {
  for (const part of ['&', '=', '?=', '&=', '%', '[', 'a[', '&a=b+', ';']) {
    const query = `deadlineBefore=x${part.repeat(Math.floor(12_000 / part.length))}`
    assert.equal((await client.get(`/todos?${query}`)).status, 400, part)
  }
})

test('no other operation takes a parameter in its query', async () => {
  const { todo } = await client.create()
  for (const [method, path, body] of [
    ['POST', '/todos', { title: 'A' }],
    ['GET', `/todos/${todo.id}`, undefined],
    ['PUT', `/todos/${todo.id}`, { title: 'A' }],
    ['PATCH', `/todos/${todo.id}`, { title: 'A' }],
    ['DELETE', `/todos/${todo.id}`, undefined],
    ['GET', '/health', undefined],
    ['GET', '/health/ready', undefined],
  ] as const) {
    for (const name of ['a', 'id', 'limit', 'If-Match', 'a[]']) {
      const answer = await client.send(method, `${path}?${name}=1`, { body })
      assert.equal(answer.status, 400)
      assert.deepEqual(answer.places, [name])
    }
    assert.ok((await client.send(method, `${path}?`, { body })).status < 300, 'an empty query is none')
  }
})
