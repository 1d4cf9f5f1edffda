import { randomUUID } from 'node:crypto'
import { contractFile, loadContract, operationsOf } from '../src/contract/contract.js'
import { exposedHeaders } from '../src/contract/headers.js'
import { type Answer, ask, type Exchange, type Request, show } from './load.js'
import type { Works } from './work.js'

/** What every answer carries, whoever gives it; blanks after commas and semicolons apart. */
const HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': exposedHeaders(operationsOf(await loadContract(contractFile))).join(','),
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'strict-transport-security': 'max-age=31536000;includeSubDomains',
  'x-content-type-options': 'nosniff',
}

/**
 * Makes sure that a server does all the work that its measurements stand for: the same headers, idempotency, entity
 * tags, and problem details, the last where it validates.
 *
 * @throws at the first answer that is wrong
 */
export async function rehearse(url: string, works: Works, validates: boolean): Promise<void> {
  const check = async ({ request, check }: Exchange) => {
    const answer = await ask(url, request)
    const fault = check(answer) ?? headerFault(answer)
    if (fault)
      throw new Error(`${url} ${request.method} ${request.path}: ${fault}; it answered ${show(answer)}`)
    return answer
  }
  const { refuse, ...others } = works
  for (const next of Object.values(others)) await check(next(url))
  if (!validates) return
  await check(refuse())

  const key = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
  const create = { method: 'POST', path: '/todos', headers: key, body: '{"title":"Once"}' }
  const first = await check(expect(create, 201))
  const second = await check(expect(create, 201))
  if (second.text !== first.text) throw new Error(`${url} created a todo twice for one Idempotency-Key`)
  await check(expect({ ...create, body: '{"title":"Twice"}' }, 422, 'idempotency-key-reused'))

  const path = `/todos/${JSON.parse(first.text).id}`
  const stale = { 'content-type': 'application/merge-patch+json', 'if-match': '"9"' }
  await check(expect({ method: 'PATCH', path, headers: stale, body: '{"title":"Late"}' }, 412, 'requestId'))
  await check(expect({ method: 'DELETE', path }, 204))
  await check(expect({ method: 'GET', path }, 404, 'requestId'))
  await check(expect({ method: 'GET', path: '/todos?limit=0&colour=green' }, 400, 'requestId'))
}

function expect(request: Request, status: number, words = ''): Exchange {
  const check = (answer: Answer) =>
    answer.status === status && answer.text.includes(words) ? undefined : `${status} ${words} was expected`
  return { request, check }
}

/** What is missing or wrong among the headers that every answer carries. */
export function headerFault({ headers }: Answer): string | undefined {
  const wrong = Object.entries(HEADERS).find(
    ([name, value]) => String(headers[name]).replaceAll(/[,;] /g, (separator) => separator.trim()) !== value,
  )
  if (wrong) return `${wrong[0]} is ${headers[wrong[0]]}, not ${wrong[1]}`
  return headers['x-request-id'] ? undefined : 'x-request-id is missing'
}
