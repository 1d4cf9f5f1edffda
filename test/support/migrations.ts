import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import pg from 'pg'
import * as current from '../../src/database/migrate.js'
import { createDatabase } from './cluster.js'

const repository = fileURLToPath(new URL('../..', import.meta.url))

const cleanups: (() => Promise<unknown>)[] = []
after(() => Promise.all(cleanups.map((cleanup) => cleanup())))

/** What a version of the service does to the database when it starts. */
export type Version = Pick<typeof current, 'migrate' | 'migrationsApplied'>

/** A connection of its own, closed with the test file. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  // Without a listener the process ends when a test terminates the session.
  client.on('error', () => {})
  cleanups.push(() => client.end())
  await client.connect()
  return client
}

/** Migrates a database as a start of the service does, and gives the lines that were reported. */
export async function migrate(url: string, version: Version = current): Promise<string[]> {
  const lines: string[] = []
  const client = await connect(url)
  try {
    await version.migrate(client, (line) => lines.push(line))
  } finally {
    await client.end()
  }
  return lines
}

/** A database with this version's migrations. */
export async function migratedDatabase(): Promise<string> {
  const url = await createDatabase('template0')
  await migrate(url)
  return url
}

/**
 * Makes another version of the service: this one's code, with other migrations.
 *
 * @param files SQL by file name, beside this version's migrations
 * @param omitted file names of this version's migrations that it does not have
 */
export async function otherVersion(files: Record<string, string>, omitted: string[] = []): Promise<Version> {
  const folder = await mkdtemp(join(tmpdir(), 'todo-version-'))
  cleanups.push(() => rm(folder, { recursive: true }))
  for (const part of ['package.json', 'src']) {
    await cp(join(repository, part), join(folder, part), { recursive: true })
  }
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'), 'junction')
  const migrations = join(folder, 'src', 'database', 'migrations')
  for (const [name, sql] of Object.entries(files)) await writeFile(join(migrations, name), sql)
  for (const name of omitted) await rm(join(migrations, name))
  return import(pathToFileURL(join(folder, 'src', 'database', 'migrate.ts')).href)
}

/** A database of an administrator, and a role without any rights there; the URL is that role's. */
export async function createDatabaseWithRole(): Promise<{
  url: string
  admin: pg.Client
  adminUrl: string
  role: string
}> {
  const adminUrl = await createDatabase('template0')
  const admin = await connect(adminUrl)
  const role = `${databaseOf(adminUrl)}_role`
  await admin.query(`create role ${role} login password 'secret'`)
  const { href: url } = Object.assign(new URL(adminUrl), { username: role, password: 'secret' })
  return { url, admin, adminUrl, role }
}

/** The name of the database in a connection string. */
export function databaseOf(url: string): string {
  return new URL(url).pathname.slice(1)
}
