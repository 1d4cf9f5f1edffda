import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'

const interruption = new AbortController()
/** Aborted by SIGINT and SIGTERM; then nothing is to be begun any more. */
export const interrupted = interruption.signal
const cleanups: (() => Promise<unknown>)[] = []

export interface Ended {
  readonly exitCode: number
  readonly output: string
}

/** What a program is given beside its arguments. */
export interface Given {
  readonly directory?: string | undefined
  readonly environment?: Record<string, string>
}

/** Runs a program to its end, and gives its exit code and all it printed; a program that is not there gives 127. */
export async function run(program: string, parameters: string[], given: Given = {}): Promise<Ended> {
  const child = spawn(program, parameters, {
    cwd: given.directory,
    env: { ...process.env, ...given.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // What cleans up after an interruption is not interrupted.
    ...(interrupted.aborted ? {} : { signal: interrupted }),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  try {
    const [exitCode] = await once(child, 'close')
    return { exitCode: exitCode ?? 1, output }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { exitCode: 127, output }
    throw error
  }
}

/** Runs a program that must succeed, and gives what it printed, without blanks around it. */
export async function mustRun(program: string, parameters: string[], given: Given = {}): Promise<string> {
  const { exitCode, output } = await run(program, parameters, given)
  if (exitCode === 0) return output.trim()
  throw new Error(`\`${[program, ...parameters].join(' ')}\` ended with ${exitCode}:\n${output.trim()}`)
}

/**
 * Gets something that must be given back at the end, whatever the end is, the last first. What is being got when the
 * end comes is awaited and given back; after an interruption nothing more is got.
 */
export async function acquire<Thing>(
  get: () => Promise<Thing>,
  giveBack: (thing: Thing) => Promise<unknown>,
): Promise<Thing> {
  interrupted.throwIfAborted()
  const getting = get()
  cleanups.push(async () => giveBack(await getting))
  return getting
}

/** An empty directory, removed at the end. */
export function temporaryDirectory(): Promise<string> {
  return acquire(
    () => mkdtemp(join(tmpdir(), 'todo-contract-')),
    (directory) => rm(directory, { recursive: true, force: true }),
  )
}

/**
 * Does the work, cleans up, and ends the process: with the work's exit code, with 1 after an error, which is printed,
 * and as a shell does it, with 130 or 143, when the work was interrupted by SIGINT or SIGTERM.
 */
export async function main(work: () => Promise<number>): Promise<never> {
  const exitOfShell = new Promise<number>((resolve) => {
    const interrupt = (signal: NodeJS.Signals) => {
      console.log(`Interrupted by ${signal}; cleaning up.`)
      interruption.abort()
      resolve(128 + constants.signals[signal])
    }
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  })
  const exitCode = await Promise.race([exitOfShell, work().catch(reportError)])
  for (const cleanup of cleanups.reverse()) await cleanup().catch(reportError)
  process.exit(exitCode)
}

/** What fails because of an interruption is not worth a word. */
function reportError(error: Error): number {
  if (!interrupted.aborted) console.error(error.message)
  return 1
}
