import type { Todo, TodoStatus } from '../../generated/contract.js'

/** A list as a client asks for it. */
export interface ListRequest {
  readonly sort?: string
  readonly status?: readonly TodoStatus[]
  readonly completed?: boolean
  readonly deadlineBefore?: string
  readonly deadlineAfter?: string
  readonly limit?: number
}

/** The address of a list's first page. */
export function listAddress(request: ListRequest): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(request)) {
    for (const each of [value].flat()) query.append(name, String(each))
  }
  return `/todos?${query}`
}

/** What the list must hold, found without a database: ties by id in the sort's direction, nulls last both ways. */
export function expectedList(todos: readonly Todo[], request: ListRequest): Todo[] {
  const { sort = 'createdAt', status, completed, deadlineBefore, deadlineAfter } = request
  const field = sort.replace('-', '') as 'createdAt' | 'deadline' | 'order'
  const direction = sort.startsWith('-') ? -1 : 1
  const sortValue = (todo: Todo) => {
    const value = field === 'createdAt' ? todo.id : todo[field]
    return typeof value === 'string' && field === 'deadline' ? Date.parse(value) : value
  }
  return todos
    .filter((todo) => status === undefined || status.includes(todo.status))
    .filter((todo) => completed === undefined || todo.completed === completed)
    .filter(({ deadline }) => isWithin(deadline, deadlineBefore, deadlineAfter))
    .toSorted((a, b) => {
      const [left, right] = [sortValue(a), sortValue(b)]
      if (left !== right && (left === null || right === null)) return left === null ? 1 : -1
      return direction * (compare(left, right) || compare(a.id, b.id))
    })
}

function isWithin(deadline: string | null, before: string | undefined, after: string | undefined): boolean {
  if (before === undefined && after === undefined) return true
  if (deadline === null) return false
  const moment = Date.parse(deadline)
  return (
    (before === undefined || moment < Date.parse(before)) &&
    (after === undefined || moment > Date.parse(after))
  )
}

function compare(left: string | number | null, right: string | number | null): number {
  if (left === right || left === null || right === null) return 0
  return left < right ? -1 : 1
}

/** A sequence that looks random and is the same in every run, so that what it finds can be found again. */
export function pseudoRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
