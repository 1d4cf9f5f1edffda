import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { serve } from './support/client.js'
import { type ListRequest, listAddress } from './support/todo-model.js'

const { client } = await serve()
for (const [index, deadline] of [null, '2030-01-01T00:00:00.000Z', '2031-01-01T00:00:00.000Z'].entries()) {
  for (const order of [null, 1, 2])
    await client.create({ deadline, order, status: index ? 'pending' : 'completed' })
}

const requests: ListRequest[] = [
  'createdAt',
  '-createdAt',
  'deadline',
  '-deadline',
  'order',
  '-order',
].flatMap((sort) => [
  { sort },
  { sort, status: ['pending'] },
  { sort, status: ['pending', 'in_progress'] },
  { sort, completed: true },
  { sort, deadlineBefore: '2031-01-01T00:00:00.000Z' },
  { sort, deadlineAfter: '2029-01-01T00:00:00.000Z' },
])

async function cursorOf(request: ListRequest): Promise<string> {
  const { next } = await client.get(listAddress({ ...request, limit: 1 }))
  return new URL(next ?? assert.fail('there is a next page')).searchParams.get('cursor') ?? ''
}

const cursors = await Promise.all(requests.map(cursorOf))
const withCursor = (request: ListRequest, cursor: string) =>
  client.get(`${listAddress(request)}&cursor=${encodeURIComponent(cursor)}`)

test('a cursor is good for its own sort and filter, and for no other', async () => {
  for (const [made, cursor] of cursors.entries()) {
    for (const [used, request] of requests.entries()) {
      // These two filters let the same todos pass, so that a position in one list is one in the other.
      const answer = await withCursor(request, cursor)
      assert.equal(answer.status, made === used ? 200 : 400, `${JSON.stringify([requests[made], request])}`)
      if (made === used) continue
      assert.deepEqual(answer.problem.errors, [
        { parameter: 'cursor', detail: 'belongs to another sort or filter; begin without a cursor' },
      ])
    }
  }
})

test('the order in which statuses are given makes no other list', async () => {
  const cursor = await cursorOf({ sort: 'order', status: ['pending', 'completed'] })
  assert.equal((await withCursor({ sort: 'order', status: ['completed', 'pending'] }, cursor)).status, 200)
})

test('a cursor that is changed in any one place gives a page or a 400, never a fault', async () => {
  const alphabet = ['A', 'z', '0', '-', '_']
  for (const [index, cursor] of cursors.entries()) {
    const request = requests[index] as ListRequest
    for (let place = index % 7; place < cursor.length; place += 7) {
      const changed = cursor.slice(0, place) + alphabet[place % 5] + cursor.slice(place + 1)
      for (const tampered of [changed, cursor.slice(0, place), cursor.slice(place)]) {
        const { status } = await withCursor(request, tampered || 'A')
        assert.ok(status === 200 || status === 400, `${status} for ${tampered}`)
      }
    }
  }
})

/** What a cursor holds is nobody's business; that it can be forged must do no harm. */
async function forged(request: ListRequest, change: (parts: unknown[]) => unknown) {
  const parts: unknown[] = JSON.parse(Buffer.from(await cursorOf(request), 'base64url').toString())
  const text = change(parts)
  const cursor = Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)).toString('base64url')
  return withCursor(request, cursor)
}

const values: Record<string, unknown[]> = {
  createdAt: [1, 'x', '2030-01-01T00:00:00.000Z', {}, []],
  deadline: [
    1,
    'x',
    'infinity',
    '2030-01-01',
    '0000-01-01T00:00:00.000Z',
    '+012030-01-01T00:00:00.000Z',
    '2030-02-30T00:00:00.000Z',
    {},
    true,
  ],
  order: ['1', 1.5, 2147483648, -2147483649, 1e300, {}, [1], true, "1' or '1'='1"],
}
for (const [sort, wrong] of Object.entries(values)) {
  test(`a forged cursor of ${sort} is 400`, async () => {
    for (const value of wrong) {
      assert.equal(
        (await forged({ sort }, ([print, , id]) => [print, value, id])).status,
        400,
        JSON.stringify(value),
      )
    }
    for (const id of [null, 1, '', 'x', uuid().toUpperCase(), `${uuid()}'`, '\0', {}]) {
      assert.equal(
        (await forged({ sort }, ([print, value]) => [print, value, id])).status,
        400,
        JSON.stringify(id),
      )
    }
    for (const whole of [
      '',
      'x',
      'null',
      '{}',
      '[]',
      '[1,2,3]',
      '[[],[],[]]',
      '[null,null,null]',
      '{"length":3}',
      '['.repeat(700),
    ]) {
      assert.equal((await forged({ sort }, () => whole)).status, 400, whole.slice(0, 20))
    }
    assert.equal((await forged({ sort }, (parts) => [...parts, 1])).status, 400)
    assert.equal((await forged({ sort }, ([, ...rest]) => ['__proto__', ...rest])).status, 400)
  })
}

for (const cursor of ['', ' ', '*', 'a=b', '..', 'ä', '\0', 'A'.repeat(1025), '%', "';--"]) {
  test(`the cursor ${JSON.stringify(cursor.slice(0, 10))} is 400`, async () => {
    const answer = await withCursor({}, cursor)
    assert.equal(answer.status, 400)
    assert.deepEqual([...new Set(answer.places)], ['cursor'])
  })
}
