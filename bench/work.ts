/** The kinds of work, and what is right as an answer to each: held against what the database has. */
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { cursorAfter, type ListQuery } from '../src/todos/page.js'
import type { Row } from '../src/todos/store.js'
import type { Answer, Exchange } from './load.js'

/** Gives the next exchange with the server at an address. */
export type Next = (url: string) => Exchange

/** The kinds of work by name. A refusal is asked only of those that validate. */
export type Works = ReturnType<typeof worksOf>
export type WorkName = keyof Works

/** As many different todos and pages are asked for. */
const TODOS = 1_000
const PAGES = 10
const PAGE_SIZE = 20

const COLUMNS = 'id, version::text, title, description, deadline, status, "order"'
const STATUSES = ['pending', 'in_progress', 'completed'] as const

/** What the database has of what will be asked for; times are milliseconds since 1970. */
export async function readSamples(client: pg.Client) {
  const read = async (rest: string) =>
    (await client.query<Stored>(`select ${COLUMNS} from todo.todos ${rest}`)).rows
  const known = await read(`where deadline is not null order by md5(id::text) limit ${TODOS}`)
  const changing = await read(`where deadline is null order by id limit 10000`)
  const pages: Page[] = []
  for (const status of STATUSES) {
    const query = `limit=${PAGE_SIZE}&status=${status}&sort=-deadline`
    const order = `order by deadline desc, id desc limit ${PAGE_SIZE}`
    pages.push({ query, page: await read(`where status = '${status}' and deadline is not null ${order}`) })
  }
  const deadlines = await read('where deadline is not null order by deadline, id')
  const deep = Array.from({ length: PAGES }, (_, index) => {
    const begin = Math.floor((deadlines.length * (index + 1)) / (PAGES + 2))
    const before = deadlines[begin - 1] as Stored
    const cursor = cursorAfter({ ...before, deadline: before.deadline?.toISOString() } as Row, DEEP)
    const page = deadlines.slice(begin, begin + PAGE_SIZE)
    return { query: `limit=${PAGE_SIZE}&sort=deadline&cursor=${cursor}`, page }
  })
  return { known, changing, pages, deep }
}

type Stored = Pick<Row, 'id' | 'version' | 'title' | 'description' | 'status' | 'order'> & {
  deadline: Date | null
}

interface Page {
  readonly query: string
  readonly page: Stored[]
}

const DEEP: ListQuery = {
  column: 'deadline',
  descending: false,
  statuses: undefined,
  deadlineBefore: undefined,
  deadlineAfter: undefined,
}

export type Samples = Awaited<ReturnType<typeof readSamples>>

/** The kinds of work on these samples. What is changed is known here alone, so one after the other must use it. */
export function worksOf({ known, changing, pages, deep }: Samples) {
  const checkTexts = textChecker()
  const turn = <Value>(values: readonly Value[]) => {
    let index = 0
    return () => values[index++ % values.length] as Value
  }
  const nextKnown = turn(known)
  const nextUnchanged = turn(known)
  const nextChanging = turn(changing)
  const list = (page: () => Page): Next => {
    return (url) => {
      const { query, page: expected } = page()
      const request = { method: 'GET', path: `/todos?${query}` }
      const isRight = (text: string) => comparePage(expected, JSON.parse(text))
      return {
        request,
        check: (answer) =>
          status(answer, 200) ?? missing(answer, 'link') ?? checkTexts(url, request.path, answer, isRight),
      }
    }
  }
  const get: Next = (url) => {
    const stored = nextKnown()
    const request = { method: 'GET', path: `/todos/${stored.id}` }
    const isRight = (text: string) => compare(stored, JSON.parse(text))
    return {
      request,
      check: (answer) =>
        status(answer, 200) ?? missing(answer, 'etag') ?? checkTexts(url, request.path, answer, isRight),
    }
  }
  const getKnown: Next = () => ({
    request: { method: 'GET', path: `/todos/${nextUnchanged().id}`, headers: { 'if-none-match': '"1"' } },
    check: (answer) =>
      status(answer, 304) ?? missing(answer, 'etag') ?? (answer.text && 'a 304 has no content'),
  })
  const patch: Next = () => change(nextChanging())
  const single = { get, getKnown, list: list(turn(pages)), deep: list(turn(deep)) }
  const works = {
    ...single,
    create: () => create(),
    createOnce: () => create(randomUUID()),
    patch,
    refuse: () => REFUSED,
  }
  const { create: createNext } = works
  const mixed = turn<Next>([
    get,
    getKnown,
    single.list,
    get,
    createNext,
    get,
    single.list,
    get,
    getKnown,
    patch,
  ])
  return { ...works, mix: (url: string) => mixed()(url) }
}

