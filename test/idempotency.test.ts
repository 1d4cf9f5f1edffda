import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { beforeEach, test } from 'node:test'
import type { Answer } from './support/client.js'
import { createClient, serve } from './support/client.js'
import { startService } from './support/service.js'

const { service, client } = await serve()
const other = createClient((await startService({ DATABASE_URL: service.databaseUrl })).url)

beforeEach(async () => {
  await client.delete('/todos')
})

const withKey = (key: string) => ({ 'Idempotency-Key': key })
const count = async () => (await client.get('/todos?limit=100')).todos.length
/** What a repeated answer has in common with the first. */
const told = ({ status, text, etag, headers }: Answer) => [status, text, etag, headers.location]

test('the same key with the same body gives the first answer again and creates nothing', async () => {
  const [key, body] = [randomUUID(), { title: 'A', order: 1, description: null, completed: false }]
  const first = await client.post(body, withKey(key))
  assert.equal(first.status, 201)
  for (const again of [client, other, client])
    assert.deepEqual(told(await again.post(body, withKey(key))), told(first))
  assert.equal(await count(), 1)
})

test('the answer stays as it was, url included, after the todo was changed and deleted', async () => {
  const key = withKey(randomUUID())
  const first = await client.post({ title: 'A' }, key)
  await client.patch(first.todo.url, { title: 'B' })
  assert.deepEqual(told(await client.post({ title: 'A' }, key)), told(first))
  await client.delete(first.todo.url)
  assert.deepEqual(
    told(await client.post({ title: 'A' }, { ...key, Host: 'elsewhere.example.org' })),
    told(first),
  )
  assert.equal(await count(), 0)
})

test('the JSON value counts, not how it is written', async () => {
  const key = withKey(randomUUID())
  const first = await client.post('{"title":"Ä","order":10,"completed":true}', key)
  for (const body of [
    ' {"completed" : true,\n"order":10, "title":"\\u00c4"}',
    '{"title":"B","order":1e1,"completed":true,"title":"Ä"}',
    '{"title":"Ä","order":10.0,"completed":true}',
  ]) {
    assert.deepEqual(told(await client.post(body, key)), told(first))
  }
})

for (const body of [
  { title: 'a' },
  { title: 'A ' },
  { title: 'A', description: null },
  { title: 'A', status: 'pending' },
  { title: 'A', order: 0 },
]) {
  test(`another value, ${JSON.stringify(body)}, with the same key is 422`, async () => {
    const key = withKey(randomUUID())
    const first = await client.post({ title: 'A' }, key)
    const answer = await client.post(body, key)
    assert.equal(answer.status, 422)
    assert.equal(answer.problem.type, 'urn:problem-type:todo:idempotency-key-reused')
    assert.deepEqual(answer.places, ['Idempotency-Key'])
    assert.deepEqual(told(await client.post({ title: 'A' }, key)), told(first))
    assert.equal(await count(), 1)
  })
}

test('only a 201 is remembered: after an error the key is as good as new', async () => {
  const key = withKey(randomUUID())
  assert.equal((await client.post({ title: '' }, key)).status, 400)
  assert.equal((await client.post({ title: 'A', status: 'pending', completed: true }, key)).status, 422)
  assert.equal((await client.post('{', key)).status, 400)
  assert.equal((await client.post({ title: 'A' }, key)).status, 201)
})

test('twenty at once with one key, at two instances, create one todo', async () => {
  const key = withKey(randomUUID())
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? client : other).post({ title: 'A' }, key)),
  )
  assert.equal(new Set(answers.map((answer) => JSON.stringify(told(answer)))).size, 1)
  assert.equal(answers[0]?.status, 201)
  assert.equal(await count(), 1)
})

test('twenty at once with one key and two bodies create one todo; the others are told', async () => {
  const key = withKey(randomUUID())
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => client.post({ title: `${index % 2}` }, key)),
  )
  assert.deepEqual([...new Set(answers.map(({ status }) => status))].toSorted(), [201, 422])
  assert.equal(new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text)).size, 1)
  assert.equal(await count(), 1)
})

test('without a key, and with different keys, every request creates', async () => {
  await Promise.all([1, 2, 3].map(() => client.create()))
  await Promise.all([1, 2, 3].map(() => client.create({}, withKey(randomUUID()))))
  assert.equal(await count(), 6)
})

test('keys are opaque: case and every visible character count', async () => {
  const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => 0x21 + index))
  for (const key of ['a', 'A', '"a"', visible, '%61', 'a'.repeat(255), `b${'a'.repeat(254)}`]) {
    await client.create({ title: key.slice(0, 10) }, withKey(key))
  }
  assert.equal(await count(), 7)
})

for (const key of ['', 'a b', 'a\tb', 'ä', 'a'.repeat(256), '\u00a0', 'a'.repeat(10_000)]) {
  test(`"${key.slice(0, 10)}" of ${key.length} characters is no key`, async () => {
    const answer = await client.post({ title: 'A' }, withKey(key))
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.places, ['Idempotency-Key'])
    assert.equal(await count(), 0)
  })
}

test('a key is remembered for 24 hours and then as good as new', async () => {
  const key = randomUUID()
  const first = await client.post({ title: 'A' }, withKey(key))
  const remaining = `select extract(epoch from expires_at - now()) as seconds from todo.idempotency_keys where key = $1`
  const [row] = await service.query<{ seconds: string }>(remaining, [key])
  assert.ok(Number(row?.seconds) > 86_000 && Number(row?.seconds) <= 86_400, `${row?.seconds} seconds`)
  await service.query('update todo.idempotency_keys set expires_at = now() where key = $1', [key])
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => client.post({ title: 'B' }, withKey(key))))
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
  assert.notEqual(answers[0]?.todo.id, first.todo.id)
  assert.equal(await count(), 2)
})

test('a key does not outlive a todo that could not be stored', async () => {
  const key = withKey(randomUUID())
  await service.query(`alter table todo.todos add constraint never check (title <> 'never') not valid`)
  assert.equal((await client.post({ title: 'never' }, key)).status, 500)
  await service.query('alter table todo.todos drop constraint never')
  assert.equal((await client.post({ title: 'another' }, key)).status, 201)
})
