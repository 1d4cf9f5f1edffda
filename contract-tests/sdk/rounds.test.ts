/**
 * `npm run sdk:test`: makes a client of openapi.yaml in each language, by a generator that others wrote, and lets it do
 * the same round against the running service: create with an idempotency key and replay it, list two pages, replace,
 * patch a field to null, tell a 404 from a 412, delete. The TypeScript client is our own, packed and installed.
 *
 * A language whose tools are missing is left out, and says so; with REQUIRE_ALL=1 it fails.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Service, startService } from '../../test/support/service.js'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

let service: Service
before(async () => {
  service = await startService()
})

describe('a client made of the contract does a whole round', () => {
  it('TypeScript: the package in client/, installed into an empty project', async () => {
    const project = await mkdtemp(join(tmpdir(), 'todo-client-'))
    try {
      await runExample(project)
    } finally {
      await rm(project, { recursive: true })
    }
  })

  round('Python', 'openapi-python-client', ['python3'], (url) => [
    ['python3', '-m', 'venv', '.venv'],
    ['.venv/bin/pip', 'install', '--quiet', '--requirement', 'requirements.txt'],
    [
      '.venv/bin/openapi-python-client',
      'generate',
      ...['--config', 'config.yaml', '--path', '../../../openapi.yaml'],
      ...['--meta', 'none', '--output-path', 'todo_client', '--overwrite', '--fail-on-warning'],
    ],
    ['.venv/bin/python', 'round.py', url],
  ])

  round('Go', 'oapi-codegen', ['go'], (url) => [
    ['go', 'generate', './...'],
    ['go', 'vet', './...'],
    ['go', 'run', '.', url],
  ])

  round('Java', 'openapi-generator', ['javac', 'mvn'], (url) => [
    ['mvn', '--batch-mode', '--quiet', 'compile', 'exec:java', `-Dexec.args=${url}`],
  ])
})

/** Runs commands one after the other in the language's own folder; each must end with 0. */
function round(
  language: string,
  generator: string,
  tools: string[],
  commands: (url: string) => [program: string, ...parameters: string[]][],
): void {
  it(`${language}: ${generator}`, async (test) => {
    const missing = await missingOf(tools)
    if (missing.length > 0) {
      const message = `left out: ${missing.join(' and ')} cannot be run here`
      if (process.env.REQUIRE_ALL === '1') assert.fail(message)
      return test.skip(message)
    }
    const cwd = join(repository, 'contract-tests/sdk', language.toLowerCase())
    for (const [program, ...parameters] of commands(service.url)) await run(program, parameters, { cwd })
  })
}

async function missingOf(tools: string[]): Promise<string[]> {
  const runnable = await Promise.all(
    tools.map((tool) =>
      run(tool, [tool === 'go' ? 'version' : '--version']).then(
        () => true,
        () => false,
      ),
    ),
  )
  return tools.filter((_, index) => !runnable[index])
}

/** Packs the client, installs that into an empty project, compiles the example there and runs it. */
async function runExample(project: string): Promise<void> {
  const inProject = { cwd: project }
  await writeFile(join(project, 'package.json'), '{"private":true,"type":"module"}')
  await run('npm', ['pack', '--pack-destination', project], { cwd: join(repository, 'client') })
  const [tarball] = (await readdir(project)).filter((name) => name.endsWith('.tgz'))
  await run('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`], inProject)
  const installed = (await readdir(join(project, 'node_modules'))).filter((name) => !name.startsWith('.'))
  assert.deepEqual(installed, ['openapi-fetch', 'openapi-typescript-helpers', 'todo-contract-first-client'])

  await copyFile(join(repository, 'client/example.ts'), join(project, 'example.ts'))
  const types = ['--types', 'node', '--typeRoots', join(repository, 'node_modules/@types')]
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2023']
  const compiler = join(repository, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [compiler, ...strict, ...types, 'example.ts'], inProject)

  const { stdout } = await run(process.execPath, ['example.js', service.url], inProject)
  assert.match(
    stdout,
    /^created http.*, version "1"\n\d+ open\nupdated: in_progress\nsomebody else was faster/,
  )
  assert.match(stdout, /400: The request has 2 faults\.\n {2}\/title .*\n {2}\/order /)
}
