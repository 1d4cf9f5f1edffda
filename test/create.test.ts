import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from './support/client.js'

const { service, client } = await serve()

/** A stored todo, as a list and as its own address give it. */
async function stored(url: string) {
  const { todo } = await client.get(url)
  const listed = (await client.pages('/todos?limit=100')).flat().find(({ id }) => id === todo.id)
  assert.deepEqual(listed, todo)
  return todo
}

test('a title is enough; the rest gets its default', async () => {
  const { todo, headers, etag } = await client.post({ title: 'Water the plants' })
  const { id, createdAt } = todo
  assert.deepEqual(todo, {
    id,
    title: 'Water the plants',
    description: null,
    deadline: null,
    status: 'pending',
    completed: false,
    order: null,
    url: `${service.url}/todos/${id}`,
    createdAt,
    updatedAt: createdAt,
  })
  assert.equal(headers.location, todo.url)
  assert.equal(etag, '"1"')
  assert.equal(headers['cache-control'], 'no-cache')
  assert.deepEqual(await stored(todo.url), todo)
  assert.equal((await client.get(todo.url)).etag, etag)
})

test('everything that can be given is kept', async () => {
  const content = {
    title: ' Gießen 🪴\n',
    description: 'Ligne 1\r\n\tline 2 "\\" \u2028 \u{10FFFF}',
    deadline: '2030-06-01T07:00:00.000Z',
    status: 'in_progress' as const,
    order: -2147483648,
  }
  const { todo } = await client.create(content)
  assert.deepEqual({ ...todo, ...content }, todo)
  assert.deepEqual(await stored(todo.url), todo)
})

test('null is the same as nothing where there may be nothing', async () => {
  const { todo } = await client.create({ description: null, deadline: null, order: null })
  assert.deepEqual([todo.description, todo.deadline, todo.order], [null, null, null])
})

test('ids are of version 7 and sort in the order of creation; createdAt is the time in them', async () => {
  const before = Date.now()
  const todos = []
  for (let count = 0; count < 20; count++) todos.push((await client.create()).todo)
  const ids = todos.map(({ id }) => id)
  assert.deepEqual(ids, ids.toSorted())
  for (const { id, createdAt } of todos) {
    assert.equal(Date.parse(createdAt), Number.parseInt(id.replace('-', '').slice(0, 12), 16))
    assert.ok(Date.parse(createdAt) >= before && Date.parse(createdAt) <= Date.now() + 1)
  }
})

for (const [sent, status, completed] of [
  [{ completed: true }, 'completed', true],
  [{ completed: false }, 'pending', false],
  [{ status: 'completed' }, 'completed', true],
  [{ status: 'in_progress' }, 'in_progress', false],
  [{ status: 'in_progress', completed: false }, 'in_progress', false],
  [{ status: 'completed', completed: true }, 'completed', true],
] as const) {
  test(`${JSON.stringify(sent)} means ${status}`, async () => {
    const { todo } = await client.create(sent)
    assert.deepEqual([todo.status, todo.completed], [status, completed])
    assert.deepEqual(await stored(todo.url), todo)
  })
}

for (const sent of [
  { status: 'pending', completed: true },
  { status: 'in_progress', completed: true },
  { status: 'completed', completed: false },
]) {
  test(`${JSON.stringify(sent)} is a contradiction`, async () => {
    const answer = await client.post({ title: 'A', ...sent })
    assert.equal(answer.status, 422)
    assert.deepEqual(answer.places, ['/completed'])
    assert.equal(answer.problem.type, 'about:blank')
  })
}

