import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { before, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js'
import { parse } from 'yaml'
import { createDatabase, findFreePort } from './support/cluster.js'
import { type Service, startService, waitUntil } from './support/service.js'

const paths = ['/docs', '/docs/redoc.js', '/openapi.yaml', '/openapi.json']
const publicUrl = 'https://todo.example.org/api'
const local = 'http://localhost:3000'

interface Answer {
  status: number | undefined
  headers: IncomingHttpHeaders
  body: Buffer
}

/** A request as it is: fetch would add an Accept-Encoding and take the coding off. */
async function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const sent = request(url, { method, headers }).end()
  const [response] = await once(sent, 'response')
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) }
}

type SampledOperation = OpenAPIV3.OperationObject & {
  'x-codeSamples'?: { label: string; source: string }[]
}

const operationsOf = (document: OpenAPIV3.DocumentV3) =>
  Object.values(document.paths).flatMap((item) =>
    Object.values(item as Record<string, SampledOperation>).filter(({ operationId }) => operationId),
  )

let service: Service

before(async () => {
  service = await startService()
})

test('the root leads to the page', async () => {
  const { status, headers } = await ask(`${service.url}/`)
  assert.equal(status, 302)
  assert.equal(new URL(String(headers.location), `${service.url}/`).href, `${service.url}/docs`)
  const page = await ask(`${service.url}/docs`)
  assert.equal(page.status, 200)
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  assert.match(page.body.toString(), /<title>Todo API<\/title>/)
})

test('the contract is served as it is in the repository, with samples in four languages', async () => {
  const yaml = await ask(`${service.url}/openapi.yaml`)
  assert.match(String(yaml.headers['content-type']), /^application\/yaml/)
  const served: OpenAPIV3.DocumentV3 = parse(yaml.body.toString())
  for (const operation of operationsOf(served)) {
    const samples = operation['x-codeSamples'] ?? []
    assert.deepEqual(
      samples.map(({ label }) => label),
      ['curl', 'TypeScript', 'Python', 'Go'],
    )
    delete operation['x-codeSamples']
  }
  assert.deepEqual(served, parse(await readFile('openapi.yaml', 'utf8')))
})

test('the contract as JSON says the same', async () => {
  const json = await ask(`${service.url}/openapi.json`)
  assert.match(String(json.headers['content-type']), /^application\/json/)
  const yaml = await ask(`${service.url}/openapi.yaml`)
  assert.deepEqual(JSON.parse(json.body.toString()), parse(yaml.body.toString()))
})

test('the page says the same as the contract', async () => {
  const { body } = await ask(`${service.url}/docs`)
  assert.deepEqual(contractInPage(body), parse((await ask(`${service.url}/openapi.yaml`)).body.toString()))
})

function contractInPage(page: Buffer): OpenAPIV3.DocumentV3 {
  const [, json = ''] = /const __redoc_definition = (.*);\n/.exec(page.toString()) ?? []
  return JSON.parse(json)
}

const accepted: [string | undefined, string | undefined][] = [
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip, deflate', 'gzip'],
  ['br;q=0, gzip;q=0.5', 'gzip'],
  ['*', 'br'],
  ['zstd', undefined],
  ['identity', undefined],
  [undefined, undefined],
]
const decoders = { br: brotliDecompressSync, gzip: gunzipSync }

for (const [accept, expected] of accepted) {
  test(`Accept-Encoding: ${accept ?? 'absent'} gets ${expected ?? 'no coding'}, everywhere`, async () => {
    for (const path of paths) {
      const plain = await ask(service.url + path)
      const coded = await ask(service.url + path, accept === undefined ? {} : { 'Accept-Encoding': accept })
      assert.equal(coded.status, 200)
      assert.equal(coded.headers['content-encoding'], expected)
      assert.match(String(coded.headers.vary), /Accept-Encoding/)
      const decode = decoders[expected as keyof typeof decoders] ?? ((body: Buffer) => body)
      assert.ok(decode(coded.body).equals(plain.body), path)
    }
  })
}

test('each coding has a strong entity tag of its own, which is the same at the next start', async () => {
  const tagsOf = async ({ url }: Service) =>
    Promise.all(
      paths.flatMap((path) =>
        ['br', 'gzip', 'identity'].map(async (coding) => {
          const { headers } = await ask(url + path, { 'Accept-Encoding': coding })
          assert.equal(headers['cache-control'], 'no-cache')
          return headers.etag
        }),
      ),
    )
  const tags = await tagsOf(service)
  for (const tag of tags) assert.match(String(tag), /^"[^"]+"$/)
  assert.equal(new Set(tags).size, tags.length)
  assert.deepEqual(await tagsOf(await startService()), tags)
})

