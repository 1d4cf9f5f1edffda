/**
 * `npm run test:journey`: the service's main job on real input. The README's session, and then a few hundred todos are
 * created, edited, completed, paged and deleted on the embedded database, across two restarts and a kill; in between
 * everything that is stored is compared with what was acknowledged.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Todo } from '../../generated/contract.js'
import { type Answer, type Client, createClient } from '../support/client.js'
import { makeFolder } from '../support/folders.js'
import { runReadmeSession } from '../support/readme-session.js'
import { type Service, startService, waitUntil } from '../support/service.js'
import { expectedList, type ListRequest, listAddress } from '../support/todo-model.js'
import { someChange, someTodo } from './todos.js'

const COUNT = 400

/** What the service acknowledged: each todo and its entity tag. */
type Ledger = Map<string, { todo: Todo; etag: string }>

const enter = (ledger: Ledger, { todo, etag }: Answer) => ledger.set(todo.id, { todo, etag })

/** Does something for each of many, eight at a time. */
async function forEach<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = [...items]
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await act(next)
  }
  await Promise.all(Array.from({ length: 8 }, work))
}

async function create(client: Client, ledger: Ledger): Promise<void> {
  const numbers = Array.from({ length: COUNT }, (_, index) => index)
  await forEach(numbers, async (number) => {
    const content = someTodo(number)
    const headers = number % 2 ? {} : { 'Idempotency-Key': `journey-${number}` }
    const answer = await client.post(content, headers)
    assert.equal(answer.status, 201, answer.text)
    assert.equal(answer.todo.title, content.title)
    assert.equal(answer.todo.description, content.description ?? null)
    enter(ledger, answer)
    if (number % 2 === 0) assert.equal((await client.post(content, headers)).text, answer.text)
  })
}

/** Edits todos by the tags that the ledger knows. */
async function edit(client: Client, ledger: Ledger, every: number): Promise<void> {
  const chosen = [...ledger.keys()].filter((_, index) => index % every === 0)
  await forEach(chosen, async (id) => {
    const known = ledger.get(id) ?? assert.fail()
    const change = someChange()
    const answer = await client.patch(known.todo.url, change, { 'If-Match': known.etag })
    assert.equal(answer.status, 200, answer.text)
    enter(ledger, answer)
    if (id.endsWith('0')) enter(ledger, await client.put(known.todo.url, { title: known.todo.title }))
  })
}

/** Edits until the service is killed, and returns the todos of which no answer says how they are. */
async function editUntilKilled(service: Service, ledger: Ledger): Promise<Set<string>> {
  const client = createClient(service.url)
  const unanswered = new Set<string>()
  let answers = 0
  const writing = forEach([...ledger.keys()], async (id) => {
    unanswered.add(id)
    enter(ledger, await client.patch(ledger.get(id)?.todo.url ?? assert.fail(), someChange()))
    unanswered.delete(id)
    answers += 1
  }).catch(() => {})
  await waitUntil('many edits are acknowledged', () => answers > COUNT / 4)
  await service.kill()
  await writing
  return unanswered
}

/** Compares every sort and some filters, page by page, and each todo with its tag. */
async function compare(client: Client, ledger: Ledger): Promise<void> {
  const acknowledged = [...ledger.values()].map(({ todo }) => todo)
  const requests: ListRequest[] = [
    ...['createdAt', '-createdAt', 'deadline', '-deadline', 'order', '-order'].map((sort) => ({
      sort,
      limit: 100,
    })),
    { limit: 7 },
    { sort: '-deadline', completed: false, limit: 33 },
    { sort: 'order', status: ['completed', 'pending'], limit: 50 },
    { sort: 'deadline', deadlineAfter: '2026-12-24T17:00:00Z', limit: 20 },
  ]
  for (const request of requests) {
    const pages = await client.pages(listAddress(request))
    assert.deepEqual(pages.flat(), expectedList(acknowledged, request), JSON.stringify(request))
  }
  await forEach([...ledger.values()], async ({ todo, etag }) => {
    assert.equal((await client.get(todo.url, { 'If-None-Match': etag })).status, 304, todo.url)
  })
}

test('what was acknowledged is what is stored', async () => {
  const service = await startService({ DATA_DIRECTORY: await makeFolder() })
  const client = createClient(service.url)
  const ledger: Ledger = new Map()

  await runReadmeSession(service.url)
  assert.deepEqual((await client.get('/todos')).todos, [])
  await create(client, ledger)
  await compare(client, ledger)

  assert.equal(await service.stop(), 0, JSON.stringify(service.logs.slice(-5)))
  await service.restart()
  await compare(client, ledger)
  await edit(client, ledger, 3)

  const unanswered = await editUntilKilled(service, ledger)
  await service.restart()
  for (const id of unanswered) {
    const { todo, etag } = ledger.get(id) ?? assert.fail()
    const found = await client.get(todo.url)
    const next = `"${Number(etag.slice(1, -1)) + 1}"`
    assert.ok(found.etag === next || found.etag === etag, 'a change is there once or not at all')
    enter(ledger, found)
  }
  await compare(client, ledger)

  await edit(client, ledger, 2)
  const deleted = [...ledger.values()].filter((_, index) => index % 5 === 0)
  await forEach(deleted, async ({ todo, etag }) => {
    assert.equal((await client.delete(todo.url, { 'If-Match': etag })).status, 204)
    ledger.delete(todo.id)
  })
  assert.equal(await service.stop(), 0, JSON.stringify(service.logs.slice(-5)))
  await service.restart()
  await compare(client, ledger)

  assert.equal((await client.delete('/todos?completed=true')).status, 204)
  for (const { todo } of [...ledger.values()].filter(({ todo }) => todo.completed)) ledger.delete(todo.id)
  await compare(client, ledger)
  assert.ok(ledger.size > COUNT / 4)
  console.log(
    `${COUNT} todos made, ${unanswered.size} left without an answer by the kill, ${ledger.size} there in the end`,
  )
})
