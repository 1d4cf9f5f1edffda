import assert from 'node:assert/strict'
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
