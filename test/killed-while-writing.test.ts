import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Todo } from '../generated/contract.js'
import { createClient } from './support/client.js'
import { makeFolder } from './support/folders.js'
import { startService, waitUntil } from './support/service.js'

/** What a writer knows: the last state of each todo that was acknowledged, and the one it was waiting for, if any. */
interface Known {
  todo: Todo
  /** What a request without an answer would have made of it; `undefined` when it would have been deleted. */
  pending?: Partial<Todo> | 'deleted'
}

const WRITERS = 6

test('kill -9 in the middle of writes, three times: what was acknowledged is there after the next start', async () => {
  const service = await startService({ DATA_DIRECTORY: await makeFolder() })
  const known = new Map<string, Known>()
  let acknowledged = 0

  /** Creates, changes and deletes todos until the service is gone. */
  async function write(writer: number): Promise<void> {
    const client = createClient(service.url)
    for (let count = 0; ; count++) {
      const { todo } = await client.create(
        { title: `writer ${writer}, ${count}` },
        { 'Idempotency-Key': randomUUID() },
      )
      const entry: Known = { todo }
      known.set(todo.id, entry)
      entry.pending = { order: count, status: 'completed' }
      entry.todo = (await client.patch(todo.url, entry.pending)).todo
      delete entry.pending
      acknowledged += 2
      if (count % 3) continue
      entry.pending = 'deleted'
      await client.delete(todo.url)
      known.delete(todo.id)
    }
  }

  for (let round = 0; round < 3; round++) {
    const enough = acknowledged + 60
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer).catch(() => {}))
    await waitUntil('many writes are acknowledged', () => acknowledged >= enough)
    await service.kill()
    await Promise.all(writers)
    await service.restart()
    const stored = (await createClient(service.url).pages('/todos?limit=100')).flat()
    const byId = new Map(stored.map((todo) => [todo.id, todo]))
    for (const [id, { todo, pending }] of known) {
      const found = byId.get(id)
      if (pending === undefined) assert.deepEqual(found, todo)
      else if (pending === 'deleted') assert.ok(!found || isSame(found, todo))
      else
        assert.ok(
          found && (isSame(found, todo) || isSame(found, { ...todo, ...pending })),
          JSON.stringify(found),
        )
    }
    const unknown = stored.filter(({ id }) => !known.has(id))
    const unanswered = WRITERS * (round + 1) // a create or a delete that was cut off, for each writer in each round
    assert.ok(unknown.length <= unanswered, `${unknown.length} todos that nobody knows`)
    for (const { id } of unknown) known.delete(id)
    for (const [id] of known) if (!byId.has(id)) known.delete(id)
    for (const todo of stored) known.set(todo.id, { todo })
  }
})

const isSame = (found: Todo, { title, order, status }: Todo) =>
  found.title === title && found.order === order && found.status === status
