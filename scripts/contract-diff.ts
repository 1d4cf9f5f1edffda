/**
 * `npm run contract:diff [-- --format stylish|markdown|github-actions]`: compares openapi.yaml in the working directory
 * with that of the last release, the highest tag vX.Y.Z in HEAD's history, and prints what changed.
 *
 * Exits 1 when `info.version` did not rise as semantic versioning asks for the changes: a breaking one takes a new
 * major version (below 1.0.0, a minor one), an addition a minor one, anything else a patch.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const redocly = fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js'))
/** It turns the rules on that tell breaking changes from others; without them each change would be a patch. */
const rules = fileURLToPath(new URL('../redocly.yaml', import.meta.url))

const { values } = parseArgs({ options: { format: { type: 'string', default: 'stylish' } } })
process.exitCode = compareWithRelease(values.format)

function compareWithRelease(format: string): number {
  const tag = lastRelease()
  if (tag === undefined) {
    if (git('rev-parse', '--is-shallow-repository') === 'true') {
      console.error(
        'This clone is shallow and has no release: fetch the history and its tags (fetch-depth: 0).',
      )
      return 1
    }
    console.log('There is no release yet (no tag vX.Y.Z): nothing to compare openapi.yaml with.')
    return 0
  }
  const folder = mkdtempSync(join(tmpdir(), 'todo-contract-'))
  try {
    const released = join(folder, `openapi-${tag}.yaml`)
    writeFileSync(released, git('show', `${tag}:openapi.yaml`))
    return diff(released, format)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function lastRelease(): string | undefined {
  const tags = git('tag', '--list', 'v*', '--merged', 'HEAD', '--sort=-version:refname').split('\n')
  return tags.find((tag) => /^v\d+\.\d+\.\d+$/.test(tag))
}

/** The version decides, so that a breaking change passes once it has a new major version (`--fail-on none`). */
function diff(released: string, format: string): number {
  const options = ['--config', rules, '--format', format, '--check-version', '--fail-on', 'none']
  const { status } = spawnSync(process.execPath, [redocly, 'diff', released, 'openapi.yaml', ...options], {
    stdio: 'inherit',
    env: { ...process.env, REDOCLY_TELEMETRY: 'off' },
  })
  return status ?? 1
}

function git(...parameters: string[]): string {
  return execFileSync('git', parameters, { encoding: 'utf8' }).trim()
}
