import { equal, match } from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const git = (folder: string, ...parameters: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=A', '-c', 'user.email=a@example.com', ...parameters], {
    stdio: 'pipe',
  })

/** A repository of version 1.2.0, whose one commit is on main at its origin. */
function makeRepository(
  changelog = '## [Unreleased]\n\n## [1.2.0] - 2030-01-01\n\n- New: pages.\n\n## [1.1.0]\n',
) {
  const folder = mkdtempSync(join(tmpdir(), 'todo-release-'))
  mkdirSync(join(folder, '.ci'))
  cpSync('.ci/release', join(folder, '.ci/release'))
  writeFileSync(join(folder, 'package.json'), '{"version":"1.2.0"}')
  writeFileSync(join(folder, 'CHANGELOG.md'), changelog)
  git(folder, 'init', '--quiet', '--initial-branch=main')
  git(folder, 'add', '.')
  git(folder, 'commit', '--quiet', '--message=First')
  git(folder, 'update-ref', 'refs/remotes/origin/main', 'HEAD')
  return folder
}

function check(folder: string, tag: string) {
  const env = { ...process.env, GITHUB_REF_NAME: tag }
  return spawnSync('.ci/release', ['check'], { cwd: folder, env, encoding: 'utf8' })
}

const unix = { skip: process.platform === 'win32' && 'a release is made on Linux' }

test('a tag of its version, on main, with its section in the changelog, is released', unix, (context) => {
  const folder = makeRepository()
  context.after(() => rmSync(folder, { recursive: true }))
  const { status, stderr } = check(folder, 'v1.2.0')
  equal(status, 0, stderr)
})

test('any other tag is refused with the reason', unix, (context) => {
  const folder = makeRepository()
  const untold = makeRepository(
    '## [Unreleased]\n\n- New: pages.\n\n## [1.2.0] - 2030-01-01\n\n## [1.1.0]\n\n- Old.\n',
  )
  context.after(() => [folder, untold].map((each) => rmSync(each, { recursive: true })))
  const refused = (where: string, tag: string, reason: RegExp) => {
    const { status, stderr } = check(where, tag)
    equal(status, 1)
    match(stderr, reason)
  }
  refused(folder, 'v1.3.0', /The tag is 'v1\.3\.0', but package\.json says 1\.2\.0/)
  refused(untold, 'v1.2.0', /CHANGELOG\.md says nothing of 1\.2\.0/)
  git(folder, 'commit', '--quiet', '--allow-empty', '--message=Aside')
  refused(folder, 'v1.2.0', /not on main: merge first/)
})
