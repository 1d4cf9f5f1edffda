import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { serve } from './support/client.js'

const { client } = await serve()

const writes = {
  PUT: { body: { title: 'B' } },
  PATCH: { body: { title: 'B' } },
  DELETE: {},
} as const

/** A todo of version 2, so that version 1 is a tag that it once had. */
async function createChanged() {
  const { todo } = await client.create()
  return client.patch(todo.url, { title: 'A' })
}

const matching = [
  '"2"',
  '"1", "2"',
  '"x","2"',
  ' "2" ',
  ',"2",',
  '"1" ,\t"2"',
  'W/"1", "2"',
  '*',
  '"","2"',
  '"ÿ", "2"',
]
const notMatching = [
  '"1"',
  'W/"2"',
  'W/"1", W/"2"',
  '"02"',
  '"12"',
  '"1,2"',
  '""',
  '"99999999999999999999"',
  '"-2"',
  '"0x2"',
]
const malformed = [
  '2',
  '"2',
  '2"',
  "'2'",
  'w/"2"',
  'W/2',
  '"1" "2"',
  '*, "2"',
  '**',
  '"a b"',
  '"2 "',
  '',
  ',',
  `"${'a'.repeat(2047)}"`,
]

for (const [method, options] of Object.entries(writes)) {
  for (const tag of matching) {
    test(`${method} with If-Match: ${tag} writes`, async () => {
      const { todo } = await createChanged()
      const answer = await client.send(method, todo.url, { ...options, headers: { 'If-Match': tag } })
      assert.equal(answer.status, method === 'DELETE' ? 204 : 200, answer.text)
      const after = await client.get(todo.url)
      assert.equal(after.status, method === 'DELETE' ? 404 : 200)
      if (method !== 'DELETE') assert.equal(after.etag, '"3"')
    })
  }
  test(`${method} with any other tag is 412 and changes nothing`, async () => {
    const { todo, etag } = await createChanged()
    for (const tag of notMatching) {
      const answer = await client.send(method, todo.url, { ...options, headers: { 'If-Match': tag } })
      assert.equal(answer.status, 412, tag)
    }
    const after = await client.get(todo.url)
    assert.deepEqual([after.todo, after.etag], [todo, etag])
  })
  test(`${method} with what is no list of tags is 400 and changes nothing`, async () => {
    const { todo, etag } = await createChanged()
    for (const tag of malformed) {
      const answer = await client.send(method, todo.url, { ...options, headers: { 'If-Match': tag } })
      assert.equal(answer.status, 400, tag)
      assert.deepEqual([...new Set(answer.places)], ['If-Match'])
    }
    assert.equal((await client.get(todo.url)).etag, etag)
  })
  test(`${method} of a missing todo is 404, whatever the condition`, async () => {
    for (const tag of ['*', '"1"', 'W/"1"']) {
      const answer = await client.send(method, `/todos/${uuid()}`, {
        ...options,
        headers: { 'If-Match': tag },
      })
      assert.equal(answer.status, 404)
    }
  })
  test(`${method} takes several If-Match fields as one list`, async () => {
    const { todo } = await createChanged()
    const answer = await client.send(method, todo.url, {
      ...options,
      headers: { 'If-Match': ['"1"', '"2"'] },
    })
    assert.ok(answer.status < 300)
  })
}

for (const tag of [...matching, 'W/"2"', 'W/"1", W/"2"']) {
  test(`GET and HEAD with If-None-Match: ${tag} are 304`, async () => {
    const { todo, etag } = await createChanged()
    for (const method of ['GET', 'HEAD']) {
      const answer = await client.send(method, todo.url, { headers: { 'If-None-Match': tag } })
      assert.equal(answer.status, 304)
      assert.equal(answer.etag, etag)
      assert.equal(answer.headers['cache-control'], 'no-cache')
    }
  })
}

test('GET with any other tag gives the todo', async () => {
  const { todo } = await createChanged()
  for (const tag of notMatching.filter((each) => !each.includes('W/"2"'))) {
    assert.deepEqual((await client.get(todo.url, { 'If-None-Match': tag })).todo, todo, tag)
  }
})

test('GET with what is no list of tags is 400', async () => {
  const { todo } = await createChanged()
  for (const tag of malformed) {
    const answer = await client.get(todo.url, { 'If-None-Match': tag })
    assert.equal(answer.status, 400, tag)
    assert.deepEqual([...new Set(answer.places)], ['If-None-Match'])
  }
})

test('GET of a missing todo is 404, whatever the condition', async () => {
  assert.equal((await client.get(`/todos/${uuid()}`, { 'If-None-Match': '*' })).status, 404)
})

test('a condition that takes long to look at is refused like others', async () => {
  const { todo } = await client.create()
  for (const tag of [
    `"a"${' ,'.repeat(6_000)}x`,
    `"a"${',\t'.repeat(6_000)}x`,
    `${','.repeat(12_000)}x`,
    '"'.repeat(12_000),
  ]) {
    assert.equal((await client.get(todo.url, { 'If-None-Match': tag })).status, 400)
    assert.equal((await client.delete(todo.url, { 'If-Match': tag })).status, 400)
  }
})

test('an entity tag never comes back, and every change has a new one', async () => {
  const { todo, etag } = await client.create()
  const tags = [etag]
  for (const change of [{ title: 'B' }, { title: 'A' }, { order: 1 }, { order: null }, { completed: true }]) {
    const updated = await client.patch(todo.url, change, { 'If-Match': tags.at(-1) })
    assert.equal((await client.get(todo.url)).etag, updated.etag)
    tags.push(updated.etag)
  }
  assert.equal(new Set(tags).size, tags.length)
})
