/** Where the operating system lets the process open few files: nothing fails for lack of them, and the log says why. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from './support/client.js'
import { openConnection } from './support/connection.js'
import { linesOfLimit, startService, waitUntil } from './support/service.js'

test('connections are limited to the files that may be open; those closed are logged once', async () => {
  const launcher = ['sh', '-c', 'ulimit -n 150 && exec "$@"', 'sh']
  const service = await startService({}, undefined, undefined, launcher)
  const client = createClient(service.url)
  assert.match(String(service.logs[1]?.msg), /^CONNECTION_LIMIT is 74, .* \(ulimit -n\)\.$/)
  const idle = []
  for (let count = 0; count < 200; count += 1) idle.push(await openConnection(service.url))
  await Promise.all(idle.slice(0, 100).map(({ closed }) => closed))
  assert.ok(!idle.at(-1)?.socket.destroyed)
  for (let count = 0; count < 20; count += 1) await client.create()
  assert.equal(linesOfLimit(service, 'CONNECTION_LIMIT').length, 1)
  await service.stop()
  await waitUntil('the summary', () => service.logs.some(({ limit, count }) => limit && Number(count) > 100))
})
