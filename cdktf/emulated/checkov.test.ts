import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { settings, validated } from '../settings.js'
import { preparedOrSkipped } from './missing.js'
import { pythonCommand } from './python.js'
import { Stacks } from './stacks.js'

const { prepared: checkov, skip } = await preparedOrSkipped(() => pythonCommand('checkov', 'checkov'))

/** How often each finding is explained in README.md. */
function explained(): Record<string, number> {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = readme.matchAll(/^\| (CKV2?_AWS_\d+) +\| +(\d+) \| \S/gm)
  return Object.fromEntries([...rows].map(([, id, times]) => [id, Number(times)]))
}

/** How often checkov finds what in the stacks; it exits with 1 where it finds anything. */
async function found(command: string): Promise<Record<string, number>> {
  const stacks = new Stacks(validated(settings))
  const { stdout } = await promisify(execFile)(
    command,
    ['--directory', `${stacks.folder}/stacks`, '--framework', 'terraform_json', '--skip-download'].concat([
      '--compact',
      '--quiet',
      '--soft-fail',
      '--output',
      'json',
    ]),
    { maxBuffer: 2 ** 26 },
  )
  const { results, summary } = JSON.parse(stdout) as {
    results: { failed_checks: { check_id: string }[] }
    summary: { passed: number }
  }
  assert.ok(summary.passed > 300, 'checkov must have read the stacks')
  const ids = results.failed_checks.map(({ check_id }) => check_id)
  return Object.fromEntries([...new Set(ids)].map((id) => [id, ids.filter((other) => other === id).length]))
}

describe('checkov', { skip }, () => {
  it('finds what README.md explains, exactly as often', async () => {
    assert.deepEqual(await found(checkov ?? ''), explained())
  })
})
