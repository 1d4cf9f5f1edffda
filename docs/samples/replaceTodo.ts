import createClient from 'openapi-fetch'
import type { paths } from './todo-api.js'

const client = createClient<paths>({
  baseUrl: 'http://localhost:3000',
})
const { data, error } = await client.PUT('/todos/{id}', {
  params: {
    path: { id: '01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e' },
    // The ETag that you read: only if nobody changed it since.
    header: { 'If-Match': '"1"' },
  },
  // What is left out gets its default.
  body: { title: 'Water the cactus', order: 3 },
})
if (error?.status === 412) throw new Error('Read it again.')
if (error) throw new Error(error.detail)
console.log(data.title)
