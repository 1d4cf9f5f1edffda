/** A session with the Todo API: `node example.js http://localhost:3000`, after `npm install` of this package. */
import { createTodoClient, type Problem } from 'todo-contract-first-client'

const client = createTodoClient(process.argv[2] ?? 'http://localhost:3000')

// Create. With an idempotency key it is safe to send the request again when no answer came.
const created = await client.POST('/todos', {
  params: { header: { 'Idempotency-Key': crypto.randomUUID() } },
  body: { title: 'Water the plants', deadline: '2030-06-01T09:00:00+02:00' },
})
if (!created.data) throw new Error(explain(created.error))
const todo = created.data
const tag = created.response.headers.get('ETag') ?? ''
console.log(`created ${todo.url}, version ${tag}`)

// Page through everything that is open, a hundred at a time.
let open = 0
for await (const { data, error } of client.pages({ completed: false, limit: 100 })) {
  if (!data) throw new Error(explain(error))
  open += data.length
}
console.log(`${open} open`)

// Update it twice with the same entity tag: the second time it is out of date, and nothing is changed.
for (const status of ['in_progress', 'completed'] as const) {
  const { data, error } = await client.PATCH('/todos/{id}', {
    params: { path: { id: todo.id }, header: { 'If-Match': tag } },
    body: { status, deadline: null },
  })
  if (data) console.log(`updated: ${data.status}`)
  else if (error.status === 412) console.log('somebody else was faster: read it again, then decide')
  else throw new Error(explain(error))
}

// Every error is a problem that says all that is wrong.
const { error } = await client.POST('/todos', { body: { title: ' ', order: 1.5 } })
if (error) console.log(explain(error))

await client.DELETE('/todos/{id}', { params: { path: { id: todo.id } } })

function explain({ status, detail, errors = [] }: Problem): string {
  const places = errors.map((each) => `${each.pointer ?? each.parameter ?? each.header} ${each.detail}`)
  return [`${status}: ${detail}`, ...places].join('\n  ')
}
