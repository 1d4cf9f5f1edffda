import createClient from 'openapi-fetch'
import type { paths } from './todo-api.js'

const client = createClient<paths>({
  baseUrl: 'http://localhost:3000',
})
const { data, error } = await client.GET('/health/ready')
if (error) throw new Error(error.detail)
console.log(data.status)