function create(key?: string): Exchange {
  const title = `Water the plants ${randomUUID()}`
  const body = {
    title,
    description: 'The ficus takes half a litre.',
    deadline: '2028-06-01T09:00:00+02:00',
    order: 10,
  }
  const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) }
  const check = (answer: Answer) => {
    const fault = status(answer, 201) ?? missing(answer, 'etag') ?? missing(answer, 'location')
    if (fault) return fault
    const todo = JSON.parse(answer.text)
    if (todo.url !== answer.headers.location) return 'Location is not its url'
    return compare(
      { ...body, id: todo.id, version: '1', status: 'pending', deadline: new Date(body.deadline) },
      todo,
    )
  }
  return { request: { method: 'POST', path: '/todos', headers, body: JSON.stringify(body) }, check }
}

/** Changes a todo if nobody else did since it was read here. */
function change(stored: Stored): Exchange {
  const title = `Changed after version ${stored.version}`
  const headers = { 'content-type': 'application/merge-patch+json', 'if-match': `"${stored.version}"` }
  const check = (answer: Answer) => {
    const fault = status(answer, 200)
    if (fault) return fault
    Object.assign(stored, { title, version: String(Number(stored.version) + 1) })
    if (answer.headers.etag !== `"${stored.version}"`) return 'the entity tag is not that of the next version'
    return compare(stored, JSON.parse(answer.text))
  }
  return {
    request: { method: 'PATCH', path: `/todos/${stored.id}`, headers, body: JSON.stringify({ title }) },
    check,
  }
}

const REFUSED: Exchange = {
  request: {
    method: 'POST',
    path: '/todos',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title: '', colour: 'green' }),
  },
  check(answer) {
    const fault = status(answer, 400) ?? missing(answer, 'content-type', 'application/problem+json')
    if (fault) return fault
    const places = JSON.parse(answer.text).errors.map(({ pointer }: { pointer: string }) => pointer)
    return ['/title', '/colour'].every((place) => places.includes(place)) ? undefined : 'a fault is not named'
  },
}

/** The first answer to each request is read and compared with the database, later ones with the first, to the letter. */
function textChecker() {
  const right = new Map<string, string>()
  return (url: string, path: string, { text }: Answer, isRight: (text: string) => string | undefined) => {
    const known = right.get(url + path)
    if (known !== undefined) return known === text ? undefined : 'it answered otherwise before'
    const fault = isRight(text)
    if (!fault) right.set(url + path, text)
    return fault
  }
}

const status = (answer: Answer, expected: number) =>
  answer.status === expected ? undefined : `${expected} was expected`

const missing = ({ headers }: Answer, name: string, value = '') =>
  String(headers[name] ?? '').includes(value) && headers[name] ? undefined : `${name} is missing`

function comparePage(expected: readonly Stored[], todos: Todo[]): string | undefined {
  if (todos.length !== expected.length) return `it has ${todos.length} todos, not ${expected.length}`
  return expected.map((stored, index) => compare(stored, todos[index] as Todo)).find((fault) => fault)
}

type Todo = Record<string, unknown>

function compare({ version: _version, deadline, ...stored }: Stored, todo: Todo): string | undefined {
  const isCompleted = stored.status === 'completed'
  const expected: Todo = { ...stored, deadline: deadline?.toISOString() ?? null, completed: isCompleted }
  const wrong = Object.keys(expected).find((name) => expected[name] !== todo[name])
  if (wrong) return `${wrong} is not ${JSON.stringify(expected[wrong])}`
  const { url, createdAt, updatedAt } = todo
  if (!String(url).endsWith(`/todos/${stored.id}`)) return 'url does not lead to it'
  return [createdAt, updatedAt].every((time) => INSTANT.test(String(time)))
    ? undefined
    : 'a time is not in UTC'
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
