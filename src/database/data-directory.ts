import { randomBytes } from 'node:crypto'
import {
  chown,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StartError } from '../start-error.js'
import { isErrorCode, type PostgresBinaries, run, serverUser } from './postgres-binaries.js'

/** The only role of the embedded database, and its superuser. */
export const DATABASE_USER = 'todo'

const UNFINISHED_PREFIX = 'unfinished-'

/** How the server is told where its files are: by its working directory when it may not walk the path that leads there. */
export function serverPath(cluster: string): string {
  return serverUser.uid === undefined ? cluster : '/proc/self/cwd'
}

/**
 * Finds the database cluster in a data directory, `postgresql`, and makes both when they are missing.
 *
 * @param report told what is done when it takes longer than a blink
 * @returns the cluster's folder, which belongs to the server's user and lets in nobody else, and its password
 * @throws StartError when the directory cannot hold the database or holds something else
 */
export async function openDataDirectory(
  dataDirectory: string,
  binaries: PostgresBinaries,
  report: (message: string) => void,
): Promise<{ cluster: string; password: string }> {
  const cluster = join(dataDirectory, 'postgresql')
  try {
    await makeFolder(dataDirectory)
    const entries = await readdir(dataDirectory)
    await removeUnfinished(dataDirectory, entries)
    if (!entries.includes('postgresql')) {
      refuseForeignFiles(dataDirectory, entries)
      report(
        `Creating a PostgreSQL ${binaries.majorVersion} database in ${dataDirectory}, once, in a few seconds`,
      )
      await createCluster(dataDirectory, cluster, binaries.directory)
    }
    await refuseForeignOwner(dataDirectory, cluster)
    await refuseOtherVersion(dataDirectory, cluster, binaries.majorVersion)
    await removeStaleLock(cluster)
    return { cluster, password: await readFile(join(cluster, 'password'), 'utf8') }
  } catch (error) {
    throw error instanceof StartError ? error : await explain(dataDirectory, error)
  }
}

/** As mkdir's own `recursive`, which never ends where nobody can make anything, below /proc for example. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (isErrorCode(error, 'EEXIST')) return
    const parent = dirname(path)
    const isParentThere = await stat(parent).then(
      () => true,
      () => parent === path,
    )
    if (!isErrorCode(error, 'ENOENT') || isParentThere) throw error
    await makeFolder(parent)
    await makeFolder(path)
  }
}

/**
 * Makes the cluster under another name, so that `postgresql` is whole when it is there, whatever happens meanwhile.
 * Of two services that start together the second finds that of the first.
 */
async function createCluster(dataDirectory: string, cluster: string, binaries: string): Promise<void> {
  const unfinished = join(dataDirectory, `${UNFINISHED_PREFIX}${process.pid}`)
  const files = join(unfinished, 'files')
  const passwordFile = join(unfinished, 'password')
  await mkdir(files, { recursive: true, mode: 0o700 })
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
  if (serverUser.uid !== undefined) {
    for (const path of [unfinished, files, passwordFile]) await chown(path, serverUser.uid, serverUser.gid)
  }
  const place = serverPath(files)
  const { exitCode, output } = await run(
    join(binaries, 'initdb'),
    [
      ...['--pgdata', place, '--username', DATABASE_USER, '--pwfile', `${place}/../password`],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-locale'],
    ],
    files,
  )
  if (exitCode !== 0) {
    await rm(unfinished, { recursive: true, force: true })
    throw new StartError(
      `DATA_DIRECTORY ${dataDirectory}: PostgreSQL cannot create a database (${findReason(output)}).`,
    )
  }
  await rename(passwordFile, join(files, 'password'))
  await rename(files, cluster).catch((error: unknown) => {
    if (!isErrorCode(error, 'ENOTEMPTY') && !isErrorCode(error, 'EEXIST')) throw error
  })
  await rm(unfinished, { recursive: true, force: true })
}

/**
 * Removes what a first start left behind that was killed. Its initdb may still be writing: then the folder is not empty
 * in the end, and the removal is repeated until initdb has failed for want of its files.
 */
