/**
 * `npm run test:mutations`: a test of the tests. Removes the protections that tests are about, one at a time, from a
 * copy of the service, and runs the one test file that is about it, which must fail.
 *
 * Exits with 1 unless every mutation was found. A mutation whose text is not in the source exactly once is an error:
 * the source has moved on, and the mutation must follow.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { withSharedCluster } from '../support/shared-cluster.js'
import { httpMutations } from './http.js'
import type { Mutation } from './mutation.js'
import { todoMutations } from './todos.js'

const checkout = fileURLToPath(new URL('../..', import.meta.url))

/** Milliseconds after which a test that does not come to an end counts as failed. */
const PATIENCE = 120_000

async function main(): Promise<number> {
  const chosen = [...todoMutations, ...httpMutations].filter(
    ({ test }) => process.argv.length < 3 || process.argv.includes(test),
  )
  await Promise.all(chosen.map(mutated))
  const folder = await mkdtemp(join(tmpdir(), 'todo-mutations-'))
  try {
    return await withSharedCluster((environment) => tryAll(chosen, folder, environment))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Several at a time, for most of them wait for something; each worker in a copy of its own below the folder. */
async function tryAll(chosen: Mutation[], folder: string, environment: object): Promise<number> {
  const begin = performance.now()
  const waiting = [...chosen]
  const survived: string[] = []
  const workers = Array.from({ length: 2 * availableParallelism() }, async (_, worker) => {
    const copy = join(folder, String(worker))
    await copyCheckout(copy)
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const start = performance.now()
      const fault = await faultOf(next, copy, environment)
      console.log(
        `${fault ? 'NOT FOUND' : 'found    '} ${secondsSince(start)} s  ${next.test}: ${next.removes}`,
      )
      if (fault) survived.push(`${next.removes}\n${fault}`)
    }
  })
  await Promise.all(workers)
  for (const each of survived) console.error(`\n${each}`)
  const found = chosen.length - survived.length
  console.log(`\n${found} of ${chosen.length} mutations found in ${secondsSince(begin)} s`)
  return survived.length === 0 ? 0 : 1
}

const secondsSince = (start: number) => Math.round((performance.now() - start) / 1000)

/** The file's text without the protection. */
async function mutated({ file, text, replacement, removes }: Mutation): Promise<string> {
  const source = await readFile(join(checkout, 'src', file), 'utf8')
  const [before, after, ...more] = source.split(text)
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(
      `src/${file} has this ${more.length + 1 > 1 ? 'more than once' : 'nowhere'} (${removes}):\n${text}`,
    )
  }
  return before + replacement + after
}

async function copyCheckout(copy: string): Promise<void> {
  for (const name of [
    'src',
    'test',
    'generated',
    'dist',
    'docs',
    'openapi.yaml',
    'package.json',
    'tsconfig.json',
  ]) {
    await cp(join(checkout, name), join(copy, name), { recursive: true })
  }
  await symlink(join(checkout, 'node_modules'), join(copy, 'node_modules'), 'junction')
}

/** Runs the mutation's test in the copy; returns why it does not count as found, if so. */
async function faultOf(mutation: Mutation, copy: string, environment: object): Promise<string | undefined> {
  const { file, test } = mutation
  const target = join(copy, 'src', file)
  await writeFile(target, await mutated(mutation))
  await promisify(execFile)('npm', ['run', '--silent', 'compile'], {
    cwd: copy,
    shell: process.platform === 'win32',
  })
  const { ended, output } = await runTest(test, copy, environment)
  await cp(join(checkout, 'src', file), target)
  if (ended === 'well') return `${test}.test.ts passes without it.`
  const isFound = runs(output) && (ended === 'late' || hasFailed(output))
  return isFound ? undefined : `The service does not run without it:\n${output.slice(-2_000)}`
}

/** By its output in TAP, a line for each test: one passed, and one failed. */
const runs = (output: string) => /^ *ok /m.test(output)
const hasFailed = (output: string) => /^ *not ok /m.test(output)

interface Run {
  readonly ended: 'well' | 'badly' | 'late'
  readonly output: string
}

/** Runs a test file until it is clear that the mutation is found, with whatever it starts in its process group. */
async function runTest(test: string, copy: string, environment: object): Promise<Run> {
  const temporary = join(copy, 'tmp')
  await mkdir(temporary)
  const parameters = ['--import', 'tsx', '--test-reporter=tap', `test/${test}.test.ts`]
  const child = spawn(process.execPath, parameters, {
    cwd: copy,
    env: { ...process.env, ...environment, TMPDIR: temporary },
    detached: true,
  })
  const endAll = () => kill(child)
  process.once('exit', endAll)
  let isLate = false
  const patience = setTimeout(() => {
    isLate = true
    endAll()
  }, PATIENCE)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (runs(output) && hasFailed(output)) endAll()
    })
  }
  const [exitCode] = await once(child, 'close')
  clearTimeout(patience)
  process.off('exit', endAll)
  await rm(temporary, { recursive: true, force: true })
  return { ended: isLate ? 'late' : exitCode === 0 ? 'well' : 'badly', output }
}

/** Kills a process and those that it started, where the system knows groups of processes. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has ended already
  }
}

process.exit(await main())
