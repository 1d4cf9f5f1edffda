import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { type Answer, serve } from './support/client.js'
import { statementWaits } from './support/locked-todos.js'

/**
 * The database accepts no statement on the todos while these requests are made: whichever of them reaches for it waits
 * for the lock, and the test sees it there.
 */
const { service, client } = await serve({ STATEMENT_TIMEOUT: '20', POOL_SIZE: '1', CONNECT_TIMEOUT: '20' })
const { todo } = await client.create()
const next = (await client.create()) && (await client.get('/todos?limit=1&sort=order')).next
const one = `/todos/${todo.id}`
const query = (text: string) => () => client.get(`/todos?${text}`)

const bad: Record<string, () => Promise<Answer>> = {
  'an unknown path': () => client.get('/nothing'),
  'a wrong method': () => client.put('/todos', { title: 'A' }),
  OPTIONS: () => client.send('OPTIONS', '/todos'),
  'no Host': async () => (await client.raw('GET /todos HTTP/1.1\r\n\r\n', ['GET', '/todos']))[0] as Answer,
  'not HTTP': async () => (await client.raw('nonsense\r\n\r\n', ['GET', '/todos']))[0] as Answer,
  'an unknown parameter': query('a=1'),
  'a limit out of range': query('limit=101'),
  'an unknown sort': query('sort=title'),
  'an unknown status': query('status=done'),
  'a deadline without an offset': query('deadlineBefore=2030-01-01T00:00:00'),
  'a deadline before the first year': query('deadlineAfter=0001-01-01T00:00:00%2B01:00'),
  'a cursor that is none': query('cursor=abc'),
  'a cursor of another sort': () => client.get(`${next}`.replace('sort=order', 'sort=deadline')),
  'a filter that nothing can pass': query('completed=true&status=pending'),
  'an id that is none': () => client.get('/todos/1'),
  'a condition that is none': () => client.get(one, { 'If-None-Match': 'x' }),
  'JSON that is none': () => client.post('{'),
  'bytes that are no text': () => client.post(Buffer.from('{"title":"\xff"}', 'latin1')),
  'no body': () => client.send('POST', '/todos'),
  'a body that is too large': () => client.post({ title: 'A', description: 'a'.repeat(200_000) }),
  'a wrong media type': () => client.post('A', { 'Content-Type': 'text/plain' }),
  'a todo without a title': () => client.post({}),
  'a todo with an unknown field': () => client.post({ title: 'A', colour: 'green' }),
  'a deadline after the last year': () => client.post({ title: 'A', deadline: '9999-12-31T23:59:59-01:00' }),
  'a contradiction': () => client.post({ title: 'A', status: 'pending', completed: true }),
  'a key that is none': () => client.post({ title: 'A' }, { 'Idempotency-Key': 'a b' }),
  'a replacement without a title': () => client.put(one, {}),
  'a replacement that contradicts itself': () =>
    client.put(one, { title: 'A', status: 'pending', completed: true }),
  'a patch of an unknown todo that contradicts itself': () =>
    client.patch(`/todos/${uuid()}`, { status: 'pending', completed: true }),
  'a patch by null': () => client.patch(one, { title: null }),
  'a delete with a broken condition': () => client.delete(one, { 'If-Match': '1' }),
  'a delete of all with false': () => client.delete('/todos?completed=false'),
  liveness: () => client.get('/health'),
}

let held: Promise<Answer>

test('a good request waits for the database', async () => {
  await service.query('begin')
  await service.query('lock table todo.todos, todo.idempotency_keys in access exclusive mode')
  held = client.post({ title: 'holds the only connection' })
  await statementWaits(service)
})

test('a bad request uses no connection to the database', async () => {
  const statements = `select application_name, state_change from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() order by 1, 2`
  const before = await service.query(statements)
  for (const [what, request] of Object.entries(bad)) {
    const answer = await request()
    const isFine = ['OPTIONS', 'liveness', 'a filter that nothing can pass'].includes(what)
    assert.equal(Math.floor(answer.status / 100), isFine ? 2 : 4, what)
  }
  assert.deepEqual(await service.query(statements), before, 'no session did anything')
  await service.query('rollback')
  assert.equal((await held).status, 201)
})
