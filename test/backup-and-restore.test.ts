import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { atEnd } from './support/cleanup.js'
import { createDatabase, startCluster } from './support/cluster.js'
import { makeFolder } from './support/folders.js'
import { startService } from './support/service.js'
import { createTodo, listTitles } from './support/todos.js'

const titles = ['Blumen gießen', '水をやる', 'a "quoted" \\ line\nand another']
const debian = '/usr/lib/postgresql'

test('the embedded database is backed up and restored by copying its folder', async () => {
  const folder = await makeFolder()
  const service = await startService({ DATA_DIRECTORY: '.data' }, folder)
  for (const title of titles) await createTodo(service, title)
  await service.stop()
  await runShell(await readCommands('embedded'), folder)

  await service.restart()
  await createTodo(service, 'after the backup')
  const restored = await startService({ DATA_DIRECTORY: 'backup' }, folder)
  assert.deepEqual(await listTitles(restored), titles)
  assert.deepEqual(await listTitles(service), [...titles, 'after the backup'])
})

test("a database of one's own is backed up and restored by pg_dump and pg_restore", async (context) => {
  const programs = await findClientPrograms()
  if (programs === undefined) {
    assert.notEqual(process.env.REQUIRE_ALL, '1', 'pg_dump is missing (Debian: apt-get install postgresql)')
    context.skip('pg_dump and a server of its version are not installed')
    return
  }
  const cluster = await startCluster({}, programs)
  atEnd(() => cluster.remove())
  const original = await startService({ DATABASE_URL: await createDatabase('template0', cluster) })
  for (const title of titles) await createTodo(original, title)
  const newDatabase = await createDatabase('template0', cluster)
  await runShell(await readCommands('own'), await makeFolder(), {
    PATH: `${programs}:${process.env.PATH}`,
    DATABASE_URL: original.databaseUrl,
    NEW_DATABASE_URL: newDatabase,
  })

  const restored = await startService({ DATABASE_URL: newDatabase })
  assert.deepEqual(await listTitles(restored), titles)
  await createTodo(restored, 'it goes on')
  assert.deepEqual(await listTitles(restored), [...titles, 'it goes on'])
})

/** The README's commands below the comment `<!-- backup of … -->`. */
async function readCommands(what: string): Promise<string> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const commands = new RegExp(`<!-- backup ${what}: [^\n]*-->\n\`\`\`sh\n(.*?)\n\`\`\``, 's').exec(
    readme,
  )?.[1]
  assert.ok(commands, `README.md has no commands for the backup of the ${what} database`)
  return commands
}

async function runShell(commands: string, workingDirectory: string, environment = {}): Promise<void> {
  await promisify(execFile)('sh', ['-euc', commands], {
    cwd: workingDirectory,
    env: { ...process.env, ...environment },
  })
}

/** The folder of `pg_dump` and a server of the same version: TEST_POSTGRES_BIN, or Debian's newest. */
async function findClientPrograms(): Promise<string | undefined> {
  const versions = existsSync(debian) ? await readdir(debian) : []
  const installed = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debian, version, 'bin'))
  return [process.env.TEST_POSTGRES_BIN, ...installed].find(
    (directory) =>
      directory !== undefined && ['pg_dump', 'initdb'].every((name) => existsSync(join(directory, name))),
  )
}
