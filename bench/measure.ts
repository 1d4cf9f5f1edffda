/** What processes have used, as Linux tells it under /proc (proc(5)). */
import { readFile } from 'node:fs/promises'
import { type Exchange, load } from './load.js'
import type { RunningServer } from './servers.js'

/** CPU time is counted in ticks, of which every Linux has 100 a second for user space. */
const MICROSECONDS_A_TICK = 10_000

/**
 * The CPU time in microseconds that a process, its threads, its children and those that it outlived have used.
 * A child that ends meanwhile is counted at its parent.
 */
export async function cpuTime(processId: number): Promise<number> {
  const family = [processId, ...(await childrenOf(processId))]
  const times = await Promise.all(family.map(async (each) => timesOf(await statOf(each))))
  return times.reduce((sum, ticks) => sum + ticks, 0) * MICROSECONDS_A_TICK
}

/** Resident memory in MB: now, and at its most. */
export async function memory(processId: number): Promise<{ resident: number; most: number }> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8')
  const megabytes = (name: string) =>
    (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1_024) / 1e6
  return { resident: megabytes('VmRSS'), most: megabytes('VmHWM') }
}

/** The machine's CPU time since it started, in ticks: idle, and all of it. */
export async function machineTime(): Promise<{ idle: number; all: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n')
  const ticks = line.split(/\s+/).slice(1, 9).map(Number)
  return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), all: ticks.reduce((sum, each) => sum + each, 0) }
}

/** The fields after the name, which may hold blanks and parentheses. */
async function statOf(processId: number): Promise<string[]> {
  const text = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => '')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** utime, stime, cutime and cstime; a process that has ended has none. */
function timesOf(fields: readonly string[]): number {
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0)
}

async function childrenOf(processId: number): Promise<number[]> {
  const list = await readFile(`/proc/${processId}/task/${processId}/children`, 'utf8')
  return list.trim().split(' ').map(Number)
}

/** One server, one kind of work, for a moment. */
export interface Slice {
  /** Microseconds of CPU time a request: of the server, of PostgreSQL, of both. */
  readonly serverCpu: number
  readonly databaseCpu: number
  readonly cpu: number
  /** Requests a second. */
  readonly throughput: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** MB. */
  readonly resident: number
}

/**
 * Measures a server at work.
 *
 * @param databaseProcess PostgreSQL's first process
 * @param milliseconds for how long
 * @throws when an answer is wrong, or a request has no line in the log, or more than one
 */
export async function measure(
  server: RunningServer,
  databaseProcess: number,
  milliseconds: number,
  next: () => Exchange,
): Promise<Slice> {
  const processes = [server.processId, databaseProcess]
  const before = await Promise.all(processes.map(cpuTime))
  const { answers, seconds, p50, p99 } = await load(server.url, milliseconds, next)
  const after = await Promise.all(processes.map(cpuTime))
  const used = (index: number) => ((after[index] ?? 0) - (before[index] ?? 0)) / answers
  const lines = await server.logged(answers)
  if (server.logs && lines !== answers) {
    throw new Error(`The server "${server.name}" logged ${lines} lines for ${answers} requests.`)
  }
  const { resident } = await memory(server.processId)
  const [serverCpu, databaseCpu] = [used(0), used(1)]
  const cpu = serverCpu + databaseCpu
  return { serverCpu, databaseCpu, cpu, throughput: answers / seconds, p50, p99, resident }
}
