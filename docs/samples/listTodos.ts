import createClient from 'openapi-fetch'
import type { paths } from './todo-api.js'

const client = createClient<paths>({
  baseUrl: 'http://localhost:3000',
})
const { data, error, response } = await client.GET('/todos', {
  params: {
    query: { status: ['pending'], sort: 'deadline' },
  },
})
if (error) throw new Error(error.detail)
for (const { title, deadline } of data)
  console.log(deadline, title)
// Leads to the next page, if there is one.
console.log(response.headers.get('Link'))
