import createClient from 'openapi-fetch'
import type { paths } from './todo-api.js'

const client = createClient<paths>({
  baseUrl: 'http://localhost:3000',
})
const { data, error, response } = await client.GET(
  '/todos/{id}',
  {
    params: {
      path: { id: '01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e' },
    },
  },
)
if (error) throw new Error(error.detail)
console.log(data.title, response.headers.get('ETag'))
