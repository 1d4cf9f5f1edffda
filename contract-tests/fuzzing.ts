import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { contractFile } from '../src/contract/contract.js'
import { temporaryDirectory } from './processes.js'
import { runPythonTool } from './python.js'
import { missing, type Row } from './report.js'

const part = 'Fuzzing'
const what = 'Schemathesis, all checks'
const configuration = new URL('fuzzing/schemathesis.toml', import.meta.url)
const hooks = new URL('fuzzing/hooks.py', import.meta.url)

/**
 * Lets Schemathesis send whatever the contract allows and much that it forbids, alone and along the contract's links.
 * It creates, changes and deletes whatever it comes across.
 *
 * @param origin where the service is, without a slash at the end
 */
export async function fuzzing(origin: string): Promise<Row[]> {
  const parameters = [
    ...['--config-file', fileURLToPath(configuration), 'run', fileURLToPath(contractFile)],
    ...['--url', origin, '--checks', 'all', '--no-color'],
  ]
  const ended = await runPythonTool('schemathesis', parameters, {
    directory: await temporaryDirectory(), // it writes into its working directory
    environment: { SCHEMATHESIS_HOOKS: fileURLToPath(hooks), PYTHONDONTWRITEBYTECODE: '1' },
  })
  if (!ended) return [missing(part, what, 'there is no python3')]
  console.log(`Schemathesis: ${/\d+ generated, .*/.exec(ended.output)?.[0] ?? 'nothing was generated'}`)
  for (const exception of await exceptions()) console.log(`  exception: ${exception}`)
  return ended.exitCode === 0 ? [{ part, what, state: 'passed', remarks: [] }] : findings(ended.output)
}

/** What is asked of Schemathesis otherwise than it would by itself, and why. */
export async function exceptions(): Promise<string[]> {
  const texts = await Promise.all([configuration, hooks].map((file) => readFile(file, 'utf8')))
  return texts.flatMap((text) => [...text.matchAll(/# Exception: (.*)/g)].map(([, reason = '']) => reason))
}

/** A row for each finding: the operation, the checks that failed, and how to send the request again. */
function findings(output: string): Row[] {
  const [, failures = ''] = /={3,} FAILURES ={3,}(.*?)(?:\n={3,} |$)/s.exec(output) ?? []
  const found = failures.split(/\n_{2,} (?=\S.*? _{2,}\n)/).flatMap((section) => {
    const [operation = ''] = section.split(' __')
    return section
      .split(/\n\d+\. Test Case ID/)
      .slice(1)
      .map((finding): Row => {
        const checks = [...finding.matchAll(/\n- (.+)/g)].map(([, check = '']) => check)
        const [curl = ''] = /curl .+/.exec(finding) ?? []
        return { part, what: operation.trim(), state: 'failed', remarks: [...checks, curl] }
      })
  })
  return found.length > 0 ? found : [{ part, what, state: 'failed', remarks: [output] }]
}
