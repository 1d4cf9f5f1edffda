import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { serve } from './support/client.js'

const { client } = await serve()
const titles = async () => (await client.get('/todos')).todos.map(({ title }) => title)

beforeEach(async () => {
  await client.delete('/todos')
  for (const status of ['pending', 'in_progress', 'completed'] as const)
    await client.create({ title: status, status })
})

test('all todos are deleted', async () => {
  assert.equal((await client.delete('/todos')).status, 204)
  assert.deepEqual(await titles(), [])
})

test('an empty list can be deleted again', async () => {
  await client.delete('/todos')
  assert.equal((await client.delete('/todos')).status, 204)
})

test('with completed=true only the completed ones are deleted', async () => {
  assert.equal((await client.delete('/todos?completed=true')).status, 204)
  assert.deepEqual(await titles(), ['pending', 'in_progress'])
})

for (const query of [
  'completed=false',
  'completed=',
  'completed',
  'completed=1',
  'completed=TRUE',
  'completed=true&completed=true',
  'completed[]=true',
  'completed%5B%5D=true',
  'completed[0]=true',
  'Completed=true',
  'status=completed',
  'limit=1',
]) {
  test(`${query} is refused and nothing is deleted`, async () => {
    const answer = await client.delete(`/todos?${query}`)
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.places, [decodeURIComponent(query.split('=')[0] ?? '')])
    assert.deepEqual(await titles(), ['pending', 'in_progress', 'completed'])
  })
}
