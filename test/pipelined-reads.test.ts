/**
 * Reads that share a connection must behave as if they did not: whatever happens to one of them, or to the connection,
 * every other gets its own rows or its own error.
 */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTo, createServer } from 'node:net'
import { after, afterEach, beforeEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { readConfiguration } from '../src/configuration.js'
import { connect, type Database } from '../src/database/connection.js'
import { isUnavailable } from '../src/database/errors.js'
import { LANES, PipelinedReads } from '../src/database/pipelined-reads.js'
import { createDatabase } from './support/cluster.js'

const url = await createDatabase()
const observer = new pg.Client(url)
await observer.connect()
after(() => observer.end())

const limits = { poolSize: 4, connectTimeout: 20_000, statementTimeout: 2_000 }
let database: Database
let reads: PipelinedReads

beforeEach(() => open(url))
afterEach(close)

async function open(to: string): Promise<void> {
  const { database: source } = readConfiguration({ DATABASE_URL: to }, '.')
  if (source.source === 'embedded') throw new Error('The test names its database.')
  database = connect(source.server, limits)
  reads = new PipelinedReads(database, limits.statementTimeout + 1_000)
  await lanes()
}

async function close(): Promise<void> {
  await reads.close()
  await database.$pool.end()
}

const statement = (name: string, text: string, ...values: unknown[]) => ({ name, text, values })
const number = (value: number) => statement('number', 'select $1::integer as value', value)
const backend = () => reads.any<{ pid: number }>(statement('backend', 'select pg_backend_pid() as pid'))

/** Reads until both lanes serve, and nothing is left to the pool; gives the lanes' processes. */
async function lanes(): Promise<number[]> {
  let acquired = 0
  database.$pool.on('acquire', () => {
    acquired += 1
  })
  for (let attempt = 0; attempt < 300; attempt++) {
    acquired = 0
    const both = await Promise.all([backend(), backend()])
    const pids = [...new Set(both.flat().map(({ pid }) => pid))]
    if (pids.length === 2 && acquired === 0) return pids
    await delay(20)
  }
  throw new Error('The lanes do not open.')
}

async function readMany(count: number, also: () => void = () => {}): Promise<void> {
  const pending = Array.from({ length: count }, (_, value) => {
    if (value === Math.floor(count / 2)) also()
    return reads.any<{ value: number }>(number(value))
  })
  const rows = await Promise.all(pending)
  deepEqual(
    rows.map(([row]) => row?.value),
    rows.map((_, value) => value),
  )
}

test('many reads share two connections, and each gets its own rows', async () => {
  const pids = await lanes()
  const used = (await Promise.all(Array.from({ length: 100 }, backend))).flat().map(({ pid }) => pid)
  deepEqual(new Set(used), new Set(pids))
  await readMany(150)
})

test('a read that fails leaves the others alone, and its error shows its own values only', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 150 }, (_, value) => {
      if (value % 3 === 0)
        return reads.any(statement('cast', 'select $1::text::integer as value', `not-${value}-`))
      if (value % 3 === 1) return reads.any(statement(`parse-${value}`, `select missing_${value}`))
      return reads.any(number(value))
    }),
  )
  outcomes.forEach((outcome, value) => {
    if (outcome.status === 'fulfilled') {
      deepEqual([value % 3, outcome.value], [2, [{ value }]])
      return
    }
    const { message } = outcome.reason
    match(message, value % 3 === 0 ? new RegExp(`"not-${value}-"`) : new RegExp(`"missing_${value}"`))
  })
})

test('a statement that cannot be prepared takes no other of its name with it', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, () => reads.any(statement('gone', 'select * from gone'))),
  )
  for (const outcome of outcomes)
    match((outcome as PromiseRejectedResult).reason.message, /"gone" does not exist/)
  await observer.query('create table gone as select 7 as value')
  deepEqual(await reads.any(statement('gone', 'select * from gone')), [{ value: 7 }])
  await observer.query('drop table gone')
})

test('a connection that is lost in the middle costs no read its rows', async () => {
  const pids = await lanes()
  const terminate = () =>
    void observer.query('select pg_terminate_backend(pid) from unnest($1::integer[]) as pid', [pids])
  for (let round = 0; round < 20; round++) await readMany(100, round === 3 ? terminate : undefined)
  const fresh = await lanes()
  ok(
    fresh.every((pid) => !pids.includes(pid)),
    `${fresh} after ${pids}`,
  )
})

