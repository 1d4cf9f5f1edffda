import createClient from 'openapi-fetch'
import type { paths } from './todo-api.js'

const client = createClient<paths>({
  baseUrl: 'http://localhost:3000',
})
const { error } = await client.DELETE('/todos', {
  // Only the completed ones; without this, all of them.
  params: { query: { completed: true } },
})
if (error) throw new Error(error.detail)
