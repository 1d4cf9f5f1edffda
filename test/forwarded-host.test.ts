import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, serve } from './support/client.js'

const { service, client } = await serve()
const proxied = await serve({ DATABASE_URL: service.databaseUrl, TRUST_PROXY: 'loopback' })
const hops = await serve({ DATABASE_URL: service.databaseUrl, TRUST_PROXY: '1' })
const elsewhere = await serve({ DATABASE_URL: service.databaseUrl, TRUST_PROXY: '10.0.0.0/8' })
const published = await serve({
  DATABASE_URL: service.databaseUrl,
  TRUST_PROXY: 'loopback',
  PUBLIC_URL: 'https://todo.example.org/api/',
})

const forwarded = { 'X-Forwarded-Host': 'todo.example.org', 'X-Forwarded-Proto': 'https' }

/** Every address that the service tells: of a todo, of where it was created, of the next page. */
async function addressesFrom(asked: Client, headers: Record<string, string>) {
  const [created] = [await asked.create({}, headers), await asked.create({}, headers)]
  const path = `/todos/${created.todo.id}`
  const list = await asked.get('/todos?limit=1', headers)
  return [
    created.todo.url,
    String(created.headers.location),
    (await asked.get(path, headers)).todo.url,
    (await asked.put(path, { title: 'B' }, headers)).todo.url,
    (await asked.patch(path, { title: 'C' }, headers)).todo.url,
    list.todos[0]?.url ?? '',
    list.next ?? '',
  ]
}

async function expectOrigin(asked: Client, headers: Record<string, string>, origin: string) {
  for (const address of await addressesFrom(asked, headers)) {
    assert.ok(address.startsWith(`${origin}/todos`), `${address} does not begin with ${origin}`)
  }
}

for (const host of [
  'localhost:3000',
  'a.example.org',
  '192.0.2.1:80',
  '[2001:db8::1]:8080',
  'my_service',
  'A-b.C',
]) {
  test(`links begin with the Host ${host}`, () => expectOrigin(client, { Host: host }, `http://${host}`))
}

test('what a proxy forwards counts only from a proxy that is trusted', async () => {
  const own = { Host: 'own.example.org', ...forwarded }
  await expectOrigin(client, own, 'http://own.example.org')
  await expectOrigin(elsewhere.client, own, 'http://own.example.org')
  await expectOrigin(proxied.client, own, 'https://todo.example.org')
  await expectOrigin(hops.client, own, 'https://todo.example.org')
})

test('of several forwarded hosts the first counts', async () => {
  const headers = { 'X-Forwarded-Host': 'a.example.org, b.example.org', 'X-Forwarded-Proto': 'https, http' }
  await expectOrigin(proxied.client, headers, 'https://a.example.org')
})

test('a forwarded protocol that is none of HTTP is http', async () => {
  const headers = { ...forwarded, 'X-Forwarded-Proto': 'javascript' }
  await expectOrigin(proxied.client, headers, 'http://todo.example.org')
})

test('a forwarded host that is none is 400', async () => {
  for (const host of [
    'a b',
    'a/b',
    'a@b',
    '<script>',
    'a:b',
    '[',
    '"',
    'a:65536',
    'a..b',
    'a'.repeat(300),
    ',a',
    '[:]',
  ]) {
    const answer = await proxied.client.post({ title: 'A' }, { 'X-Forwarded-Host': host })
    assert.equal(answer.status, 400, host)
    assert.deepEqual(answer.places, ['X-Forwarded-Host'])
  }
})

test('PUBLIC_URL comes before all, path included', async () => {
  await expectOrigin(
    published.client,
    { Host: 'own.example.org', ...forwarded },
    'https://todo.example.org/api',
  )
})
