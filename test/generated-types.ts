/**
 * What the compiler must refuse. Nothing here runs: `npm run lint` checks it, and a line that is wrong and not refused
 * is an error there.
 */
import type { Todo } from '../generated/contract.js'
import type { Handlers, Input, Reply } from '../src/contract/types.js'

declare const handlers: Handlers
declare const todo: Todo

const { getLiveness: _, ...others } = handlers
// @ts-expect-error a handler is missing
export const missing: Handlers = others

export const surplus: Handlers = {
  ...handlers,
  // @ts-expect-error no operation of the contract has this name
  archiveTodo: async () => ({ status: 204 }),
}

export const wrongBodies: Partial<Handlers> = {
  getTodo: async (): Promise<Reply<'getTodo'>> => ({
    status: 200,
    // @ts-expect-error fields are missing
    body: { id: todo.id },
    headers: { ETag: '"1"' },
  }),
  replaceTodo: async (): Promise<Reply<'replaceTodo'>> => ({
    status: 200,
    // @ts-expect-error a field has another type
    body: { ...todo, order: '1' },
    headers: { ETag: '"1"' },
  }),
  listTodos: async (): Promise<Reply<'listTodos'>> => ({
    status: 200,
    // @ts-expect-error the body is an array
    body: todo,
  }),
  // @ts-expect-error this answer has no body
  deleteTodo: async (): Promise<Reply<'deleteTodo'>> => ({ status: 204, body: todo }),
  getReadiness: async (): Promise<Reply<'getReadiness'>> => ({
    status: 200,
    // @ts-expect-error a value that the contract does not list
    body: { status: 'sick' },
  }),
}

export const wrongStatuses: Partial<Handlers> = {
  // @ts-expect-error the contract knows no 200 here
  createTodo: async () => ({ status: 200, body: todo, headers: { ETag: '"1"', Location: todo.url } }),
  // @ts-expect-error the contract knows no 412 here
  getTodo: async () => ({ status: 412, problem: { detail: 'The todo has changed.' } }),
  // @ts-expect-error liveness is never refused
  getLiveness: async () => ({ status: 503, problem: { detail: 'Too much to do.' } }),
}

export const wrongHeaders: Partial<Handlers> = {
  // @ts-expect-error Location is missing
  createTodo: async () => ({ status: 201, body: todo, headers: { ETag: '"1"' } }),
  // @ts-expect-error all headers are missing
  updateTodo: async () => ({ status: 200, body: todo }),
  // @ts-expect-error ETag is missing here too
  getTodo: async () => ({ status: 304, headers: {} }),
}

export const wrongProblems: Partial<Handlers> = {
  // @ts-expect-error a problem says what is wrong
  getTodo: async () => ({ status: 404, problem: {} }),
  // @ts-expect-error a 404 is a problem, not a todo
  replaceTodo: async () => ({ status: 404, body: todo, headers: { ETag: '"1"' } }),
}

export function wrongInput({ path, query, headers, body }: Input<'listTodos'>) {
  const limit: number = query.limit // it has a default, so it is always there
  // @ts-expect-error this one has none
  const cursor: string = query.cursor
  // @ts-expect-error the contract has no such parameter
  const offset = query.offset
  // @ts-expect-error nor any in the path
  const id = path.id
  return { limit, cursor, offset, id, headers, body }
}

export function wrongCreation({ body, headers, link }: Input<'createTodo'>) {
  // @ts-expect-error it may be left out
  const order: number | null = body.order
  // @ts-expect-error the service makes it
  const id = body.id
  // @ts-expect-error this operation has no such header
  const condition = headers['If-Match']
  // @ts-expect-error no operation of the contract has this name
  const url = link('readTodo', { path: { id: todo.id } })
  // @ts-expect-error its path has another parameter
  const other = link('getTodo', { path: { key: todo.id } })
  return { order, id, condition, url, other }
}

/** What the compiler must not refuse. */
export const right: Handlers = {
  ...handlers,
  listTodos: async () => ({ status: 200, body: [todo] }),
  createTodo: async () => ({ status: 201, body: todo, headers: { ETag: '"1"', Location: todo.url } }),
  getTodo: async () => ({ status: 304, headers: { ETag: '"1"' } }),
  deleteTodo: async () => ({ status: 412, problem: { detail: 'The todo has changed.' } }),
}
