import type { NewTodo, Todo, TodoPatch } from '../generated/contract.js'
import type { Answer } from './conformance.js'

/** A todo and its entity tag. */
export interface Stored {
  readonly todo: Todo
  readonly tag: string
}

/** The service as its clients use it: with what the tests arrange a state, and look at what came of it. */
export interface Api {
  create(content: NewTodo, headers?: Record<string, string>): Promise<Stored>
  update(id: string, changes: TodoPatch): Promise<Stored>
  /** Undefined when there is no such todo. */
  read(id: string): Promise<Stored | undefined>
  /** The page that a link of the service leads to; of the link only the query is used. */
  page(link: string): Promise<Answer>
}

/** Rejects, naming request and answer, when the service does not do as it was asked. */
export function apiAt(origin: string): Api {
  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const content = body === undefined ? {} : { 'Content-Type': 'application/json' }
    return fetch(`${origin}${path}`, {
      method,
      headers: { ...content, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }
  async function stored(response: Response): Promise<Stored> {
    const text = await response.text()
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`)
    return { todo: JSON.parse(text) as Todo, tag: response.headers.get('ETag') ?? '' }
  }
  return {
    create: async (content, headers) => stored(await send('POST', '/todos', content, headers)),
    update: async (id, changes) => stored(await send('PATCH', `/todos/${id}`, changes)),
    async read(id) {
      const response = await send('GET', `/todos/${id}`)
      if (response.status === 404) return undefined
      return stored(response)
    },
    async page(link) {
      const response = await send('GET', `/todos${new URL(link).search}`)
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.text(),
      }
    },
  }
}
