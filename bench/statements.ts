import type { Database } from '../src/database/connection.js'
import type { PipelinedReads, Statement } from '../src/database/pipelined-reads.js'
import { newRow } from '../src/todos/content.js'
import type { ListQuery, Position } from '../src/todos/page.js'
import { createStore, type Store } from '../src/todos/store.js'

/** The statement that the service itself sends for what is asked of its store. */
async function sentFor(use: (store: Store) => Promise<unknown>): Promise<Statement> {
  const sent: Statement[] = []
  const record = async (statement: Statement) => {
    sent.push(statement)
    return []
  }
  const database = { any: record, none: record, $pool: { rows: record } } as unknown as Database
  await use(createStore(database, { any: record } as unknown as PipelinedReads))
  return sent[0] as Statement
}

export const getStatement = (id: string) => sentFor((store) => store.find(id))

export const pageStatement = (query: ListQuery, position: Position | undefined, limit: number) =>
  sentFor((store) => store.list(query, position, limit))

/** For any id: `updated_at` is later than the time in it. */
export function createStatement() {
  const content = { title: 'Water the plants', description: 'The ficus takes half a litre.', order: 10 }
  const row = newRow({ ...content, deadline: '2028-06-01T07:00:00.000Z', status: 'pending' })
  return sentFor((store) => store.create({ ...row, updatedAt: '2100-01-01T00:00:00.000Z' }))
}
