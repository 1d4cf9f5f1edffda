import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, serve } from './support/client.js'

const { client } = await serve()
const chosen = ['https://a.example.org', 'https://b.example.org:8443']
const { client: limited } = await serve({ CORS_ORIGIN: chosen.join(', ') })

const readable = new Set(['ETag', 'Link', 'Location', 'X-Request-Id', 'Retry-After'])
const listOf = (value: unknown) => String(value ?? '').split(/\s*,\s*/)

/** Answers of every kind: of the contract, of the router, of the parser. */
async function answersTo(asked: Client, origin: string) {
  const headers = { Origin: origin }
  return [
    await asked.get('/todos', headers),
    await asked.post({ title: 'A' }, headers),
    await asked.post({}, headers),
    await asked.get('/nothing', headers),
    await asked.send('PUT', '/todos', { headers }),
    await asked.get('/health', headers),
  ]
}

test('pages of any origin may read every answer and the headers that matter', async () => {
  const refused = await client.raw('nonsense\r\n\r\n', ['GET', '/'])
  for (const { headers } of [...(await answersTo(client, 'https://any.example.org')), ...refused]) {
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.deepEqual(new Set(listOf(headers['access-control-expose-headers'])), readable)
    assert.equal(headers['cross-origin-resource-policy'], 'cross-origin')
  }
})

test('a preflight allows every method of the contract and the headers that it asks for', async () => {
  for (const path of ['/todos', '/todos/x', '/nothing']) {
    const answer = await client.send('OPTIONS', path, {
      headers: {
        Origin: 'https://any.example.org',
        'Access-Control-Request-Method': 'PATCH',
        'Access-Control-Request-Headers': 'content-type,if-match,idempotency-key',
      },
    })
    assert.equal(answer.status, 204)
    assert.equal(answer.headers['access-control-allow-origin'], '*')
    assert.equal(answer.headers['access-control-allow-headers'], 'content-type,if-match,idempotency-key')
    const methods = listOf(answer.headers['access-control-allow-methods'])
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      assert.ok(methods.includes(method), method)
  }
})

test('with CORS_ORIGIN only those origins may', async () => {
  for (const origin of chosen) {
    for (const { headers } of await answersTo(limited, origin)) {
      assert.equal(headers['access-control-allow-origin'], origin)
      assert.ok(listOf(headers.vary).includes('Origin'))
      assert.deepEqual(new Set(listOf(headers['access-control-expose-headers'])), readable)
    }
  }
  for (const origin of [
    'https://c.example.org',
    'http://a.example.org',
    'https://a.example.org.evil.example',
    'null',
  ]) {
    for (const { headers } of await answersTo(limited, origin)) {
      assert.equal(headers['access-control-allow-origin'], undefined)
      assert.ok(
        listOf(headers.vary).includes('Origin'),
        'a cache must not give this answer to an origin that may',
      )
    }
  }
})