test('a client that knows the entity tag gets 304 without a body', async () => {
  for (const path of paths) {
    const { headers } = await ask(service.url + path, { 'Accept-Encoding': 'br' })
    const tag = String(headers.etag)
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await ask(service.url + path, { 'Accept-Encoding': 'br', 'If-None-Match': known })
      assert.equal(again.status, 304, known)
      assert.equal(again.headers.etag, tag)
      assert.equal(again.body.length, 0)
    }
    assert.equal((await ask(service.url + path, { 'If-None-Match': tag })).status, 200, 'another coding')
  }
})

test('HEAD gives the headers of GET and no body', async () => {
  for (const path of ['/', ...paths]) {
    const got = await ask(service.url + path, { 'Accept-Encoding': 'br' })
    const head = await ask(service.url + path, { 'Accept-Encoding': 'br' }, 'HEAD')
    assert.equal(head.status, got.status)
    assert.equal(head.body.length, 0)
    for (const name of ['content-length', 'content-type', 'content-encoding', 'etag', 'location']) {
      assert.equal(head.headers[name], got.headers[name], `${path} ${name}`)
    }
  }
})

test('other methods are 405, and a slash at the end is another path', async () => {
  for (const path of ['/', ...paths]) {
    const { status, headers, body } = await ask(service.url + path, {}, 'POST')
    assert.equal(status, 405)
    assert.equal(headers.allow, 'GET, HEAD, OPTIONS')
    assert.equal(headers['content-type'], 'application/problem+json')
    assert.equal(JSON.parse(body.toString()).status, 405)
  }
  assert.equal((await ask(`${service.url}/docs/`)).status, 404)
})

test('the page may run its own scripts alone and reach no host', async () => {
  const { headers, body } = await ask(`${service.url}/docs`)
  const policy = Object.fromEntries(
    String(headers['content-security-policy'])
      .split('; ')
      .map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1)]),
  )
  const scripts = [...body.toString().matchAll(/<script[^>]*>(.*?)<\/script>/gs)].map(([, text = '']) => text)
  const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  assert.equal(scripts.length, 2)
  assert.deepEqual(policy, {
    'default-src': ["'none'"],
    'script-src': ["'self'", ...hashes],
    'style-src': ["'unsafe-inline'"],
    'img-src': ['data:'],
    'font-src': ['data:'],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
  })
})

test('with PUBLIC_URL the contract and the page name that server first, and use it in examples', async () => {
  const { url } = await startService({ PUBLIC_URL: publicUrl })
  const served: OpenAPIV3.DocumentV3 = parse((await ask(`${url}/openapi.yaml`)).body.toString())
  assert.deepEqual(
    served.servers?.map((server) => server.url),
    [publicUrl, local],
  )
  const page = (await ask(`${url}/docs`)).body
  const json = JSON.parse((await ask(`${url}/openapi.json`)).body.toString())
  assert.deepEqual(json, served)
  assert.deepEqual(contractInPage(page), served)
  const { servers: _servers, ...rest } = served
  assert.ok(!JSON.stringify(rest).includes(local))
  const [first] = operationsOf(served)
  for (const { source } of first?.['x-codeSamples'] ?? []) assert.ok(source.includes(publicUrl), source)
})

test('without the built page the service says which command builds it, and serves the contract', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'todo-documentation-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  for (const name of await readdir('.')) if (name !== 'dist') await symlink(resolve(name), join(folder, name))
  await cp('dist', join(folder, 'dist'), { recursive: true, filter: (path) => !path.endsWith('docs') })
  const port = await findFreePort()
  const env = { PATH: process.env.PATH, PORT: String(port), DATABASE_URL: await createDatabase() }
  const child: ChildProcess = spawn(process.execPath, [join(folder, 'dist/main.js')], { env })
  context.after(() => child.kill())
  let output = ''
  child.stdout?.on('data', (text) => {
    output += text
  })
  await waitUntil('the service is ready', () => output.includes('Ready on'))

  assert.match(output, /npm run docs/)
  const page = await ask(`http://127.0.0.1:${port}/docs`)
  assert.equal(page.status, 404)
  assert.match(JSON.parse(page.body.toString()).detail, /npm run docs/)
  const { body } = await ask(`http://127.0.0.1:${port}/openapi.yaml`)
  assert.equal(body.toString(), await readFile('openapi.yaml', 'utf8'))
})
