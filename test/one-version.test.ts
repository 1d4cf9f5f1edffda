import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const repository = fileURLToPath(new URL('..', import.meta.url))

/** Every place that names the version, as a folder has it. */
async function versionsIn(folder: string): Promise<Record<string, unknown>> {
  const read = (file: string) => readFile(join(folder, file), 'utf8')
  const lock = JSON.parse(await read('package-lock.json'))
  return {
    'package.json': JSON.parse(await read('package.json')).version,
    'package-lock.json': lock.version,
    'package-lock.json, its package': lock.packages[''].version,
    'client/package.json': JSON.parse(await read('client/package.json')).version,
    'openapi.yaml': parse(await read('openapi.yaml')).info.version,
  }
}

describe('the version', () => {
  it('is the same in the contract, the service and the TypeScript client', async () => {
    const versions = await versionsIn(repository)
    const all = Object.fromEntries(Object.keys(versions).map((place) => [place, versions['package.json']]))
    assert.deepEqual(versions, all)
  })

  it("is handed to the image's label when it is built, and written nowhere in the Dockerfile", async () => {
    const dockerfile = await readFile(join(repository, 'Dockerfile'), 'utf8')
    assert.match(dockerfile, /org\.opencontainers\.image\.version="\$VERSION"/)
    assert.match(dockerfile, /--build-arg VERSION="\$\(npm pkg get version/)
    assert.match(dockerfile, /^ARG VERSION=unknown$/m)
  })

  it('of openapi-fetch is the same where the client is tested and where it is used', async () => {
    const [own, client] = await Promise.all(
      ['package.json', 'client/package.json'].map(async (file) =>
        JSON.parse(await readFile(join(repository, file), 'utf8')),
      ),
    )
    assert.equal(client.dependencies['openapi-fetch'], own.devDependencies['openapi-fetch'])
  })
})

describe('npm version', () => {
  it('changes it everywhere in one tagged commit, and nothing else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'todo-version-'))
    after(() => rm(folder, { recursive: true }))
    const files = ['package.json', 'package-lock.json', 'openapi.yaml', 'CHANGELOG.md', 'client', 'scripts']
    for (const file of files) await cp(join(repository, file), join(folder, file), { recursive: true })
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'))
    const git = (...parameters: string[]) =>
      execFileSync('git', parameters, { cwd: folder, encoding: 'utf8' })
    git('init', '--quiet')
    git('config', 'user.name', 'Test')
    git('config', 'user.email', 'test@example.com')
    git('add', ...files)
    git('commit', '--quiet', '--message', 'Before')

    execFileSync('npm', ['version', '7.8.9', '--message', 'Release %s'], { cwd: folder, stdio: 'pipe' })

    assert.deepEqual([...new Set(Object.values(await versionsIn(folder)))], ['7.8.9'])
    assert.equal(git('tag', '--points-at', 'HEAD').trim(), 'v7.8.9')
    assert.equal(git('status', '--porcelain', '--untracked-files=no'), '')
    assert.match(
      await readFile(join(folder, 'CHANGELOG.md'), 'utf8'),
      /## \[Unreleased\]\n\n## \[7\.8\.9\] - \d{4}-\d\d-\d\d\n/,
    )
    const changed = git('diff', '--numstat', 'HEAD~').trim().split('\n').sort()
    assert.deepEqual(changed, [
      '1\t1\tclient/package.json',
      '1\t1\topenapi.yaml',
      '1\t1\tpackage.json',
      '2\t0\tCHANGELOG.md',
      '2\t2\tpackage-lock.json',
    ])
  })
})
