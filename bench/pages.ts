import type pg from 'pg'
import type { Statement } from '../src/database/pipelined-reads.js'
import type { ListQuery, Position, SortColumn } from '../src/todos/page.js'
import { getStatement, pageStatement } from './statements.js'

/** How many pages of 8 kB PostgreSQL read for one statement. */
export interface PageReads {
  readonly what: string
  readonly pages: number
  /** Pages that it may read whatever the size of the table. */
  readonly allowed: number
}

/** How many todos a page has, and how many are read for it: one more says whether there are more. */
const PAGE_SIZE = 20
const ROWS = PAGE_SIZE + 1

const FILTERS = {
  alone: undefined,
  'status=pending': ['pending'],
  'completed=false': ['pending', 'in_progress'],
  'completed=true': ['completed'],
} as const

/**
 * Explains what the service sends for a get, and for the first and a deep page in every sort, alone and filtered.
 *
 * A page is read in branches of one status each, with and without a value. Each may go down its index once, and read the
 * page's rows, which are scattered over the table: that does not depend on the table's size, but for the depth of the
 * index, which the get tells.
 */
export async function measurePages(client: pg.Client): Promise<PageReads[]> {
  const { rows } = await client.query<Todo>(
    `select id, deadline, "order" from todo.todos where deadline is not null and "order" is not null
      order by id offset (select count(*) / 2 from todo.todos) limit 1`,
  )
  const middle = rows[0] as Todo
  const get = await pagesRead(client, await getStatement(middle.id))
  const reads: PageReads[] = [{ what: 'get', pages: get, allowed: get }]
  for (const column of ['id', 'deadline', 'order'] as const) {
    for (const descending of [false, true]) {
      for (const [filter, statuses] of Object.entries(FILTERS)) {
        for (const position of [undefined, positionOf(middle, column)]) {
          const query = { column, descending, statuses, deadlineBefore: undefined, deadlineAfter: undefined }
          const statement = await pageStatement(query, position, PAGE_SIZE)
          const branches = (statuses?.length ?? 1) * (column === 'id' ? 1 : 2)
          reads.push({
            what: nameOf(query, filter, position),
            pages: await pagesRead(client, statement),
            // A wider key than the primary one may make an index one level deeper.
            allowed: branches * (get + 1 + ROWS),
          })
        }
      }
    }
  }
  return reads
}

interface Todo {
  readonly id: string
  readonly deadline: Date
  readonly order: number
}

function positionOf({ id, deadline, order }: Todo, column: SortColumn): Position {
  return { id, value: { id: null, deadline: deadline.toISOString(), order }[column] }
}

function nameOf({ column, descending }: ListQuery, filter: string, position: Position | undefined): string {
  const sort = `${descending ? '-' : ''}${column === 'id' ? 'createdAt' : column}`
  return `${sort}, ${filter}, ${position ? 'deep' : 'first'} page`
}

/** With the plan made for these values, and with the one for any: whichever reads more. */
async function pagesRead(client: pg.Client, { text, values }: Statement): Promise<number> {
  const counts: number[] = []
  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    await client.query(`set plan_cache_mode = ${mode}`)
    const explained = { text: `explain (analyze, buffers, format json) ${text}`, values }
    const { rows } = await client.query<Explained>(explained)
    const plan = rows[0]?.['QUERY PLAN'][0].Plan
    counts.push(plan ? plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] : Number.NaN)
  }
  return Math.max(...counts)
}

interface Explained {
  readonly 'QUERY PLAN': [
    { readonly Plan: { readonly [Blocks in 'Shared Hit Blocks' | 'Shared Read Blocks']: number } },
  ]
}
