import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Todo } from '../generated/contract.js'
import type { Contract } from '../src/contract/contract.js'
import { apiAt } from './api.js'
import { documented } from './documented.js'
import { exceptions } from './fuzzing.js'
import { interrupted } from './processes.js'
import type { ServiceProxy } from './proxy.js'
import { type Checks, carryOut, type Row } from './report.js'
import type { Service } from './service.js'

interface Subject {
  readonly contract: Contract
  readonly service: Service
  readonly proxy: ServiceProxy
}

/** Looks whether these tests themselves do as the README promises; the mutants show that they find faults. */
export function selfChecks(contract: Contract, service: Service, proxy: ServiceProxy): Promise<Row[]> {
  return carryOut('These tests', checks, { contract, service, proxy })
}

const checks: Checks<Subject> = {
  async 'a broken hooks file fails'({ contract, service, proxy }) {
    const broken = fileURLToPath(new URL('dredd/package.json', import.meta.url))
    const rows = await documented(contract, service, proxy, broken)
    assert.ok(rows.every(({ state }) => state === 'failed'))
  },

  async 'the exceptions of the fuzzing are four'() {
    assert.equal((await exceptions()).length, 4)
  },

  async "a run elsewhere leaves others' todos alone"({ service }) {
    const before = await withTodosOfOthers(service.url)
    const run = runElsewhere(service.url)
    const [output] = await Promise.all([text(run.stdout as NodeJS.ReadableStream), once(run, 'exit')])
    assert.deepEqual(await allTodos(service.url), before, 'the todos are not what they were')
    assert.equal(run.exitCode, 0, output)
    for (const leftOut of [
      'Dredd: deleteTodos 204',
      'Dredd: getTodo 500',
      'Dredd: getTodo 503',
      'Fuzzing: ',
    ]) {
      assert.ok(output.includes(`left out: ${leftOut}`), `${leftOut} is not listed as left out`)
    }
  },

  async 'an interrupted run elsewhere leaves nothing behind'({ service }) {
    const before = await withTodosOfOthers(service.url)
    const run = runElsewhere(service.url)
    run.stdout?.resume()
    while ((await allTodos(service.url)).length === before.length) {
      assert.equal(run.exitCode, null, 'the run ended before it was interrupted')
      await delay(20)
    }
    run.kill('SIGINT')
    await once(run, 'exit')
    assert.deepEqual(await allTodos(service.url), before, 'the todos are not what they were')
    assert.equal(run.exitCode, 130)
  },
}

/** What others have stored, of every kind. */
async function withTodosOfOthers(origin: string): Promise<Todo[]> {
  const api = apiAt(origin)
  await api.create({ title: "Somebody else's" })
  await api.create({ title: "Somebody else's, done", completed: true })
  await api.create({ title: "Somebody else's, due", deadline: '2130-01-01T00:00:00Z', order: 1 })
  return allTodos(origin)
}

async function allTodos(origin: string): Promise<Todo[]> {
  const api = apiAt(origin)
  const todos: Todo[] = []
  for (let next = `${origin}/todos?limit=100`; next !== ''; ) {
    const { body, headers } = await api.page(next)
    todos.push(...(JSON.parse(body) as Todo[]))
    next = /^<([^>]+)>/.exec(headers.link ?? '')?.[1] ?? ''
  }
  return todos
}

function runElsewhere(url: string): ChildProcess {
  const program = fileURLToPath(new URL('run.ts', import.meta.url))
  const run = spawn(process.execPath, ['--import', 'tsx', '--no-warnings', program], {
    env: { ...process.env, CONTRACT_URL: url, CONTRACT_EXCLUSIVE: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  interrupted.addEventListener('abort', () => run.kill())
  return run
}
