import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Document, parseDocument } from 'yaml'
import { contractFile } from '../src/contract/contract.js'

const script = fileURLToPath(new URL('../scripts/contract-diff.ts', import.meta.url))
const loader = import.meta.resolve('tsx')
const released = await readFile(contractFile, 'utf8')

/** A repository whose last release, v1.2.3, has our contract, and then this one. */
async function repositoryWith(contract: string, tag = 'v1.2.3') {
  const folder = await mkdtemp(join(tmpdir(), 'todo-diff-'))
  after(() => rm(folder, { recursive: true }))
  const git = (...parameters: string[]) => execFileSync('git', ['-C', folder, ...parameters])
  git('init', '--quiet')
  await writeFile(
    join(folder, 'openapi.yaml'),
    changed((document) => document.setIn(VERSION, '1.2.3')),
  )
  git('add', '.')
  git('-c', 'user.name=Test', '-c', 'user.email=test@example.com', 'commit', '--quiet', '-m', 'Release')
  if (tag) git('tag', tag)
  await writeFile(join(folder, 'openapi.yaml'), contract)
  return folder
}

const VERSION = ['info', 'version']

function changed(...changes: ((document: Document) => unknown)[]): string {
  const document = parseDocument(released)
  for (const change of changes) change(document)
  return String(document)
}

async function compare(folder: string, ...parameters: string[]) {
  return new Promise<{ exitCode: number; output: string }>((resolve) => {
    const command = ['--import', loader, script, ...parameters]
    execFile(process.execPath, command, { cwd: folder }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) : 0, output: stdout + stderr })
    })
  })
}

type Change = (document: Document) => unknown
const schema = (name: string, ...path: string[]) => ['components', 'schemas', name, ...path]
const operation = (path: string, method: string, ...rest: (string | number)[]) => [
  'paths',
  path,
  method,
  ...rest,
]

const breaking: Record<string, Change> = {
  'an operation is gone': (document) => document.deleteIn(operation('/todos', 'delete')),
  'an operation has another operationId': (document) =>
    document.setIn(operation('/todos', 'get', 'operationId'), 'allTodos'),
  'a field of the answer is gone': (document) => {
    document.deleteIn(schema('Todo', 'properties', 'url'))
    document.setIn(schema('Todo', 'required'), ['id'])
  },
  'a field of the answer has another type': (document) => document.setIn(schema('Order', 'type'), 'string'),
  'a field of the answer may be null': (document) => document.setIn(schema('Title', 'nullable'), true),
  'a field of the answer has a new value': (document) =>
    document.setIn(schema('TodoStatus', 'enum'), ['pending', 'in_progress', 'completed', 'dropped']),
  'a field of the request is required': (document) =>
    document.setIn(schema('NewTodo', 'required'), ['title', 'description']),
  'a limit of the request is lower': (document) => document.setIn(schema('Title', 'maxLength'), 100),
  'a parameter takes less': (document) =>
    document.setIn(['components', 'parameters', 'Limit', 'schema', 'maximum'], 50),
  'a parameter is required': (document) =>
    document.setIn(['components', 'parameters', 'IfMatch', 'required'], true),
  'a status is gone': (document) => document.deleteIn(operation('/todos/{id}', 'get', 'responses', '304')),
  'a header is gone': (document) => document.deleteIn(['components', 'responses', 'Todo', 'headers', 'ETag']),
  'a media type is gone': (document) =>
    document.deleteIn(operation('/todos/{id}', 'patch', 'requestBody', 'content', 'application/json')),
}

const additions: Record<string, Change> = {
  'a new field of the answer': (document) =>
    document.setIn(schema('Todo', 'properties', 'colour'), { type: 'string' }),
  'a new optional field of the request': (document) =>
    document.setIn(schema('NewTodo', 'properties', 'colour'), { type: 'string' }),
  'a new optional parameter': (document) =>
    document.addIn(operation('/health', 'get', 'parameters'), {
      name: 'deep',
      in: 'query',
      schema: { type: 'boolean' },
    }),
  'a new operation': (document) =>
    document.setIn(['paths', '/colours'], {
      get: { operationId: 'listColours', responses: { 204: { description: 'None.' } } },
    }),
}

const patches: Record<string, Change> = {
  'another description': (document) => document.setIn(operation('/todos', 'get', 'summary'), 'Read todos'),
  'an operation is deprecated': (document) => document.setIn(operation('/todos', 'get', 'deprecated'), true),
}

const bump = (version: string) => (document: Document) => document.setIn(VERSION, version)

describe('contract:diff', { concurrency: 2 }, () => {
  const table: [changes: Record<string, Change>, enough: string, tooLittle: string][] = [
    [breaking, '2.0.0', '1.3.0'],
    [additions, '1.3.0', '1.2.4'],
    [patches, '1.2.4', '1.2.3'],
  ]
  for (const [changes, enough, tooLittle] of table) {
    for (const [what, change] of Object.entries(changes)) {
      it(`${what}: ${tooLittle} after 1.2.3 is too little`, async () => {
        const { exitCode, output } = await compare(await repositoryWith(changed(change, bump(tooLittle))))
        assert.equal(exitCode, 1, output)
        assert.match(output, /these changes require a (major|minor|patch) bump/)
      })
    }
    it(`${Object.keys(changes).join(', ')}: ${enough} is enough`, async () => {
      const all = changed(...Object.values(changes), bump(enough))
      const { exitCode, output } = await compare(await repositoryWith(all))
      assert.equal(exitCode, 0, output)
    })
  }

  it('passes when nothing changed since the release', async () => {
    const { exitCode, output } = await compare(await repositoryWith(changed(bump('1.2.3'))))
    assert.equal(exitCode, 0, output)
  })

  it('says that there is nothing to compare with before the first release', async () => {
    const { exitCode, output } = await compare(await repositoryWith(changed(bump('9.9.9')), 'v1.2.3-beta.1'))
    assert.equal(exitCode, 0)
    assert.match(output, /no release yet/)
  })

  it('fails in a clone that may just not have fetched the release', async () => {
    const folder = await repositoryWith(changed(bump('1.2.3')), '')
    const clone = await mkdtemp(join(tmpdir(), 'todo-shallow-'))
    after(() => rm(clone, { recursive: true }))
    const git = (...parameters: string[]) => execFileSync('git', ['-C', folder, ...parameters])
    git(
      '-c',
      'user.name=Test',
      '-c',
      'user.email=test@example.com',
      'commit',
      '--quiet',
      '--allow-empty',
      '-m',
      'More',
    )
    execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${folder}`, clone])
    const { exitCode, output } = await compare(clone)
    assert.equal(exitCode, 1)
    assert.match(output, /shallow/)
  })

  it('writes a table for a pull request and annotations for its files', async () => {
    const change = breaking['a limit of the request is lower'] as Change
    const folder = await repositoryWith(changed(change, bump('1.2.3')))
    const markdown = await compare(folder, '--format', 'markdown')
    assert.match(markdown.output, /\| .*major \| modified \| .*maxLength/)
    const annotations = await compare(folder, '--format', 'github-actions')
    assert.match(annotations.output, /^::error .*file=openapi\.yaml,line=\d+.*'200' to '100'/m)
  })
})
