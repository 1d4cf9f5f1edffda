import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import pino from 'pino'
import { parseDocument } from 'yaml'
import { readConfiguration } from '../src/configuration.js'
import { createService } from '../src/contract/app.js'
import { contractFile, loadContract, operationsOf } from '../src/contract/contract.js'
import type { Handlers } from '../src/contract/types.js'

const folder = await mkdtemp(join(tmpdir(), 'todo-deprecation-'))
after(() => rm(folder, { recursive: true }))

/** The contract, with more said about `GET /todos`. */
async function contractWith(fields: Record<string, unknown>) {
  const document = parseDocument((await loadContract(contractFile)).text)
  for (const [name, value] of Object.entries(fields)) document.setIn(['paths', '/todos', 'get', name], value)
  const file = join(folder, 'openapi.yaml')
  await writeFile(file, String(document))
  return loadContract(pathToFileURL(file))
}

/** Serves a contract whose list has always one more page, and whose other operations all fail. */
async function serve(fields: Record<string, unknown>): Promise<string> {
  const contract = await contractWith(fields)
  const failing = operationsOf(contract).map(({ operationId }) => [
    operationId,
    () => Promise.reject(operationId),
  ])
  const handlers: Handlers = {
    ...(Object.fromEntries(failing) as Handlers),
    listTodos: async () => ({ status: 200, body: [], headers: { Link: '</todos?cursor=a>; rel="next"' } }),
  }
  const { server } = await createService({
    contract,
    handlers,
    logger: pino({ level: 'silent' }),
    publicUrl: undefined,
    trustProxy: false,
    corsOrigin: '*',
    limits: readConfiguration({}, tmpdir()).serviceLimits,
    documentation: (_request, _response, next) => next(),
    isUnavailable: () => false,
    isStopping: () => false,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const whole = {
  deprecated: true,
  'x-deprecated-since': '2023-06-30T23:59:59Z',
  'x-sunset': '2024-06-30',
  externalDocs: { url: 'https://example.com/todos-2' },
}

describe('an operation that the contract deprecates', () => {
  it('says since when, until when and what to read, in every answer', async () => {
    const url = await serve(whole)
    for (const query of ['', '?limit=0', '?nothing=1']) {
      for (const method of ['GET', 'HEAD']) {
        const { headers } = await fetch(`${url}/todos${query}`, { method })
        assert.equal(headers.get('Deprecation'), '@1688169599')
        assert.equal(headers.get('Sunset'), 'Sun, 30 Jun 2024 00:00:00 GMT')
        const exposed = headers.get('Access-Control-Expose-Headers')?.split(',') ?? []
        assert.ok(['Deprecation', 'Sunset', 'Link'].every((name) => exposed.includes(name)))
        assert.match(headers.get('Link') ?? '', /<https:\/\/example\.com\/todos-2>; rel="deprecation"/)
      }
    }
  })

  it('keeps its other links', async () => {
    const { headers } = await fetch(`${await serve(whole)}/todos`)
    const links = (headers.get('Link') ?? '').split(', ')
    assert.deepEqual(links.map((link) => /rel="(.+)"/.exec(link)?.[1]).sort(), ['deprecation', 'next'])
  })

  it('leaves the other operations alone', async () => {
    const url = await serve(whole)
    const options = { method: 'POST', body: '{"title":"x"}', headers: { 'Content-Type': 'application/json' } }
    for (const response of [await fetch(`${url}/todos`, options), await fetch(`${url}/health`)]) {
      assert.equal(response.headers.get('Deprecation'), null)
      assert.equal(response.headers.get('Link'), null)
    }
  })

  it('needs neither an end nor a document', async () => {
    const url = await serve({ deprecated: true, 'x-deprecated-since': '1970-01-02' })
    const { headers } = await fetch(`${url}/todos`)
    assert.equal(headers.get('Deprecation'), '@86400')
    assert.equal(headers.get('Sunset'), null)
    assert.equal(headers.get('Link'), '</todos?cursor=a>; rel="next"')
  })
})

describe('a contract that is wrong about an end stops the start', () => {
  const since = { 'x-deprecated-since': '2030-06-01' }
  const refusals: [what: string, fields: Record<string, unknown>, message: RegExp][] = [
    [
      'a date that is none',
      { deprecated: true, 'x-deprecated-since': 'soon' },
      /x-deprecated-since must be .*"soon"/,
    ],
    [
      '30 February',
      { ...since, deprecated: true, 'x-sunset': '2031-02-30' },
      /x-sunset must be .*"2031-02-30"/,
    ],
    ['a time without offset', { deprecated: true, 'x-deprecated-since': '2030-06-01T09:00:00' }, /must be/],
    ['a number', { deprecated: true, 'x-deprecated-since': 1_688_169_599 }, /must be .*1688169599/],
    ['an end before the beginning', { ...since, deprecated: true, 'x-sunset': '2030-05-31' }, /earlier/],
    ['no beginning', { deprecated: true }, /x-deprecated-since is missing/],
    ['dates without deprecated', since, /not `deprecated: true`/],
    ['an end without deprecated', { 'x-sunset': '2030-06-01' }, /not `deprecated: true`/],
    [
      'a relative link',
      { ...since, deprecated: true, externalDocs: { url: 'new.html' } },
      /absolute address/,
    ],
  ]
  for (const [what, fields, message] of refusals) {
    it(what, async () => {
      await assert.rejects(serve(fields), (error: Error) => {
        assert.equal(error.name, 'StartError')
        assert.match(error.message, message)
        assert.match(error.message, /openapi\.yaml, operation listTodos/)
        return true
      })
    })
  }
})
