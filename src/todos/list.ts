import type { Statement } from '../database/pipelined-reads.js'
import type { ListQuery, Position } from './page.js'
import { COLUMNS } from './store.js'

/**
 * How many todos a page's statement reads. A number in the text lets the planner know that it is small, so that one
 * plan serves all values; three numbers, and not a hundred, bound the statements that a connection keeps.
 */
const SIZES = [21, 51, 101] as const

/**
 * The statement for one page: keyset pagination (https://use-the-index-luke.com/no-offset) whose cost does not depend
 * on the size of the table.
 *
 * Every branch below walks one index in its own order and stops after a page; at most a page of each is then merged. A
 * branch has one status, because an index that begins with the status is in order only within one; and either the
 * todos with a value or those without, because the latter come last in both directions.
 *
 * The planner must not walk another index and leave out what does not fit: it expects a status everywhere, but the old
 * todos may all be completed. So each branch is ordered by all columns of its index, and its status is compared with a
 * list of one, for the planner drops a column from the order that it knows to be constant.
 *
 * @param limit how many todos are wanted, 1 to 100; at least one more is read where there is one
 */
export function listStatement(query: ListQuery, position: Position | undefined, limit: number): Statement {
  const { column, descending, statuses } = query
  const size = SIZES.find((each) => each > limit)
  if (size === undefined) throw new RangeError(`A page of ${limit} todos is larger than any statement reads.`)
  const values: unknown[] = []
  const placeholder = (value: unknown, type: string) => `$${values.push(value)}::${type}`
  const filters = deadlineFilters(query, placeholder)
  const key = column === 'id' ? undefined : `"${column}"`
  const orderBy = (columns: readonly string[]) =>
    columns.map((each) => `${each} ${descending ? 'desc' : 'asc'}`).join(', ')
  const sorted = key === undefined ? ['id'] : [key, 'id']
  const after = position && afterPosition(position, key, column, descending ? '<' : '>', placeholder)
  const branches = (statuses ?? [undefined]).flatMap((status) => {
    const fixed = status === undefined ? [] : [`status = any(${placeholder([status], 'text[]')})`]
    const order = orderBy(status === undefined ? sorted : ['status', ...sorted])
    return partsOf(key, position).map((part) => {
      const presence = key === undefined ? [] : [`${key} is ${part === 'valued' ? 'not ' : ''}null`]
      const begin = after && after.part === part ? [after.condition] : []
      const conditions = [...fixed, ...filters, ...presence, ...begin].join(' and ')
      return `(select ${COLUMNS} from todo.todos ${conditions && `where ${conditions}`} order by ${order} limit ${size})`
    })
  })
  const merged = key ? `${key} is null, ${orderBy(sorted)}` : orderBy(sorted)
  const union = `select * from (${branches.join(' union all ')}) as page order by ${merged} limit ${size}`
  const text = branches.length === 1 ? branches.join() : union
  return { name: nameOf(query, position, size), text, values }
}

type Part = 'valued' | 'none'
type Placeholder = (value: unknown, type: string) => string

/** Which parts of the list can still hold todos after the position. */
function partsOf(key: string | undefined, position: Position | undefined): Part[] {
  if (key === undefined) return ['valued']
  return position && position.value === null ? ['none'] : ['valued', 'none']
}

function afterPosition(
  { value, id }: Position,
  key: string | undefined,
  column: string,
  comparison: string,
  placeholder: Placeholder,
): { part: Part; condition: string } {
  if (key === undefined || value === null) {
    return {
      part: key === undefined ? 'valued' : 'none',
      condition: `id ${comparison} ${placeholder(id, 'uuid')}`,
    }
  }
  const type = column === 'deadline' ? 'timestamptz' : 'integer'
  const bounds = `${placeholder(value, type)}, ${placeholder(id, 'uuid')}`
  return { part: 'valued', condition: `(${key}, id) ${comparison} (${bounds})` }
}

function deadlineFilters({ deadlineBefore, deadlineAfter }: ListQuery, placeholder: Placeholder): string[] {
  const before =
    deadlineBefore === undefined ? [] : [`deadline < ${placeholder(deadlineBefore, 'timestamptz')}`]
  const after = deadlineAfter === undefined ? [] : [`deadline > ${placeholder(deadlineAfter, 'timestamptz')}`]
  return [...before, ...after]
}

/** Two queries have the same name exactly when they have the same text. */
function nameOf(query: ListQuery, position: Position | undefined, size: number): string {
  const { column, descending, statuses, deadlineBefore, deadlineAfter } = query
  const begin = position === undefined ? 'first' : position.value === null ? 'after-none' : 'after-value'
  const filters = `${statuses?.length ?? 'any'}${deadlineBefore ? '-before' : ''}${deadlineAfter ? '-after' : ''}`
  return `list-${column}-${descending ? 'descending' : 'ascending'}-${filters}-${begin}-${size}`
}
