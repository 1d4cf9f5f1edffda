/** One PostgreSQL for all that is measured, and the todos in it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { type Cluster, createDatabase, startCluster } from '../test/support/cluster.js'

export interface Database {
  readonly url: string
  readonly cluster: Cluster
  readonly client: pg.Client
  /** Of the server; all its other processes are its children. */
  readonly processId: number
  readonly version: string
}

/**
 * The embedded PostgreSQL with an empty database. Nothing it does by itself falls into a measurement, and no disk is
 * waited for: without that, creates would measure the disk, and all servers would be alike.
 */
export async function startDatabase(): Promise<Database> {
  const cluster = await startCluster({
    autovacuum: 'off',
    checkpoint_timeout: '1d',
    max_wal_size: '16GB',
    shared_buffers: '512MB',
    maintenance_work_mem: '1GB',
    wal_level: 'minimal',
    max_wal_senders: '0',
  })
  const url = await createDatabase('template0', cluster)
  const client = new pg.Client(url)
  await client.connect()
  const [processId] = (await readFile(join(cluster.dataDirectory, 'postmaster.pid'), 'utf8')).split('\n')
  const { rows } = await client.query('select current_setting($1) as version', ['server_version'])
  return { url, cluster, client, processId: Number(processId), version: rows[0].version }
}

export async function stopDatabase({ client, cluster }: Database): Promise<void> {
  await client.end()
  await cluster.remove()
}

/**
 * Todos by number, always the same: one a second since 2023-11-14; the older half completed, one of seven others in
 * progress; one of ten without a deadline, the others with deadlines and orders in no order of creation. The planner
 * expects every status everywhere, so a statement that lets it walk the old todos in search of an open one is found out.
 */
const SEED = `
  insert into todo.todos (id, title, description, deadline, status, "order", updated_at)
  select
    id, 'Todo number ' || n,
    case when n % 3 > 0 then repeat('What there is to say of it. ', 1 + n % 4) end,
    case when n % 10 > 0 then timestamptz '2030-01-01Z' + scatter % 100000000 * interval '0.5 s' end,
    case when n <= 0.5 * $2 then 'completed' when n % 7 = 0 then 'in_progress' else 'pending' end,
    case when n % 5 > 0 then scatter % 1000000 end,
    to_timestamp(1700000000 + n)
  from generate_series($1::integer, $2::integer) as n,
    lateral (select md5(n::text) as hash) as hashed,
    lateral (
      select
        ('x' || substr(hash, 1, 7))::bit(28)::integer as scatter,
        (
          regexp_replace(lpad(to_hex((1700000000 + n)::bigint * 1000), 12, '0'), '(.{8})', '\\1-')
          || '-7' || substr(hash, 1, 3) || '-8' || substr(hash, 4, 3) || '-' || substr(hash, 7, 12)
        )::uuid as id
    ) as made`

/** Fills the empty table: without indexes, which are made afterwards, ten million rows take minutes and not an hour. */
export async function seed(client: pg.Client, count: number): Promise<void> {
  const { rows: indexes } = await client.query(
    "select indexname, indexdef from pg_indexes where schemaname = 'todo' and tablename = 'todos' and indexname <> 'todos_pkey'",
  )
  await client.query('truncate todo.todos, todo.idempotency_keys')
  for (const { indexname } of indexes) await client.query(`drop index todo.${indexname}`)
  await client.query(SEED, [1, count])
  for (const { indexdef } of indexes) await client.query(indexdef)
  await client.query('vacuum (freeze, analyze) todo.todos')
}

/** Takes away what was created since the seed, and the dead rows that changes left; gives how many were created. */
export async function tidy(client: pg.Client): Promise<number> {
  const { rowCount } = await client.query("delete from todo.todos where created_at > '2026-01-01Z'")
  await client.query('truncate todo.idempotency_keys')
  await client.query('vacuum todo.todos')
  return rowCount ?? 0
}
