import assert from 'node:assert/strict'
import type { Client } from './client.js'
import type { Service } from './service.js'

/** Creates a todo, and returns when that is acknowledged. */
export async function createTodo(service: Service, title: string): Promise<void> {
  const response = await fetch(`${service.url}/todos`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ title }),
  })
  assert.equal(response.status, 201)
}

/** The titles of the first page of todos, in order of creation. */
export async function listTitles(service: Service): Promise<string[]> {
  const response = await fetch(`${service.url}/todos`)
  assert.equal(response.status, 200)
  const todos = (await response.json()) as { title: string }[]
  return todos.map((todo) => todo.title)
}

/** As many todos as fit a page, as large as they can be: 2.4 MB of JSON. */
export async function fillPage(client: Client): Promise<void> {
  const description = '\u0001'.repeat(4_000)
  // No more at a time than are handled: on a busy machine others would wait for too long.
  for (let count = 0; count < 100; count += 10)
    await Promise.all(Array.from({ length: 10 }, () => client.create({ description })))
}
