/** The memory that a process may have, by a cgroup of Linux, and what it has. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface MemoryGroup {
  /** Runs the program that follows it inside of the group, from its first instruction on. */
  readonly launcher: readonly string[]
  /** Removes the group, and ends what is left in it. */
  remove(): Promise<void>
}

/** Where version 2 has all controllers in one tree, version 1 has a tree for each. */
const [tree, limitFile] = existsSync('/sys/fs/cgroup/cgroup.controllers')
  ? ['/sys/fs/cgroup', 'memory.max']
  : ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes']

/**
 * Makes a cgroup with a limit in bytes, as root, or by a `sudo` that asks for no password.
 *
 * @throws where there are no cgroups that could be written, with what the system says
 */
export async function makeMemoryGroup(limit: number): Promise<MemoryGroup> {
  const group = `${tree}/todo-attacks-${process.pid}`
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const asRoot = async (script: string) => {
    const [program = '', ...parameters] = [...sudo, 'sh', '-ec', script]
    await run(program, parameters)
  }
  const remove = () =>
    asRoot(`for try in 1 2 3 4 5 6 7 8 9; do
      [ ! -d ${group} ] || rmdir ${group} 2>/dev/null || { xargs -r kill -9 <${group}/cgroup.procs || true; sleep 0.2; }
    done`)
  try {
    await asRoot(`mkdir ${group}; echo ${limit} >${group}/${limitFile}`)
  } catch (error) {
    await remove().catch(() => {})
    throw error
  }
  // A process that is root may write itself; any other is written by sudo.
  const enter = `echo $$ | ${sudo.join(' ')} tee ${group}/cgroup.procs >/dev/null && exec "$@"`
  return { launcher: ['sh', '-c', enter, 'sh'], remove }
}

/** Resident memory of a process in MB; Linux tells it under /proc, other systems by `ps`. NaN when it has ended. */
export async function residentMemory(processId: number): Promise<number> {
  const read =
    process.platform === 'linux'
      ? readFile(`/proc/${processId}/status`, 'utf8').then((text) => /VmRSS:\s+(\d+) kB/.exec(text)?.[1])
      : run('ps', ['-o', 'rss=', '-p', String(processId)]).then(({ stdout }) => stdout)
  const kilobytes = await read.catch(() => undefined)
  return (Number(kilobytes ?? Number.NaN) * 1_024) / 1e6
}
