/** A page must cost the same on a thousand and on ten million rows: it walks indexes and reads no more than a page. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import pg from 'pg'
import { listStatement } from '../src/todos/list.js'
import { cursorAfter, type ListQuery, listQueryOf, positionOf } from '../src/todos/page.js'
import type { Row } from '../src/todos/store.js'
import { atEnd } from './support/cleanup.js'
import { createDatabase } from './support/cluster.js'

const ROWS = 20_000
const LIMIT = 100
/**
 * Rows that one step of a plan may read. The planner may well prefer some thousands in a row to a hundred here and
 * there; a plan that grows with the table would read half of it.
 */
const MOST = 3_000

const database = new pg.Client(await createDatabase())
await database.connect()
atEnd(() => database.end())

/** Expressions of the number i of a todo, 1 to ROWS: its status, deadline and order. */
const shapes = {
  'every kind everywhere, with ties': [
    `case when i % 100 = 0 then 'completed' when i % 100 = 1 then 'in_progress' else 'pending' end`,
    `case when i % 50 > 0 then timestamptz '2030-01-01' + (i * 7919 % 1000) * interval '1 hour' end`,
    'case when i % 50 > 1 then i * 7919 % 500 end',
  ],
  // The planner, which knows no more than how many there are of each, expects them everywhere.
  'the old ones completed, the young ones without values': [
    `case when i <= ${ROWS / 2} then 'completed' when i % 100 = 1 then 'in_progress' else 'pending' end`,
    `case when i <= ${ROWS / 2} then timestamptz '2030-01-01' + i * interval '1 hour' end`,
    `case when i <= ${ROWS / 2} then i end`,
  ],
  'the old ones completed, the young ones with values': [
    `case when i <= ${ROWS / 2} then 'completed' when i % 100 = 1 then 'in_progress' else 'pending' end`,
    `case when i > ${ROWS / 10} then timestamptz '2030-01-01' + i * interval '1 hour' end`,
    `case when i > ${ROWS / 10} then i end`,
  ],
}

async function fill([status, deadline, order]: readonly string[]): Promise<void> {
  await database.query('truncate todo.todos')
  await database.query(
    `insert into todo.todos (id, title, status, deadline, "order", updated_at)
     select overlay(overlay(
         lpad(to_hex(1764000000000 + i), 12, '0') || left(md5(i::text), 20) placing '7' from 13) placing '8' from 17)::uuid,
       'Water the plants', ${status}, ${deadline}, ${order}, 'infinity'
     from generate_series(1, ${ROWS}) as i`,
  )
  await database.query('analyze todo.todos')
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]

/** The plan of a page's statement as the service prepares it, carried out. */
async function explain(query: ListQuery, after: Row | undefined): Promise<Plan[]> {
  const position = after && positionOf(cursorAfter(after, query), query)
  assert.ok(!position || !('detail' in position))
  const { text, values } = listStatement(query, position, LIMIT)
  const literals = values.map((value) =>
    pg.escapeLiteral(Array.isArray(value) ? `{${value}}` : String(value)),
  )
  await database.query(`prepare page as ${text}`)
  const parameters = literals.length > 0 ? `(${literals})` : ''
  const { rows } = await database.query(
    `explain (analyze, timing off, format json) execute page${parameters}`,
  )
  await database.query('deallocate page')
  return nodesOf(rows[0]['QUERY PLAN'][0].Plan)
}

/** A todo in the middle of a list's values, and one among those that have none. */
async function positions(query: ListQuery): Promise<(Row | undefined)[]> {
  const columns = `id, deadline, "order"`
  const field = query.column === 'id' ? 'id' : `"${query.column}"`
  const { rows } = await database.query<Row & { deadline: Date | null }>(
    `(select ${columns} from todo.todos where ${field} is not null order by ${field}, id offset ${ROWS / 2} limit 1)
     union all (select ${columns} from todo.todos where ${field} is null order by id offset 100 limit 1)`,
  )
  return [undefined, ...rows.map((row) => ({ ...row, deadline: row.deadline?.toISOString() ?? null }))]
}

const sorts = ['createdAt', '-createdAt', 'deadline', '-deadline', 'order', '-order'] as const
const filters = [
  {},
  { status: ['pending'] },
  { status: ['completed'] },
  { status: ['in_progress', 'completed'] },
  { status: ['pending', 'in_progress', 'completed'] },
  { completed: true },
  { completed: false },
] as const

async function expectIndexes(sort: (typeof sorts)[number], filter: (typeof filters)[number]): Promise<void> {
  const query = listQueryOf({ limit: LIMIT, sort, ...filter } as Parameters<typeof listQueryOf>[0])
  assert.ok(!('detail' in query))
  for (const after of await positions(query)) {
    const nodes = await explain(query, after)
    const what = `${JSON.stringify([sort, filter, after])}: ${JSON.stringify(nodes[0])}`
    for (const node of nodes) {
      if (node['Node Type'].includes('Scan'))
        assert.match(node['Node Type'], /^((Bitmap )?Index|Bitmap Heap|Subquery) Scan$/, what)
      const read = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)
      assert.ok(read * node['Actual Loops'] <= MOST, what)
    }
  }
}

for (const [shape, expressions] of Object.entries(shapes)) {
  describe(shape, () => {
    before(() => fill(expressions))
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      for (const sort of sorts) {
        test(`sort=${sort} walks indexes, with ${mode}`, async () => {
          await database.query(`set plan_cache_mode = ${mode}`)
          for (const filter of filters) await expectIndexes(sort, filter)
        })
      }
    }
  })
}
