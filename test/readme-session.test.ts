import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { serve } from './support/client.js'
import { runReadmeSession } from './support/readme-session.js'

const hasCurl = spawnSync('curl', ['--version']).status === 0 && spawnSync('sh', ['-c', 'true']).status === 0

test("the README's session works as printed", { skip: !hasCurl && !process.env.REQUIRE_ALL }, async () => {
  const { service, client } = await serve()
  const output = await runReadmeSession(service.url)
  const statuses = [...output.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  assert.deepEqual(statuses, ['201', '200', '412', '204'])
  assert.match(output, /"title":"Water the plants"/)
  assert.match(output, /"pointer":"\/colour".*"pointer":"\/title"/)
  assert.deepEqual((await client.get('/todos')).todos, [])
})
