import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { lstat, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import pg from 'pg'
import { serverUser } from '../src/database/postgres-binaries.js'
import { atEnd } from './support/cleanup.js'
import { giveToServer } from './support/cluster.js'
import { makeFolder } from './support/folders.js'
import { type Service, startFailing, startService, waitUntil } from './support/service.js'
import { createTodo, listTitles } from './support/todos.js'

const isRoot = serverUser.uid !== undefined
const isLinux = process.platform === 'linux'

/** One service for the tests that leave it running as they found it. */
let dataDirectory: string
let service: Service

before(async () => {
  dataDirectory = join(await makeFolder(), 'data')
  service = await startService({ DATA_DIRECTORY: dataDirectory })
})

test('the first start makes a database and says so', () => {
  assert.match(JSON.stringify(service.logs), /Creating a PostgreSQL 18 database in .*\/data/)
})

test('the database is UTF-8, sorts by code point, and writes to disk what it acknowledges', async () => {
  const client = await connectTo(dataDirectory)
  const { rows } = await client.query(`
    select current_setting('server_encoding') encoding, datcollate, current_setting('fsync') fsync,
      current_setting('synchronous_commit') commit, current_setting('full_page_writes') pages
    from pg_database where datname = current_database()`)
  await client.end()
  assert.deepEqual(rows, [{ encoding: 'UTF8', datcollate: 'C', fsync: 'on', commit: 'on', pages: 'on' }])
})

test('nobody else on the machine can connect', { skip: process.platform === 'win32' }, async () => {
  assert.equal((await stat(join(dataDirectory, 'postgresql'))).mode & 0o777, 0o700)
  const client = await connectTo(dataDirectory)
  const { rows } = await client.query('show listen_addresses')
  await client.end()
  assert.deepEqual(rows, [{ listen_addresses: '' }])
  await assert.rejects(connectTo(dataDirectory, 'a guess'), { code: '28P01' })
})

test('another user cannot reach the socket', { skip: !isRoot }, async () => {
  const socket = join(dataDirectory, 'postgresql/.s.PGSQL.5432')
  assert.ok((await lstat(socket)).isSocket())
  const code = `require('net').connect(${JSON.stringify(socket)}).on('error', (error) => console.log(error.code))`
  const child = spawn(process.execPath, ['-e', code], { uid: 12345, gid: 12345, cwd: '/' })
  const [output] = await once(child.stdout, 'data')
  assert.equal(String(output).trim(), 'EACCES')
})

test('the server is in a process group of its own, out of reach of Ctrl-C', { skip: !isLinux }, async () => {
  const server = await serverProcessId(dataDirectory)
  assert.equal(await processGroup(server), server)
  assert.notEqual(await processGroup(service.process.pid), server)
})

test('a second service on the same directory is refused and the first goes on', async () => {
  await createTodo(service, 'mine')
  const { exitCode, output } = await startFailing({ DATA_DIRECTORY: dataDirectory })
  assert.equal(exitCode, 1)
  assert.match(output, /^DATA_DIRECTORY .* is in use by another service: .+$/m)
  assert.deepEqual(await listTitles(service), ['mine'])
})

test('SIGTERM stops the server too, and the next start finds what was in it', async () => {
  const server = await serverProcessId(dataDirectory)
  assert.equal(await service.stop(), 0)
  assert.equal(isAlive(server), false)
  assert.equal(existsSync(join(dataDirectory, 'postgresql/postmaster.pid')), false)

  service.logs.length = 0
  await service.restart()
  assert.doesNotMatch(JSON.stringify(service.logs), /Creating/)
  assert.deepEqual(await listTitles(service), ['mine'])
})

test('connections that the server ends before it reads their goodbye do no harm', {
  skip: !isLinux,
}, async () => {
  await Promise.all(Array.from({ length: 20 }, () => createTodo(service, 'one of many')))
  const client = await connectTo(dataDirectory)
  const { rows } = await client.query(
    `select pid from pg_stat_activity where query ilike '%insert into todo.todos%' and pid <> pg_backend_pid()`,
  )
  await client.query(`delete from todo.todos where title = 'one of many'`)
  await client.end()
  assert.ok(rows.length > 1)
  for (const { pid } of rows) process.kill(pid, 'SIGSTOP')
  const stopped = service.stop()
  const status = () => readFile(join(dataDirectory, 'postgresql/postmaster.pid'), 'utf8')
  await waitUntil('the server is stopping', async () => (await status()).includes('stopping'))
  for (const { pid } of rows) process.kill(pid, 'SIGCONT')
  assert.equal(await stopped, 0, JSON.stringify(service.logs.slice(-100)))
  await service.restart()
})

test('after kill -9 the next start stops the server that was left running and has every todo', async () => {
  await createTodo(service, 'just before the kill')
  const server = await serverProcessId(dataDirectory)
  await service.kill()
  assert.equal(isAlive(server), true)

  await service.restart()
  assert.match(JSON.stringify(service.logs), /killed service left running/)
  await waitUntil('the server that was left running is gone', () => !isAlive(server))
  assert.deepEqual(await listTitles(service), ['mine', 'just before the kill'])
})

test('when service and server are both killed, the next start has every todo', async () => {
  await createTodo(service, 'just before both')
  const server = await serverProcessId(dataDirectory)
  await service.kill()
  process.kill(server, 'SIGKILL')
  await waitUntil('the server is gone', () => !isAlive(server))

  await service.restart()
  assert.deepEqual(await listTitles(service), ['mine', 'just before the kill', 'just before both'])
})

test('when the server ends by itself the service says so and ends', async () => {
  process.kill(await serverProcessId(dataDirectory), 'SIGKILL')
  await waitUntil('the service ends', () => service.process.exitCode !== null)
  assert.equal(service.process.exitCode, 1)
  assert.match(JSON.stringify(service.logs), /The embedded PostgreSQL ended by itself: SIGKILL/)
  await service.restart()
})

test('a lock whose process id has passed to another process of the same user is stale', {
  skip: !isLinux,
}, async () => {
  const files = ['postmaster.pid', '.s.PGSQL.5432.lock'].map((name) =>
    join(dataDirectory, 'postgresql', name),
  )
  const locks = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  await service.stop()
  const stranger = spawn('sleep', ['600'], { ...serverUser, stdio: 'ignore' })
  atEnd(async () => stranger.kill())
  for (const [index, file] of files.entries()) {
    await writeFile(file, String(locks[index]).replace(/^\d+/, String(stranger.pid)), { mode: 0o600 })
    await giveToServer(file)
  }
  await service.restart()
})

test('of two first starts at once exactly one serves', async () => {
  const folder = join(await makeFolder(), 'data')
  const starts = await Promise.allSettled([1, 2].map(() => startService({ DATA_DIRECTORY: folder })))
  const [served, ...others] = starts.filter((start) => start.status === 'fulfilled')
  assert.ok(served && others.length === 0)
  await createTodo(served.value, 'one database')
  assert.deepEqual(await listTitles(served.value), ['one database'])
  assert.deepEqual(await readdir(folder), ['postgresql'])
})

test('a first start that was killed half-way is begun anew', async () => {
  const folder = await makeFolder()
  const findUnfinished = async () => (await readdir(folder)).filter((name) => name.startsWith('unfinished-'))
  const starting = startService({ DATA_DIRECTORY: folder })
  starting.catch(() => {}) // it is looked at below, when the kill had time to make it fail
  await waitUntil('the first start is under way', async () => (await findUnfinished()).length > 0)
  process.kill(Number((await findUnfinished())[0]?.split('-')[1]), 'SIGKILL')
  await assert.rejects(starting)
  assert.equal((await findUnfinished()).length, 1)

  await startService({ DATA_DIRECTORY: folder })
  assert.deepEqual(await readdir(folder), ['postgresql'])
})

/** Connects as the service does. */
async function connectTo(dataDirectory: string, password?: string): Promise<pg.Client> {
  const cluster = join(dataDirectory, 'postgresql')
  const [, , , port, folder] = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n')
  const client = new pg.Client({
    host: folder === '.' ? cluster : '127.0.0.1',
    port: Number(port),
    user: 'todo',
    password: password ?? (await readFile(join(cluster, 'password'), 'utf8')),
    database: 'postgres',
  })
  await client.connect()
  return client
}

async function serverProcessId(dataDirectory: string): Promise<number> {
  const lock = await readFile(join(dataDirectory, 'postgresql/postmaster.pid'), 'utf8')
  return Number(lock.split('\n', 1)[0])
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0)
  } catch {
    return false
  }
}

/** Field 5 of proc_pid_stat(5), the third after the name in parentheses. */
async function processGroup(processId: number | undefined): Promise<number> {
  const line = await readFile(`/proc/${processId}/stat`, 'utf8')
  return Number(line.slice(line.lastIndexOf(')')).split(' ')[3])
}
