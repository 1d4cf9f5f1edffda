import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient, serve } from './support/client.js'
import { startService } from './support/service.js'

const { service, client } = await serve()
const other = createClient((await startService({ DATABASE_URL: service.databaseUrl })).url)

/** Fifty requests at once, by turns at two instances. */
const fifty = <Result>(act: (instance: typeof client, index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: 50 }, (_, index) => act(index % 2 ? client : other, index)))

for (const method of ['PUT', 'PATCH'] as const) {
  test(`of fifty ${method} with the same tag one wins, and what it wrote is stored`, async () => {
    const { todo, etag } = await client.create()
    const answers = await fifty((instance, index) =>
      instance.send(method, todo.url, { body: { title: `writer ${index}` }, headers: { 'If-Match': etag } }),
    )
    const won = answers.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    assert.equal(answers.filter(({ status }) => status === 412).length, 49)
    const read = await client.get(todo.url)
    assert.deepEqual(read.todo, { ...won[0]?.todo, url: read.todo.url })
    assert.equal(read.etag, '"2"')
  })
}

test('of fifty DELETE one wins, with and without a tag', async () => {
  for (const headers of [{}, { 'If-Match': '"1"' }, { 'If-Match': '*' }]) {
    const { todo } = await client.create()
    const statuses = (await fifty((instance) => instance.delete(todo.url, headers))).map(
      ({ status }) => status,
    )
    assert.deepEqual(statuses.toSorted(), [204, ...Array(49).fill(404)])
  }
})

test('fifty writers that read and try again lose no update', async () => {
  const { todo } = await client.create({ order: 0 })
  await fifty(async (instance) => {
    for (let status = 412; status === 412; ) {
      const read = await instance.get(todo.url)
      const change = { order: Number(read.todo.order) + 1 }
      status = (await instance.patch(todo.url, change, { 'If-Match': read.etag })).status
      assert.ok([200, 412].includes(status))
    }
  })
  const read = await client.get(todo.url)
  assert.equal(read.todo.order, 50)
  assert.equal(read.etag, '"51"')
})

test('fifty patches without a tag are all carried out, each on the one before', async () => {
  const { todo } = await client.create()
  const fields = [
    { title: 'B' },
    { description: 'C' },
    { order: 4 },
    { deadline: '2030-01-01T00:00:00.000Z' },
    { completed: true },
  ]
  const answers = await fifty((instance, index) => instance.patch(todo.url, fields[index % 5] ?? {}))
  assert.equal(new Set(answers.map(({ etag }) => etag)).size, 50)
  const read = await client.get(todo.url)
  assert.equal(read.etag, '"51"')
  assert.deepEqual({ ...read.todo, ...Object.assign({}, ...fields) }, read.todo)
  const times = answers
    .toSorted((a, b) => a.etag.length - b.etag.length || (a.etag < b.etag ? -1 : 1))
    .map(({ todo: { updatedAt } }) => updatedAt)
  assert.deepEqual(times, times.toSorted(), 'updatedAt never goes back')
})

test('changes and a delete at once: each answer is one that some order explains', async () => {
  for (let round = 0; round < 5; round++) {
    const { todo } = await client.create()
    const answers = await fifty((instance, index) =>
      index === 25 ? instance.delete(todo.url) : instance.patch(todo.url, { order: index }),
    )
    for (const [index, { status }] of answers.entries()) {
      assert.ok(index === 25 ? status === 204 : status === 200 || status === 404, `${status}`)
    }
    assert.equal((await client.get(todo.url)).status, 404)
  }
})

test('fifty new todos at once are fifty', async () => {
  await client.delete('/todos')
  const answers = await fifty((instance, index) => instance.create({ order: index }))
  assert.equal(new Set(answers.map(({ todo }) => todo.id)).size, 50)
  const listed = (await client.pages('/todos?limit=7')).flat()
  assert.deepEqual(
    listed.map(({ id }) => id),
    answers.map(({ todo }) => todo.id).toSorted(),
  )
})
