/** Each sample of docs/samples is run as a reader would run it, and must do what its operation does. */
import assert from 'node:assert/strict'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { contractFile, loadContract, operationsOf } from '../../src/contract/contract.js'
import { type Service, startService } from '../../test/support/service.js'
import { findProgram, leaveOut, run } from './tools.js'

/** What the samples name in the place of a reader's own service and todo. */
const exampleUrl = 'http://localhost:3000'
const exampleId = '01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e'

const python = resolve('node_modules/.cache/docs-python')

/** How to run a sample, and what must be installed for it. */
const languages = {
  sh: { program: 'curl', command: (file: string) => ['bash', file] },
  ts: { program: 'node', command: (file: string) => [process.execPath, '--import', 'tsx', file] },
  py: { program: 'python3', command: (file: string) => [join(python, 'bin/python'), file] },
  go: { program: 'go', command: (file: string) => ['go', 'run', file] },
}

interface Todo {
  id: string
  url: string
  title: string
  status: string
  deadline: string | null
  order: number | null
}

/** For each operation, what its samples print, and what they leave behind. */
const effects: Record<string, { prints?: RegExp; check?: (todo: Todo, output: string) => Promise<void> }> = {
  listTodos: { prints: /Water the plants/ },
  createTodo: {
    async check(_todo, output) {
      const [address = ''] = /http:\S+\/todos\/[0-9a-f-]{36}/.exec(output) ?? []
      assert.equal((await read(address))?.title, 'Water the plants')
    },
  },
  deleteTodos: {
    async check({ url }) {
      assert.equal((await read(url))?.status, 'pending')
      const completed = await fetch(`${service.url}/todos?completed=true`)
      assert.deepEqual(await completed.json(), [])
    },
  },
  getTodo: {
    prints: /Water the plants/,
    check: async (_todo, output) => assert.match(output, /"1"/, 'the entity tag'),
  },
  replaceTodo: {
    prints: /Water the cactus/,
    async check({ url }) {
      const { title, order, deadline } = (await read(url)) as Todo
      assert.deepEqual({ title, order, deadline }, { title: 'Water the cactus', order: 3, deadline: null })
    },
  },
  updateTodo: {
    prints: /completed/,
    async check({ url }) {
      const { title, status, deadline } = (await read(url)) as Todo
      assert.deepEqual(
        { title, status, deadline },
        { title: 'Water the plants', status: 'completed', deadline: null },
      )
    },
  },
  deleteTodo: { check: async ({ url }) => assert.equal(await read(url), undefined) },
  getLiveness: { prints: /healthy/ },
  getReadiness: { prints: /healthy/ },
}

let service: Service
let folder: string

before(async () => {
  service = await startService()
  folder = await mkdtemp(resolve('dist/samples-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function read(url: string): Promise<Todo | undefined> {
  const response = await fetch(url)
  if (response.status === 404) return undefined
  assert.equal(response.status, 200)
  return (await response.json()) as Todo
}

async function create(content: object): Promise<Todo> {
  const response = await fetch(`${service.url}/todos`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(content),
  })
  assert.equal(response.status, 201)
  return (await response.json()) as Todo
}

/** A copy of a sample that speaks to the service of this test, about a todo of this test. */
async function adapt(name: string, todo: Todo): Promise<string> {
  const source = await readFile(`docs/samples/${name}`, 'utf8')
  const file = join(folder, name)
  await writeFile(file, source.replaceAll(exampleUrl, service.url).replaceAll(exampleId, todo.id))
  return file
}

async function installRequests(): Promise<void> {
  const installed = await access(join(python, 'lib')).then(
    () => true,
    () => false,
  )
  if (!installed) await run('python3', ['-m', 'venv', python])
  const requirements = [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    'docs/test/requirements.txt',
  ]
  await run(join(python, 'bin/pip'), requirements)
}

const operationIds = operationsOf(await loadContract(contractFile)).map(({ operationId }) => operationId)

for (const [extension, { program, command }] of Object.entries(languages)) {
  test(`the samples for ${program} do what their operations do`, async (context) => {
    if (!(await findProgram(program))) return leaveOut(context, `${program} is not installed`)
    if (extension === 'py') await installRequests()
    for (const operationId of operationIds) {
      await context.test(operationId, async () => {
        const effect = effects[operationId]
        assert.ok(effect, `${operationId} is new: say here what its samples do.`)
        await fetch(`${service.url}/todos`, { method: 'DELETE' })
        const todo = await create({ title: 'Water the plants', deadline: '2030-06-01T09:00:00Z' })
        await create({ title: 'Water the roof', status: 'completed' })
        const [executable = '', ...parameters] = command(await adapt(`${operationId}.${extension}`, todo))
        const { stdout } = await run(executable, parameters, { timeout: 60_000 })
        assert.match(stdout, effect.prints ?? /^/)
        await effect.check?.(todo, stdout)
      })
    }
  })
}
