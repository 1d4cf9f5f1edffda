import createClient from 'openapi-fetch'
import type { paths } from './todo-api.js'

const client = createClient<paths>({
  baseUrl: 'http://localhost:3000',
})
const { error } = await client.DELETE('/todos/{id}', {
  params: {
    path: { id: '01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e' },
  },
})
// 404: it was deleted before.
if (error && error.status !== 404)
  throw new Error(error.detail)
