/**
 * `npm run contract:score`: how others judge the design of openapi.yaml, by the OWASP rules of Spectral and by Redocly's
 * score. Exits 1 for a finding that explained.ts does not explain, for an explanation that nothing needs any more, and
 * for a score below the least.
 *
 * Spectral is installed here, apart from the repository's own packages.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { contractFile, loadContract } from '../../src/contract/contract.js'
import { EXPLAINED, type Explained } from './explained.js'

/** Of 100, in Redocly's "agent readiness". */
const LEAST_SCORE = 94

const here = fileURLToPath(new URL('.', import.meta.url))
const redocly = fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js'))
const run = promisify(execFile)

const { score, findings } = await redoclyScore()
const all = [...(await owaspFindings()), ...findings]
const faults = faultsOf(all)
if (score < LEAST_SCORE) faults.push(`Redocly scores ${score} of 100; the least is ${LEAST_SCORE}.`)

for (const { rule, reason } of EXPLAINED) console.log(`${rule}\n    ${reason}`)
console.log(`Redocly: ${score} of 100. ${all.length} findings, ${EXPLAINED.length} explanations.`)
for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1

interface Finding {
  readonly rule: string
  readonly place: string
}

async function owaspFindings(): Promise<Finding[]> {
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: here })
  const spectral = join(here, 'node_modules/.bin/spectral')
  const options = ['--ruleset', join(here, 'ruleset.yaml'), '--format', 'json', '--quiet']
  const lint = run(spectral, ['lint', ...options, '--fail-severity', 'error', fileURLToPath(contractFile)])
  // It exits with 1 for findings, and with 2 when it could not look for them.
  const { stdout } = await lint.catch((error) => (error.code === 1 ? error : Promise.reject(error)))
  const found: { code: string; path: (string | number)[] }[] = JSON.parse(stdout)
  return found.map(({ code, path }) => ({ rule: code, place: path.join('.') }))
}

/** Redocly counts an object only where it meets it first, so what the contract shares is written out for it. */
async function redoclyScore(): Promise<{ score: number; findings: Finding[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'todo-score-'))
  const file = join(folder, 'openapi.json')
  try {
    await writeFile(file, JSON.stringify((await loadContract(contractFile)).dereferenced))
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off' }
    const { stdout } = await run(process.execPath, [redocly, 'score', file, '--format', 'json'], { env })
    const result: { agentReadiness: number; hotspots: { operationId: string; reasons: string[] }[] } =
      JSON.parse(stdout)
    const findings = result.hotspots.flatMap(({ operationId, reasons }) =>
      reasons.map((reason) => ({ rule: `redocly:${reason}`, place: operationId })),
    )
    return { score: result.agentReadiness, findings }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** One line for each finding that nothing explains, and for each explanation of nothing. */
function faultsOf(findings: readonly Finding[]): string[] {
  const explains = ({ rule, places }: Explained, finding: Finding) =>
    rule === finding.rule && (places?.includes(finding.place) ?? true)
  const unexplained = findings.filter((finding) => !EXPLAINED.some((each) => explains(each, finding)))
  const unneeded = EXPLAINED.filter((each) => !findings.some((finding) => explains(each, finding)))
  return [
    ...unexplained.map(({ rule, place }) => `${rule} at ${place}: mend it, or explain it in explained.ts.`),
    ...unneeded.map(({ rule }) => `${rule} is mended: remove its explanation from explained.ts.`),
  ]
}
