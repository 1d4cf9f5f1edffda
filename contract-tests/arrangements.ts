import { randomInt, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { NewTodo, Todo } from '../generated/contract.js'
import type { Api, Stored } from './api.js'
import type { Answer } from './conformance.js'
import type { Exchange } from './exchanges.js'

/** The request that Dredd made of the contract's examples, to be changed into the one that leads to the status. */
export interface Draft {
  /** Stands in the path, where the path has an id. */
  id: string
  query: URLSearchParams
  headers: Record<string, string>
  body: Record<string, unknown> | undefined
}

/** Looks, once the documented answer is there, whether it is true: nothing, or a line for each fault. */
export type Check = (answer: Answer) => Promise<string[]>

type Arrange = (draft: Draft, api: Api, status: number) => Promise<Check>

/** What a service needs around it to give an answer. */
export type Surroundings = 'sound' | 'broken' | 'stopped'

/** `500` needs a database whose tables are gone, `503` one that does not run. */
export function surroundingsOf({ status }: Exchange): Surroundings {
  return status === 503 ? 'stopped' : status === 500 ? 'broken' : 'sound'
}

/** A body is too large beyond 100 kB, as the contract says. */
const tooLarge = 100 * 1024 + 1

const nothing: Check = async () => []

/**
 * Brings about the state in which the request leads to the exchange's status, and changes the request to do so.
 *
 * Rejects when nobody has said how: then this file must be completed.
 */
export async function arrange(exchange: Exchange, draft: Draft, api: Api): Promise<Check> {
  const { operation, status } = exchange
  draft.query.delete('cursor') // the example is no cursor of this service
  if ('Idempotency-Key' in draft.headers) draft.headers['Idempotency-Key'] = randomUUID()
  if (surroundingsOf(exchange) !== 'sound') return nothing
  const particular = status < 400 ? successes[operation.operationId] : undefined
  if (particular) return particular(draft, api, status)
  const refuse = refusals[status]
  if (!refuse) throw new Error(`contract-tests/arrangements.ts does not say what leads to ${exchange.name}`)
  if (!operation.path.includes('{id}')) return refuse(draft, api, status)
  const { todo } = await api.create(example)
  Object.assign(draft, { id: todo.id })
  return unchanged(await refuse(draft, api, status), todo.id, api)
}

const example: NewTodo = { title: 'Of the contract tests', deadline: '2030-06-01T07:00:00.000Z' }

/** Whatever is refused changes nothing. */
async function unchanged(check: Check, id: string, api: Api): Promise<Check> {
  const before = await api.read(id)
  return async (answer) => {
    const same = isDeepStrictEqual(await api.read(id), before)
    return [...(await check(answer)), ...(same ? [] : ['the todo was changed'])]
  }
}

/** What leads to the errors, the same for every operation. */
const refusals: Record<number, Arrange> = {
  async 400(draft) {
    if (draft.body) draft.body = { ...draft.body, surprise: true }
    else draft.query.set('surprise', 'true')
    return nothing
  },
  async 404(draft) {
    draft.id = randomUUID()
    return nothing
  },
  async 412(draft, api) {
    await api.update(draft.id, { title: 'Changed by somebody who was faster' })
    return nothing
  },
  async 413(draft) {
    draft.body = { ...draft.body, description: 'x'.repeat(tooLarge) }
    return nothing
  },
  async 415(draft) {
    draft.headers['Content-Type'] += '; charset=utf-16'
    return nothing
  },
  async 422(draft, api) {
    const key = draft.headers['Idempotency-Key']
    if (key === undefined) draft.body = { ...draft.body, status: 'completed', completed: false }
    else await api.create(example, { 'Idempotency-Key': key })
    return nothing
  },
}

/** What leads to success, and what must then be true, for each operation. */
const successes: Record<string, Arrange> = {
  async listTodos(draft, api) {
    // Nobody else has a todo for this moment, so that the list has exactly these two.
    const moment = randomInt(Date.UTC(2100, 0), Date.UTC(2200, 0))
    const at = (offset: number) => new Date(moment + offset).toISOString()
    const first = await api.create({ title: 'First', deadline: at(0) })
    const second = await api.create({ title: 'Second', deadline: at(0) })
    draft.query.set('limit', '1')
    draft.query.set('deadlineAfter', at(-1))
    draft.query.set('deadlineBefore', at(1))
    return async ({ body, headers }) => {
      const [, next = ''] = /^<([^>]+)>/.exec(headers.link ?? '') ?? []
      if (!isDeepStrictEqual(JSON.parse(body), [first.todo])) return ['the page is not the first todo']
      const following = await api.page(next)
      const isSecond = isDeepStrictEqual(JSON.parse(following.body), [second.todo])
      return isSecond && following.headers.link === undefined ? [] : ['the next page is not the last todo']
    }
  },

  async createTodo(draft, api) {
    return async (answer) => {
      const { todo, tag } = storedIn(answer)
      const located = answer.headers.location === todo.url ? [] : ['Location is not the url of the todo']
      return [...located, ...contentFaults(draft, todo), ...(await storedFaults({ todo, tag }, api))]
    }
  },

  async deleteTodos(_draft, api) {
    const open = await api.create(example)
    const done = await api.create({ ...example, completed: true })
    return async () => {
      const kept = (await api.read(open.todo.id)) ? [] : ['a todo that is not completed was deleted']
      return (await api.read(done.todo.id)) ? [...kept, 'a completed todo is still there'] : kept
    }
  },

  async getTodo(draft, api, status) {
    const created = await api.create(example)
    const changed = await api.update(created.todo.id, { title: 'Changed' })
    draft.id = created.todo.id
    if (status === 304) draft.headers['If-None-Match'] = changed.tag
    const fresh = created.tag === changed.tag ? ['the entity tag did not change with the todo'] : []
    return async (answer) => {
      const sameTag = answer.headers.etag === changed.tag ? [] : ['ETag is not that of the last change']
      if (answer.status === 304) return [...fresh, ...sameTag]
      const same = isDeepStrictEqual(JSON.parse(answer.body), changed.todo)
      return [...fresh, ...sameTag, ...(same ? [] : ['the todo is not as it was changed'])]
    }
  },

  replaceTodo: write,
  updateTodo: write,

  async deleteTodo(draft, api) {
    const { todo } = await api.create(example)
    draft.id = todo.id
    return async () => ((await api.read(todo.id)) ? ['the todo is still there'] : [])
  },

  getLiveness: async () => nothing,
  getReadiness: async () => nothing,
}

/** A write with the tag of the todo: it is done, and the tag is another one. */
async function write(draft: Draft, api: Api): Promise<Check> {
  const before = await api.create(example)
  Object.assign(draft, { id: before.todo.id, body: { ...draft.body, title: 'Written' } })
  draft.headers['If-Match'] = before.tag
  return async (answer) => {
    const { todo, tag } = storedIn(answer)
    const fresh = tag === before.tag ? ['the entity tag did not change with the todo'] : []
    return [...fresh, ...contentFaults(draft, todo), ...(await storedFaults({ todo, tag }, api))]
  }
}

const storedIn = ({ body, headers }: Answer): Stored => ({
  todo: JSON.parse(body) as Todo,
  tag: headers.etag ?? '',
})

/** Every field that was sent comes back; a deadline in UTC. */
function contentFaults({ body = {} }: Draft, todo: Todo): string[] {
  return Object.entries(body)
    .filter(([field, sent]) => {
      const value = todo[field as keyof Todo]
      return field === 'deadline' ? Date.parse(String(sent)) !== Date.parse(String(value)) : sent !== value
    })
    .map(([field]) => `${field} is not as it was sent`)
}

async function storedFaults(answered: Stored, api: Api): Promise<string[]> {
  const found = await api.read(answered.todo.id)
  return isDeepStrictEqual(found, answered) ? [] : ['the todo that is stored is not the one in the answer']
}
