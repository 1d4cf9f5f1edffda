import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A step of a job, as far as it is rehearsed: https://docs.github.com/actions/reference/workflow-syntax */
interface Step {
  id?: string
  name?: string
  run?: string
  if?: string
  env?: Record<string, string>
}

export interface Rehearsed {
  /** What the rehearsal sets: it stands in for variables, credentials and addresses, and wins over the workflow's. */
  readonly env: Record<string, string>
  /** Steps that are not rehearsed, by their command. */
  readonly leftOut: readonly string[]
  /** What happens after a step that succeeded, by the step's id. */
  readonly after: Record<string, () => Promise<unknown>>
}

export interface Outcome {
  /** The commands that ran, in order. */
  readonly commands: string[]
  /** The command that failed, if one did, and all that it printed. */
  readonly failed: { command: string; output: string } | undefined
  readonly outputs: Record<string, Record<string, string>>
  /** What the steps wrote into the job's summary. */
  readonly summary: string
}

/**
 * Runs the commands of a workflow's job here, in their order, with their environment and the outputs of earlier steps.
 * After a failure only the steps whose condition asks for failures run, as on GitHub.
 */
export async function rehearse(file: string, job: string, rehearsed: Rehearsed): Promise<Outcome> {
  const { steps } = parse(readFileSync(`${root}.github/workflows/${file}`, 'utf8')).jobs[job] as {
    steps: Step[]
  }
  const folder = mkdtempSync(join(tmpdir(), 'job-'))
  const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') }
  const outputs: Outcome['outputs'] = {}
  const commands: string[] = []
  let failed: Outcome['failed']
  writeFileSync(files.GITHUB_STEP_SUMMARY, '')
  try {
    for (const step of steps) {
      if (step.run === undefined || rehearsed.leftOut.includes(step.run)) continue
      if ((failed !== undefined) !== (step.if?.includes('failure()') ?? false)) continue
      writeFileSync(files.GITHUB_OUTPUT, '')
      const env = { ...evaluated(step.env, outputs), ...files, ...rehearsed.env }
      const { exitCode, output } = await runShell(step.run, env)
      commands.push(step.run)
      outputs[step.id ?? ''] = readOutputs(files.GITHUB_OUTPUT)
      if (exitCode !== 0) failed ??= { command: step.run, output }
      else await rehearsed.after[step.id ?? '']?.()
      assert.ok(exitCode === 0 || step.if === undefined, `${step.run} failed:\n${output}`)
    }
    return { commands, failed, outputs, summary: readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A step's environment with the outputs of earlier steps in it; what comes from elsewhere is left empty. */
function evaluated(env: Step['env'] = {}, outputs: Outcome['outputs']): Record<string, string> {
  const entries = Object.entries(env).map(([name, value]) => [
    name,
    value.replace(/\$\{\{ (?:steps\.(\w+)\.outputs\.(\w+)|.*?) \}\}/g, (_all, step = '', output = '') => {
      return outputs[step]?.[output] ?? ''
    }),
  ])
  return Object.fromEntries(entries)
}

async function runShell(command: string, env: Record<string, string>) {
  const child = spawn('bash', ['-e', '-c', command], { cwd: root, env: { ...process.env, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [exitCode] = await once(child, 'close')
  return { exitCode: exitCode as number | null, output }
}

function readOutputs(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}
