import createClient, { type Client, type ClientOptions } from 'openapi-fetch'
import type { operations, Problem, paths, TodoPage } from '../generated/contract.js'

export type * from '../generated/contract.js'

type ListQuery = NonNullable<operations['listTodos']['parameters']['query']>

/** A page, or the problem that came instead of it. */
export type ListAnswer = { readonly response: Response } & (
  | { readonly data: TodoPage; readonly error?: never }
  | { readonly data?: never; readonly error: Problem }
)

/** Calls every operation of the contract by its method and path; parameters, bodies and problems have its types. */
export interface TodoClient extends Client<paths> {
  /**
   * Reads a list page by page, following the `next` links, until there is none or an answer is a problem.
   *
   * @param query sort, filters and the size of a page
   */
  pages(query?: ListQuery): AsyncGenerator<ListAnswer, void>
}

/**
 * A client of the Todo API.
 *
 * @param baseUrl where the service is, for example `http://localhost:3000`
 * @param options what openapi-fetch takes besides: headers for each request, another `fetch`
 */
export function createTodoClient(baseUrl: string, options: Omit<ClientOptions, 'baseUrl'> = {}): TodoClient {
  const client = createClient<paths>({ ...options, baseUrl })
  return Object.assign(client, {
    async *pages(query: ListQuery = {}) {
      for (let page: ListQuery | undefined = query; page; ) {
        const answer: ListAnswer = await client.GET('/todos', { params: { query: page } })
        yield answer
        const cursor = nextCursor(answer.response)
        page = cursor === undefined ? undefined : { ...query, cursor }
      }
    },
  })
}

/** The cursor of the link with the relation `next` (RFC 8288), as this service writes it. */
function nextCursor({ headers }: Response): string | undefined {
  const next = /<([^>]*)>; rel="next"/.exec(headers.get('Link') ?? '')?.[1]
  return next === undefined ? undefined : (new URL(next).searchParams.get('cursor') ?? undefined)
}
