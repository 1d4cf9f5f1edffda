/**
 * node:http alone, without any contract: nothing is validated. STORE is `pool` for a pool of node-postgres, or `own` for
 * the service's own way to the database. With the service's flag for V8: this is the limit of the language.
 */
import '../../src/heap.js'
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Operation } from '../../src/contract/contract.js'
import { fieldsOf } from '../../src/contract/exchange.js'
import { crossOrigin, securityHeaders } from '../../src/contract/headers.js'
import { ownStore, poolStore } from './stores.js'
import { databaseUrl, handlersOn, logger, operations, port } from './surroundings.js'

const answer = handlersOn(
  process.env.STORE === 'own' ? ownStore(databaseUrl) : poolStore(databaseUrl, 'date'),
)
const everywhere = fieldsOf({ ...securityHeaders(), ...crossOrigin('*', operations).headers })
const byId = new Map(operations.map((operation) => [operation.operationId, operation]))

createServer(async (request, response) => {
  const start = performance.now()
  const { method, url = '/' } = request
  const requestId = randomUUID()
  await serve(request, response, requestId)
  const duration = performance.now() - start
  logger.info({ requestId, method, url, status: response.statusCode, duration }, 'request')
}).listen(Number(port), '127.0.0.1')

async function serve(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
  const { method = 'GET', url = '/', headers } = request
  const [pathname = '/', search] = url.split('?')
  const id = pathname.startsWith('/todos/') ? pathname.slice('/todos/'.length) : undefined
  const given = { path: { id }, query: search === undefined ? {} : queryOf(search), headers }
  const body = method === 'GET' ? undefined : JSON.parse(await textOf(request))
  const origin = `http://${headers.host}`
  const result = await answer(operationOf(method, id), { ...given, body, origin })
  const content = JSON.stringify(result.body ?? result.problem)
  const fields = [
    ...everywhere,
    'X-Request-Id',
    requestId,
    'Cache-Control',
    'no-cache',
    ...fieldsOf(result.headers ?? {}),
  ]
  if (content !== undefined)
    fields.push('Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(content)))
  response.writeHead(result.status, fields).end(content)
}

function operationOf(method: string, id: string | undefined): Operation {
  const forList = method === 'POST' ? 'createTodo' : 'listTodos'
  const forOne = method === 'PATCH' ? 'updateTodo' : 'getTodo'
  return byId.get(id === undefined ? forList : forOne) as Operation
}

/** The query as the handlers expect it, with nothing checked. */
function queryOf(search: string) {
  const {
    limit = '50',
    sort = 'createdAt',
    status,
    ...rest
  } = Object.fromEntries(new URLSearchParams(search))
  return { ...rest, limit: Number(limit), sort, ...(status !== undefined && { status: [status] }) }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