async function removeUnfinished(dataDirectory: string, entries: string[]): Promise<void> {
  for (const entry of entries.filter((name) => name.startsWith(UNFINISHED_PREFIX))) {
    if (!isOtherProcess(Number(entry.slice(UNFINISHED_PREFIX.length)))) {
      await rm(join(dataDirectory, entry), {
        recursive: true,
        force: true,
        maxRetries: 10,
        retryDelay: 100,
      })
    }
  }
}

function isOtherProcess(processId: number): boolean {
  if (processId === process.pid) return false
  try {
    return process.kill(processId, 0)
  } catch (error) {
    return isErrorCode(error, 'EPERM')
  }
}

function refuseForeignFiles(dataDirectory: string, entries: string[]): void {
  const foreign = entries.find((name) => !name.startsWith(UNFINISHED_PREFIX) && name !== 'lost+found')
  if (foreign !== undefined) {
    throw new StartError(
      `DATA_DIRECTORY ${dataDirectory} is neither empty nor made by this service (it holds ${JSON.stringify(foreign)}): set it to a folder of its own.`,
    )
  }
}

async function refuseForeignOwner(dataDirectory: string, cluster: string): Promise<void> {
  const user = serverUser.uid ?? process.getuid?.()
  const { uid } = await stat(cluster)
  if (user !== undefined && uid !== user) throw foreignOwner(dataDirectory, uid, user)
}

function foreignOwner(dataDirectory: string, owner: number, user: number): StartError {
  const role = serverUser.uid === undefined ? '' : ', to whom root hands the database over'
  return new StartError(
    `DATA_DIRECTORY ${dataDirectory} belongs to user ${owner}, not to user ${user}${role}: start as the user who made it, or set DATA_DIRECTORY to another folder.`,
  )
}

async function refuseOtherVersion(
  dataDirectory: string,
  cluster: string,
  majorVersion: string,
): Promise<void> {
  const found = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim()
  if (found !== majorVersion) {
    throw new StartError(
      `DATA_DIRECTORY ${dataDirectory} was written by PostgreSQL ${found}, and this is PostgreSQL ${majorVersion}, which cannot read it: start the version of this service that wrote it, or set DATA_DIRECTORY to another folder.`,
    )
  }
}

/**
 * Removes the lock files of a server that is gone, when its process id has passed to a process that has nothing to do
 * with this folder. PostgreSQL cannot tell and would refuse to start; it is common in containers, where each start
 * gives out the same few ids. Without /proc the decision is left to PostgreSQL.
 */
async function removeStaleLock(cluster: string): Promise<void> {
  for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
    const processId = (await readFile(join(cluster, name), 'utf8').catch(() => '')).split('\n', 1)[0]
    const workingDirectory = await readlink(`/proc/${processId}/cwd`).catch(() => undefined)
    if (workingDirectory !== undefined && workingDirectory !== (await realpath(cluster)))
      await rm(join(cluster, name))
  }
}

/** The line that explains a failure among those that a PostgreSQL program printed. */
export function findReason(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const line = lines.find((text) => /FATAL|PANIC|error:/.test(text)) ?? lines.at(-1) ?? 'it said nothing'
  return line.replace(/^.*(FATAL|PANIC|error):\s*/, '').trim()
}

/** Says what the operating system refused, and whose folder it is where that is the reason. */
async function explain(dataDirectory: string, error: unknown): Promise<StartError> {
  const owner = isErrorCode(error, 'EACCES')
    ? await stat(dataDirectory)
        .then(({ uid }) => uid)
        .catch(() => undefined)
    : undefined
  const user = process.getuid?.()
  if (owner !== undefined && user !== undefined && owner !== user)
    return foreignOwner(dataDirectory, owner, user)
  const reason = error instanceof Error ? error.message : String(error)
  return new StartError(
    `DATA_DIRECTORY ${dataDirectory} cannot be used (${reason}): set it to a folder that this user can write.`,
  )
}