test('a prepared statement that a connection can no longer use is prepared anew', async () => {
  await observer.query('create table changing as select 1 as value')
  const read = () => reads.any(statement('changing', 'select * from changing'))
  for (let count = 0; count < 10; count++) deepEqual(await read(), [{ value: 1 }])
  await observer.query('alter table changing add column more integer')
  for (let count = 0; count < 10; count++) deepEqual(await read(), [{ value: 1, more: null }])
  await observer.query('drop table changing')
})

test('a slow read does not hold up the reads that come after it', async () => {
  let slowIsDone = false
  const slow = reads.any(statement('slow', 'select pg_sleep(1)')).then(() => {
    slowIsDone = true
  })
  for (let value = 0; value < 20; value++) deepEqual(await reads.any(number(value)), [{ value }])
  equal(slowIsDone, false)
  await slow
})

test('while a slow read hangs on each connection, the pool takes the reads that come after them', async () => {
  const pids = await lanes()
  const slow = [1, 2].map(() => reads.any(statement('slow', 'select pg_sleep(1.8)')))
  await delay(200) // from 100 ms on it is known that they hang
  const used = (await Promise.all([backend(), backend()])).flat().map(({ pid }) => pid)
  ok(
    used.every((pid) => !pids.includes(pid)),
    `${used} after ${pids}`,
  )
  await Promise.all(slow)
})

/**
 * How many of 60 reads each backend serves, one sent every so many milliseconds; the database takes so many seconds for
 * one.
 */
async function readsOf(seconds: number, interval: number): Promise<Map<number | undefined, number>> {
  const served = new Map<number | undefined, number>()
  const text = 'select pg_backend_pid() as pid, pg_sleep($1)'
  const read = async (_: unknown, index: number) => {
    await delay(interval * index)
    const [row] = await reads.any<{ pid: number }>(statement('sleep', text, seconds))
    served.set(row?.pid, (served.get(row?.pid) ?? 0) + 1)
  }
  await Promise.all(Array.from({ length: 60 }, read))
  return served
}

/**
 * Nearly all: a single answer that this machine was late to read may send a few elsewhere. Where something else keeps the
 * machine busy many are late; then it is tried again, with new connections, which know nothing of it.
 */
async function lanesKeepReads(to: string, interval: number): Promise<void> {
  const kept: number[] = []
  while (kept.length < 10) {
    await close()
    await open(to)
    const pids = await lanes()
    const served = await readsOf(0, interval)
    kept.push(pids.reduce((sum, pid) => sum + (served.get(pid) ?? 0), 0))
    if (Number(kept.at(-1)) > 0.75 * 60) return
  }
  throw new Error(`Of 60 reads the two connections served ${kept.join(', ')}.`)
}

test('where the database takes long for each read, the pool shares in them', async () => {
  await lanesKeepReads(url, 10)
  equal((await readsOf(0.02, 2)).size, LANES + limits.poolSize)
})

test('where only the way to the database is long, the two connections keep all reads', async () => {
  const { hostname, port } = new URL(url)
  const far = createServer((client) => {
    const server = connectTo(Number(port), hostname)
    for (const [from, to] of [[client, server] as const, [server, client] as const]) {
      from.on('error', () => {})
      from.on('data', (bytes) => setTimeout(() => to.write(bytes), 30))
      from.on('close', () => setTimeout(() => to.destroy(), 30))
    }
  })
  far.listen(0, hostname).unref()
  await once(far, 'listening')
  await lanesKeepReads(url.replace(`:${port}/`, `:${(far.address() as AddressInfo).port}/`), 20)
})

test('a read beyond its time is ended, as unavailable, and takes no other with it', async () => {
  const tooLong = reads.any(statement('too-long', 'select pg_sleep(60)'))
  const others = readMany(100)
  await rejects(tooLong, (error) => isUnavailable(error))
  await others
  await readMany(100)
})

test('more reads than the connections take at once go to the pool', async () => {
  const pids = await lanes()
  const used = (await Promise.all(Array.from({ length: 500 }, backend))).flat().map(({ pid }) => pid)
  equal(used.length, 500)
  ok(
    used.some((pid) => !pids.includes(pid)),
    `only ${pids}`,
  )
  ok(
    pids.every((pid) => used.includes(pid)),
    `not all of ${pids}`,
  )
})

test('a transaction on the pool swallows no read', async () => {
  await database
    .tx(async (transaction) => {
      await transaction.none('create table uncommitted (value integer)')
      await rejects(reads.any(statement('uncommitted', 'select * from uncommitted')), /does not exist/)
      throw new Error('back')
    })
    .catch((error: Error) => equal(error.message, 'back'))
})
