import type { TodoStatus } from '../../generated/contract.js'
import type { Database } from '../database/connection.js'
import type { PipelinedReads } from '../database/pipelined-reads.js'
import type { Versions } from './entity-tags.js'
import { listStatement } from './list.js'
import type { ListQuery, Position } from './page.js'

/** What a client can say of a todo. */
export interface Content {
  readonly title: string
  readonly description: string | null
  readonly deadline: string | null
  readonly status: TodoStatus
  readonly order: number | null
}

/** A stored todo. Times are UTC with milliseconds, as text; the version is a whole number, as text. */
export interface Row extends Content {
  readonly id: string
  readonly version: string
  readonly createdAt: string
  readonly updatedAt: string
}

/** What changes; an absent field stays. `reopen` turns `completed` into `pending` and leaves other statuses alone. */
export interface Changes extends Partial<Content> {
  readonly reopen: boolean
}

/** The first answer to a request that carried an idempotency key. */
export interface Remembered {
  readonly key: string
  /** The request's JSON value, as text. */
  readonly request: string
  readonly reply: string
}

interface Known {
  /** Whether the request is the same JSON value. */
  readonly same: boolean
  readonly reply: string
}

/** Why a conditional write changed nothing. */
export type Refused = 'missing' | 'changed'

export const COLUMNS =
  'id, version, title, description, deadline, status, "order", created_at as "createdAt", updated_at as "updatedAt"'

/** Null admits every version. */
const ADMITTED = '($2::bigint[] is null or version = any($2::bigint[]))'

/** The database's clock, which all instances share; it never makes a todo older than it was. */
const NOW = "greatest(date_trunc('milliseconds', clock_timestamp()), updated_at)"

const SQL = {
  find: `select ${COLUMNS} from todo.todos where id = $1`,
  exists: 'select from todo.todos where id = $1',
  create: `insert into todo.todos (id, title, description, deadline, status, "order", updated_at)
    values ($1, $2, $3, $4, $5, $6, $7)`,
  // One statement, so that key and todo are stored together or not at all. A second request with the same key waits
  // for the first here, and then inserts nothing.
  createOnce: `with claimed as (
      insert into todo.idempotency_keys as known (key, request, reply, expires_at)
      values ($8, $9::jsonb, $10, now() + interval '24 hours')
      on conflict (key) do update
        set request = excluded.request, reply = excluded.reply, expires_at = excluded.expires_at
        where known.expires_at <= now()
      returning key
    )
    insert into todo.todos (id, title, description, deadline, status, "order", updated_at)
    select $1::uuid, $2::text, $3::text, $4::timestamptz, $5::text, $6::integer, $7::timestamptz from claimed
    returning id`,
  recall:
    'select request = $2::jsonb as same, reply from todo.idempotency_keys where key = $1 and expires_at > now()',
  forget: 'delete from todo.idempotency_keys where expires_at <= now()',
  replace: `update todo.todos
    set title = $3, description = $4, deadline = $5, status = $6, "order" = $7, version = version + 1, updated_at = ${NOW}
    where id = $1 and ${ADMITTED} returning ${COLUMNS}`,
  update: `update todo.todos
    set title = coalesce($3, title),
      description = case when $4 then $5 else description end,
      deadline = case when $6 then $7 else deadline end,
      "order" = case when $8 then $9 else "order" end,
      status = case when $10::text is not null then $10 when $11 and status = 'completed' then 'pending' else status end,
      version = version + 1, updated_at = ${NOW}
    where id = $1 and ${ADMITTED} returning ${COLUMNS}`,
  delete: `delete from todo.todos where id = $1 and ${ADMITTED} returning id`,
  deleteAll: 'delete from todo.todos where $1::text is null or status = $1',
} as const

const statement = (name: keyof typeof SQL, values: unknown[]) => ({ name, text: SQL[name], values })

const admitted = (versions: Versions | undefined) =>
  versions === undefined || versions === 'any' ? null : versions

export type Store = ReturnType<typeof createStore>

/**
 * The todos in PostgreSQL. Every write is one statement; all statements are prepared once a connection. What may take a
 * second statement asks when the request's time began, by `performance.now()`: both have that time together.
 */
export function createStore(database: Database, reads: PipelinedReads) {
  /**
   * The first row. On pg-promise's pool, past its layer, which gives a connection back a moment later: long enough for
   * PostgreSQL to fall asleep before the next statement. Waking it costs a twelfth of what a create costs the service.
   */
  const first = async <Result extends object>(name: keyof typeof SQL, values: unknown[], begun?: number) =>
    (await database.$pool.rows<Result>(statement(name, values), begun))[0]

  /** Tells the two reasons apart only when nothing was written: a todo that is missing has no entity tag to compare. */
  const change = async <Result extends object>(
    name: 'replace' | 'update' | 'delete',
    begun: number,
    id: string,
    ...values: unknown[]
  ): Promise<Result | Refused> => {
    const row = await first<Result>(name, [id, ...values], begun)
    return row ?? ((await first('exists', [id], begun)) ? 'changed' : 'missing')
  }

  return {
    async find(id: string): Promise<Row | undefined> {
      const [row] = await reads.any<Row>(statement('find', [id]))
      return row
    },

    /** The todos of one page, and whether there are more. */
    async list(query: ListQuery, position: Position | undefined, limit: number) {
      if (query.statuses?.length === 0) return { rows: [], more: false }
      const page = listStatement(query, position, limit)
      // Without a deadline to look for, a page is short however many todos there are; with one, it may search for long.
      const bounded = query.deadlineBefore === undefined && query.deadlineAfter === undefined
      const rows = await (bounded ? reads.any<Row>(page) : database.any<Row>(page))
      return { rows: rows.slice(0, limit), more: rows.length > limit }
    },

    create: (row: Row) => first('create', created(row)),

    /** Creates a todo unless the key is known, and then returns what is known of it. */
    async createOnce(row: Row, remembered: Remembered, begun: number): Promise<Known | undefined> {
      const { key, request, reply } = remembered
      const inserted = await first('createOnce', [...created(row), key, request, reply], begun)
      if (inserted) return undefined
      const known = await first<Known>('recall', [key, request], begun)
      return known ?? this.createOnce(row, remembered, begun) // it expired between the two statements
    },

    /** Deletes the idempotency keys whose time is over. */
    forgetExpiredKeys: () => database.none(statement('forget', [])),

    replace(id: string, content: Content, versions: Versions | undefined, begun: number) {
      const { title, description, deadline, status, order } = content
      return change<Row>(
        'replace',
        begun,
        id,
        admitted(versions),
        title,
        description,
        deadline,
        status,
        order,
      )
    },

    update(id: string, changes: Changes, versions: Versions | undefined, begun: number) {
      const { title, description, deadline, status, order, reopen } = changes
      const optional = [description, deadline, order].flatMap((value) => [value !== undefined, value ?? null])
      const values = [title ?? null, ...optional, status ?? null, reopen]
      return change<Row>('update', begun, id, admitted(versions), ...values)
    },

    async delete(id: string, versions: Versions | undefined, begun: number): Promise<'deleted' | Refused> {
      const outcome = await change('delete', begun, id, admitted(versions))
      return typeof outcome === 'string' ? outcome : 'deleted'
    },

    /** Deletes every todo, or every one of a status. */
    deleteAll: (status: TodoStatus | undefined) => database.none(statement('deleteAll', [status ?? null])),
  }
}

function created({ id, title, description, deadline, status, order, updatedAt }: Row): unknown[] {
  return [id, title, description, deadline, status, order, updatedAt]
}
