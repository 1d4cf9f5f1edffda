import { hash } from 'node:crypto'
import type { TodoStatus, Violation } from '../../generated/contract.js'
import type { Input } from '../contract/types.js'
import { instantOf, OUT_OF_RANGE } from './instant.js'
import type { Row } from './store.js'

/** The columns that a list can be sorted by. The id grows with `createdAt`, which therefore needs no column. */
export type SortColumn = 'id' | 'deadline' | 'order'

/** A list as the store understands it: what the client asked for, in one canonical form. */
export interface ListQuery {
  readonly column: SortColumn
  readonly descending: boolean
  /** Undefined means every status, an empty list none. */
  readonly statuses: readonly TodoStatus[] | undefined
  /** Exclusive bounds, in UTC with milliseconds. */
  readonly deadlineBefore: string | undefined
  readonly deadlineAfter: string | undefined
}

/** The last todo of the page before: the sorted column's value (null also where the id alone sorts) and the id. */
export interface Position {
  readonly value: string | number | null
  readonly id: string
}

const SORT_COLUMNS = { createdAt: 'id', deadline: 'deadline', order: 'order' } as const

/** The list that the query asks for; filters are joined by AND, so `status` and `completed` may leave nothing. */
export function listQueryOf(query: Input<'listTodos'>['query']): ListQuery | Violation {
  const { sort, status, completed } = query
  const boundOf = (bound: 'deadlineBefore' | 'deadlineAfter') => query[bound] && instantOf(query[bound])
  for (const parameter of ['deadlineBefore', 'deadlineAfter'] as const) {
    if (query[parameter] && !boundOf(parameter)) return { parameter, detail: OUT_OF_RANGE }
  }
  const notCompleted: TodoStatus[] = ['pending', 'in_progress']
  const allowed: TodoStatus[] | undefined =
    completed === undefined ? undefined : completed ? ['completed'] : notCompleted
  const statuses = status === undefined ? allowed : status.filter((each) => allowed?.includes(each) ?? true)
  const column = SORT_COLUMNS[sort.replace('-', '') as keyof typeof SORT_COLUMNS]
  const bounds = { deadlineBefore: boundOf('deadlineBefore'), deadlineAfter: boundOf('deadlineAfter') }
  return { column, descending: sort.startsWith('-'), statuses, ...bounds }
}

/** Ties a cursor to the list it was made for. */
function fingerprint(query: ListQuery): string {
  const { column, descending, statuses, deadlineBefore, deadlineAfter } = query
  const parts = [column, descending, statuses?.toSorted(), deadlineBefore, deadlineAfter]
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 12)
}

/** The cursor that continues a list after one of its todos. */
export function cursorAfter(row: Row, query: ListQuery): string {
  const value = query.column === 'id' ? null : row[query.column]
  return Buffer.from(JSON.stringify([fingerprint(query), value, row.id])).toString('base64url')
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

/** Where a cursor points, or what is wrong with it. */
export function positionOf(cursor: string, query: ListQuery): Position | Violation {
  const malformed = { parameter: 'cursor', detail: 'is malformed; take it unchanged from a next link' }
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return malformed
  }
  if (!Array.isArray(parts) || parts.length !== 3 || typeof parts[0] !== 'string') return malformed
  const [madeFor, value, id] = parts
  if (madeFor !== fingerprint(query))
    return { parameter: 'cursor', detail: 'belongs to another sort or filter; begin without a cursor' }
  if (typeof id !== 'string' || !UUID.test(id) || !canHold(query.column, value)) return malformed
  return { value, id }
}

function canHold(column: SortColumn, value: unknown): boolean {
  if (value === null) return true
  if (column === 'order') return Number.isInteger(value) && (value as number) === ((value as number) | 0)
  return column === 'deadline' && typeof value === 'string' && isInstant(value)
}

function isInstant(text: string): boolean {
  const date = new Date(text)
  return /^(?!0000)\d{4}-/.test(text) && !Number.isNaN(date.valueOf()) && date.toISOString() === text
}
