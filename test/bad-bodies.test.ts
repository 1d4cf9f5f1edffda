import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Todo } from '../generated/contract.js'
import { serve } from './support/client.js'

const { client } = await serve()
let todo: Todo

before(async () => {
  todo = (await client.create()).todo
})

/** Sends a body with each method that takes one; all three must refuse it in the same way. */
async function refused(body: string | Buffer, status = 400) {
  const answers = await Promise.all([
    client.post(body),
    client.put(todo.url, body),
    client.patch(todo.url, body),
  ])
  for (const answer of answers)
    assert.equal(answer.status, status, `${answer.method} ${body.toString().slice(0, 80)}`)
  return answers
}

for (const body of [
  '{',
  '{"title":"A"',
  '{"title":"A",}',
  "{'title':'A'}",
  '{title:"A"}',
  '{"title":"A"} {}',
  '{"title":"\n"}',
  '{"title":"\\x"}',
  '{"title":"\\ud8"}',
  '{"title":NaN}',
  '{"order":01}',
  '{"order":+1}',
  '// {}',
  'undefined',
  ' ',
  '['.repeat(100_000),
  '{"title":'.repeat(10_000),
]) {
  test(`${JSON.stringify(body.slice(0, 30))} is not JSON`, async () => {
    for (const answer of await refused(body)) {
      assert.deepEqual(answer.places, [''])
      assert.match(answer.problem.errors?.[0]?.detail ?? '', /^is not valid JSON( at character \d+)?$/)
    }
  })
}

for (const body of [
  'null',
  'true',
  '1',
  '"title"',
  '[]',
  '[{"title":"A"}]',
  `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
]) {
  test(`${body.slice(0, 30)} is no object`, async () => {
    for (const answer of await refused(body)) assert.deepEqual(answer.places, [''])
  })
}

for (const [what, bytes] of Object.entries({
  'a byte that is never in UTF-8': Buffer.from('{"title":"\xff"}', 'latin1'),
  'Latin-1': Buffer.from('{"title":"ä"}', 'latin1'),
  'half a character': Buffer.from('{"title":"\xc3"}', 'latin1'),
  'a longer form than needed': Buffer.from('{"title":"\xc0\x80"}', 'latin1'),
  'a surrogate in bytes': Buffer.from('{"title":"\xed\xa0\x80"}', 'latin1'),
  'UTF-16': Buffer.from('{"title":"A"}', 'utf16le'),
})) {
  test(`${what} is refused`, async () => {
    for (const answer of await refused(bytes)) assert.deepEqual(answer.places, [''])
  })
}

for (const text of ['\\u0000', 'a\\u0000b', '\\ud800', '\\udfff', 'a\\ud83d', '\\ude00\\ud83d']) {
  test(`"${text}" cannot be text`, async () => {
    for (const field of ['title', 'description']) {
      for (const answer of await refused(`{"title":"A","${field}":"${text}"}`)) {
        assert.deepEqual([...new Set(answer.places)], [`/${field}`])
      }
    }
    await refused(`{"title":"A","deadline":"${text}"}`)
    await refused(`{"title":"A","status":"${text}"}`)
    await refused(`{"title":"A","${text}":1}`)
  })
}

test('values of a wrong type are refused, each at its place', async () => {
  const wrong = {
    title: 1,
    description: false,
    deadline: 0,
    status: ['pending'],
    completed: 'true',
    order: '1',
  }
  for (const answer of await refused(JSON.stringify(wrong))) {
    assert.deepEqual(
      answer.places.toSorted(),
      Object.keys(wrong)
        .map((name) => `/${name}`)
        .toSorted(),
    )
    for (const { detail } of answer.problem.errors ?? []) assert.match(detail, /^must be of type/)
  }
})

test('each rule that a value breaks is said in words of the contract', async () => {
  const broken = {
    title: 'a'.repeat(201),
    description: 'a'.repeat(4001),
    deadline: '2030-13-01T00:00:00Z',
    status: 'done',
    order: 2 ** 31,
    colour: 'green',
  }
  const [answer] = await refused(JSON.stringify(broken))
  const details = Object.fromEntries(
    (answer?.problem.errors ?? []).map(({ pointer, detail }) => [pointer, detail]),
  )
  assert.deepEqual(details, {
    '/title': 'must have at most 200 characters',
    '/description': 'must have at most 4000 characters',
    '/deadline': 'is not a valid date-time',
    '/status': 'must be one of pending, in_progress, completed',
    '/order': 'must be at most 2147483647',
    '/colour': 'is not a known field, or cannot be written',
  })
  assert.equal(answer?.problem.detail, 'The request has 6 faults.')
})

test('names that JavaScript knows are unknown fields like others', async () => {
  const names = [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '',
    '/',
    '~',
    '~1',
    'a/b',
    '%2F',
    '$ref',
  ]
  for (const name of names) {
    for (const value of ['1', '{"title":"A"}', 'null']) {
      for (const answer of await refused(`{"title":"A",${JSON.stringify(name)}:${value}}`)) {
        assert.deepEqual(answer.places, [`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`])
      }
    }
  }
  await refused('{"__proto__":{"title":"A"}}')
  await refused('{"title":{"__proto__":{"length":1}}}')
})

test('of thousands of unknown fields a hundred are named, and the answer stays small', async () => {
  for (const name of ['a', '/', '~', '"', '\u0001']) {
    const fields = Array.from({ length: 5_000 }, (_, index) => `${JSON.stringify(name + index)}:0`)
    for (const answer of await refused(`{"title":"A",${fields.join()}}`)) {
      assert.equal(answer.problem.errors?.length, 100)
      assert.equal(answer.problem.detail, 'The request has more than 100 faults; the first 100 are listed.')
      assert.ok(answer.text.length < 20_000)
    }
  }
})

test('what is refused takes time in proportion to its size', async () => {
  const blank = ' '.repeat(90_000)
  for (const title of [blank, `${blank}\\u0000`, `${'a '.repeat(45_000)}\\ud800`, '/'.repeat(90_000)]) {
    await refused(`{"title":"${title}"}`)
    await refused(`{"title":"A","${title}":1}`)
  }
  await refused(`{"title":"A","deadline":"2030-01-01T00:00:00.${'1'.repeat(90_000)}"}`)
  await refused(`{"title":"A","order":${'9'.repeat(90_000)}}`)
})

test('a byte order mark is no body, and does no harm before one', async () => {
  for (const answer of await refused('\ufeff')) {
    assert.deepEqual(answer.problem.errors, [{ pointer: '', detail: 'is required' }])
  }
  for (const answer of await refused('\ufeff{"title":""}'))
    assert.deepEqual(answer.places.slice(0, 1), ['/title'])
})

test('a field that is given twice counts as its last value', async () => {
  for (const answer of await refused('{"title":"A","title":1}')) assert.deepEqual(answer.places, ['/title'])
})

test('a body larger than the limit is not read', async () => {
  await refused(JSON.stringify({ title: 'A', description: 'a'.repeat(1_000_000) }), 413)
})

test('after all that nothing is written', async () => {
  assert.deepEqual((await client.get('/todos')).todos, [todo])
})
