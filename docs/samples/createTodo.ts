import createClient from 'openapi-fetch'
import type { paths } from './todo-api.js'

const client = createClient<paths>({
  baseUrl: 'http://localhost:3000',
})
const { data, error } = await client.POST('/todos', {
  // Makes it safe to send again after a time-out.
  params: {
    header: { 'Idempotency-Key': crypto.randomUUID() },
  },
  body: { title: 'Water the plants', status: 'pending' },
})
if (error) throw new Error(error.detail)
console.log(data.url)
