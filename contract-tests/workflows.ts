import { randomInt, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { run, temporaryDirectory } from './processes.js'
import type { Row } from './report.js'

const part = 'Workflows'
const file = fileURLToPath(new URL('workflows.arazzo.yaml', import.meta.url))
const redocly = fileURLToPath(new URL('../node_modules/.bin/redocly', import.meta.url))

/** The parts of `redocly respect --json-output` that are used. */
interface Report {
  readonly files: Record<string, { readonly executedWorkflows: readonly Workflow[] }>
}

interface Workflow {
  readonly workflowId: string
  readonly executedSteps: readonly Step[]
}

interface Step {
  readonly stepId: string
  readonly request: { readonly url: string }
  readonly response: { readonly headers: Record<string, string>; readonly body: { readonly id: string } }
  readonly checks: readonly {
    readonly passed: boolean
    readonly condition?: string
    readonly message: string
  }[]
}

type Inputs = Record<string, string>

/** Walks every workflow of workflows.arazzo.yaml at a service; one that was not walked to its end is a failure. */
export async function workflows(origin: string): Promise<Row[]> {
  const moment = randomInt(Date.UTC(2100, 0), Date.UTC(2200, 0))
  const [before, at, after] = [-1, 0, 1].map((offset) => new Date(moment + offset).toISOString()) as [
    string,
    string,
    string,
  ]
  const walked = await respect(origin, ['--skip', 'lastPage'], {
    key: randomUUID(),
    before,
    moment: at,
    after,
  })
  const [first, second, page] =
    walked.find(({ workflowId }) => workflowId === 'pageThrough')?.executedSteps ?? []
  // Arazzo has no means to take the cursor out of the link.
  const [, cursor = ''] = /[?&]cursor=([^&>]+)/.exec(page?.response.headers.link ?? '') ?? []
  const ids = { first: first?.response.body.id ?? '', second: second?.response.body.id ?? '' }
  walked.push(...(await respect(origin, ['--workflow', 'lastPage'], { before, after, cursor, ...ids })))

  const described = parse(await readFile(file, 'utf8')) as {
    workflows: { workflowId: string; steps: unknown[] }[]
  }
  return described.workflows.map(({ workflowId, steps }) => {
    const found = walked.find((workflow) => workflow.workflowId === workflowId)
    const remarks = faultsOf(origin, found?.executedSteps ?? [], steps.length)
    return { part, what: workflowId, state: remarks.length === 0 ? 'passed' : 'failed', remarks }
  })
}

async function respect(origin: string, selection: string[], inputs: Inputs): Promise<Workflow[]> {
  const output = `${await temporaryDirectory()}/report.json`
  const given = Object.entries(inputs).flatMap(([name, value]) => ['--input', `${name}=${value}`])
  await run(
    redocly,
    ['respect', file, '--server', `todo=${origin}`, ...selection, ...given, '--json-output', output],
    {
      environment: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  )
  const report = JSON.parse(await readFile(output, 'utf8')) as Report
  return Object.values(report.files).flatMap(({ executedWorkflows }) => executedWorkflows)
}

function faultsOf(origin: string, steps: readonly Step[], expected: number): string[] {
  // A server whose name is unknown to `respect` is ignored, and the first of the contract is asked instead.
  const strays = steps.filter(({ request }) => !request.url.startsWith(`${origin}/`))
  const failures = steps.flatMap(({ stepId, checks }) =>
    checks
      .filter(({ passed }) => !passed)
      .map(({ condition, message }) => `${stepId}: ${condition ?? ''} ${message}`),
  )
  return [
    ...strays.map(({ stepId, request }) => `${stepId}: went to ${request.url}`),
    ...failures,
    ...(steps.length === expected ? [] : [`${steps.length} of ${expected} steps were walked`]),
  ]
}
