import type { Todo, Violation } from '../../generated/contract.js'
import type { Handlers, Input, Link, ProblemDetails } from '../contract/types.js'
import { changesOf, contentOf, newRow, type Unusable } from './content.js'
import { admits, entityTag, type Versions, versionsIn } from './entity-tags.js'
import { cursorAfter, listQueryOf, positionOf } from './page.js'
import type { Refused, Row, Store } from './store.js'

/** What the handlers need to know of the service's health. Rejects when the database does not answer. */
export interface Health {
  readonly isStopping: () => boolean
  readonly isReady: () => Promise<boolean>
}

/** One handler for each operation of the contract: values in, values out. */
export function createHandlers(store: Store, health: Health): Handlers {
  return {
    async listTodos({ query, link }) {
      const list = listQueryOf(query)
      if ('detail' in list) return badRequest(list)
      const position = query.cursor === undefined ? undefined : positionOf(query.cursor, list)
      if (position && 'detail' in position) return badRequest(position)
      const { rows, more } = await store.list(list, position, query.limit)
      const body = rows.map((row) => present(row, link))
      const last = rows.at(-1)
      if (!more || !last) return { status: 200, body }
      const next = link('listTodos', { query: { ...query, cursor: cursorAfter(last, list) } })
      return { status: 200, body, headers: { Link: `<${next}>; rel="next"` } }
    },

    async createTodo({ body, headers, link, begun }) {
      const content = contentOf(body)
      if ('detail' in content) return unusable(content)
      const row = newRow(content)
      const todo = present(row, link)
      const reply = { body: todo, headers: { ETag: entityTag(row.version), Location: todo.url } }
      const key = headers['Idempotency-Key']
      if (key === undefined) {
        await store.create(row)
        return { status: 201, ...reply }
      }
      const remembered = { key, request: JSON.stringify(body), reply: JSON.stringify(reply) }
      const known = await store.createOnce(row, remembered, begun)
      if (known?.same === false) return { status: 422, problem: KEY_REUSED }
      return { status: 201, ...(known ? (JSON.parse(known.reply) as typeof reply) : reply) }
    },

    async deleteTodos({ query }) {
      await store.deleteAll(query.completed ? 'completed' : undefined)
      return { status: 204 }
    },

    async getTodo({ path, headers, link }) {
      const row = await store.find(path.id)
      if (!row) return missing(path.id)
      const known = headers['If-None-Match']
      const tag = { ETag: entityTag(row.version) }
      if (known !== undefined && admits(versionsIn(known, 'weak'), row.version))
        return { status: 304, headers: tag }
      return { status: 200, body: present(row, link), headers: tag }
    },

    async replaceTodo({ path, headers, body, link, begun }) {
      const content = contentOf(body)
      if ('detail' in content) return unusable(content)
      return answer(await store.replace(path.id, content, admitted(headers), begun), path.id, link)
    },

    async updateTodo({ path, headers, body, link, begun }) {
      const changes = changesOf(body)
      if ('detail' in changes) return unusable(changes)
      const versions = admitted(headers)
      if (Object.keys(body).length > 0)
        return answer(await store.update(path.id, changes, versions, begun), path.id, link)
      const row = await store.find(path.id)
      if (row && !admits(versions, row.version)) return changed()
      return answer(row ?? 'missing', path.id, link)
    },

    async deleteTodo({ path, headers, begun }) {
      const outcome = await store.delete(path.id, admitted(headers), begun)
      if (outcome === 'missing') return missing(path.id)
      return outcome === 'changed' ? changed() : { status: 204 }
    },

    async getLiveness() {
      return { status: 200, body: { status: 'healthy' } }
    },

    async getReadiness() {
      if (health.isStopping()) return { status: 503, problem: { detail: 'The service is stopping.' } }
      if (await health.isReady()) return { status: 200, body: { status: 'healthy' } }
      return {
        status: 503,
        problem: { detail: 'The database lacks this version of the schema.' },
      }
    },
  }
}

const KEY_REUSED: ProblemDetails = {
  type: 'urn:problem-type:todo:idempotency-key-reused',
  detail: 'An earlier request had this Idempotency-Key and another body. Nothing was created; use a new key.',
  errors: [{ header: 'Idempotency-Key', detail: 'was used with another body' }],
}

/** `400` for a value that has the contract's form and still cannot be used. */
function badRequest(fault: Violation) {
  return { status: 400, problem: { detail: 'The request has 1 fault.', errors: [fault] } } as const
}

function missing(id: string) {
  return { status: 404, problem: { detail: `There is no todo ${id}.` } } as const
}

function changed() {
  const detail = 'The todo has changed since; its entity tag is none of those in If-Match.'
  return { status: 412, problem: { detail } } as const
}

function answer(outcome: Row | Refused, id: string, link: Link) {
  if (outcome === 'missing') return missing(id)
  if (outcome === 'changed') return changed()
  return { status: 200, body: present(outcome, link), headers: { ETag: entityTag(outcome.version) } } as const
}

/** A `422` for contradictory fields, a `400` for a value out of range. */
function unusable({ contradiction, ...fault }: Unusable) {
  if (!contradiction) return badRequest(fault)
  const detail = 'The fields status and completed contradict each other.'
  return { status: 422, problem: { detail, errors: [fault] } } as const
}

function admitted(headers: Input<'updateTodo'>['headers']): Versions | undefined {
  const header = headers['If-Match']
  return header === undefined ? undefined : versionsIn(header, 'strong')
}

function present(row: Row, link: Link): Todo {
  const { id, title, description, deadline, status, order, createdAt, updatedAt } = row
  const url = link('getTodo', { path: { id } })
  return {
    id,
    title,
    description,
    deadline,
    status,
    completed: status === 'completed',
    order,
    url,
    createdAt,
    updatedAt,
  }
}