for (const [sent, expected] of [
  ['2030-06-01T09:00:00+02:00', '2030-06-01T07:00:00.000Z'],
  ['2030-06-01T00:30:00.5-23:59', '2030-06-02T00:29:00.500Z'],
  ['2030-06-01t09:00:00z', '2030-06-01T09:00:00.000Z'],
  ['2030-06-01T09:00:00.9999999999Z', '2030-06-01T09:00:00.999Z'],
  ['1969-12-31T23:59:59.9996Z', '1969-12-31T23:59:59.999Z'],
  [`2030-06-01T09:00:00.123${'4'.repeat(40)}Z`, '2030-06-01T09:00:00.123Z'],
  ['2030-06-01T09:00:00-00:00', '2030-06-01T09:00:00.000Z'],
  ['2028-02-29T12:00:00Z', '2028-02-29T12:00:00.000Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ['2017-01-01T00:59:60.25+01:00', '2017-01-01T00:00:00.250Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['0099-12-31T23:59:59.001Z', '0099-12-31T23:59:59.001Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
] as const) {
  test(`the deadline ${sent} is ${expected}`, async () => {
    const { todo } = await client.create({ deadline: sent })
    assert.equal(todo.deadline, expected)
    assert.deepEqual(await stored(todo.url), todo)
  })
}

for (const deadline of [
  'tomorrow',
  '2030-06-01',
  '2030-06-01T09:00:00',
  '2030-06-01 09:00:00Z',
  '2030-13-01T09:00:00Z',
  '2030-02-29T09:00:00Z',
  '2030-06-01T24:00:00Z',
  '2030-06-01T09:60:00Z',
  '2030-06-01T09:00:61Z',
  '2030-06-01T09:00:60Z',
  '2030-06-01T09:00:00+24:00',
  '2030-06-01T09:00:00+0200',
  '2030-06-01T09:00Z',
  '2030-06-01T09:00:00.Z',
  '+12030-06-01T09:00:00Z',
  '0000-06-01T09:00:00Z',
  '0001-01-01T00:00:00+00:01',
  '9999-12-31T23:59:59-00:01',
  '9999-12-31T23:59:60Z',
  'infinity',
  '',
  `2030-06-01T09:00:00.${'1'.repeat(64)}Z`,
]) {
  test(`the deadline ${JSON.stringify(deadline)} is refused`, async () => {
    const answer = await client.post({ title: 'A', deadline })
    assert.equal(answer.status, 400)
    assert.deepEqual([...new Set(answer.places)], ['/deadline'])
  })
}

test('lengths are counted in code points, up to the last one that is allowed', async () => {
  const longest = { title: '🪴'.repeat(200), description: '🪴'.repeat(4000) }
  const { todo } = await client.create(longest)
  assert.deepEqual(await stored(todo.url), { ...todo, ...longest })
  for (const tooLong of [{ title: '🪴'.repeat(201) }, { title: 'A', description: 'ä'.repeat(4001) }]) {
    assert.equal((await client.post(tooLong)).status, 400)
  }
})

for (const title of [
  '',
  ' ',
  '\t\n\u000b\f\r \u00a0\u1680\u2003\u2028\u202f\u205f\u3000\ufeff',
  ' '.repeat(201),
]) {
  test(`the title ${JSON.stringify(title.slice(0, 20))} is only white space`, async () => {
    const answer = await client.post({ title })
    assert.equal(answer.status, 400)
    assert.deepEqual([...new Set(answer.places)], ['/title'])
  })
}

test('white space around a title, and what only looks like it, is kept', async () => {
  for (const title of [' A ', '\u200b', '\u0085', '\u180e', '\u0301', '\u0001']) {
    assert.equal((await client.create({ title })).todo.title, title)
  }
})

test('the smallest and the largest order are kept, and nothing beyond', async () => {
  for (const order of [-2147483648, 0, 2147483647])
    assert.equal((await client.create({ order })).todo.order, order)
  const whole = await client.post('{"title":"A","order":1.0e1}')
  assert.equal(whole.todo.order, 10)
  for (const order of ['-2147483649', '2147483648', '1.5', '1e400', '-1e999', '"1"', 'true', '[1]', '{}']) {
    const answer = await client.post(`{"title":"A","order":${order}}`)
    assert.equal(answer.status, 400, order)
    assert.deepEqual(answer.places, ['/order'])
  }
})
