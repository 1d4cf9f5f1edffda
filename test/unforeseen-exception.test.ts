/** An exception that nobody catches ends the service, but not the answers that are under way. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { createClient } from './support/client.js'
import { createInFlight } from './support/locked-todos.js'
import { startService, waitUntil } from './support/service.js'

/** What the service runs beside its own program: a fault that a signal sets off. */
const planted = (fault: string) =>
  `data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${fault} })`)}`

test('one that is no error is logged as well', async () => {
  const service = await startService({ NODE_OPTIONS: `--import=${planted('throw Object.create(null)')}` })
  const ended = once(service.process, 'exit')
  service.process.kill('SIGUSR2')
  assert.deepEqual(await ended, [1, null])
  await waitUntil('it is logged', () => service.logs.some(({ level }) => level === 'fatal'))
})

test('without one it ends with 0', async () => {
  const service = await startService({ NODE_OPTIONS: `--import=${planted('')}` })
  assert.equal(await service.stop(), 0)
})

const CIRCULAR = `const error = new TypeError('planted', { cause: new Error('why') }); error.cause.cause = error; throw error`

for (const [kind, fault] of [
  ['thrown', "throw new TypeError('planted', { cause: new Error('why') })"],
  ['thrown with itself as its cause', CIRCULAR],
  ['rejected', "Promise.reject(new TypeError('planted', { cause: new Error('why') }))"],
] as const) {
  test(`${kind}: the request in flight is answered, the cause is logged, and the exit code is 1`, async () => {
    const settings = { NODE_OPTIONS: `--import=${planted(fault)}`, STATEMENT_TIMEOUT: '60' }
    const service = await startService(settings)
    const { answer, release } = await createInFlight(service, createClient(service.url))
    const ended = once(service.process, 'exit')
    service.process.kill('SIGUSR2')
    service.process.kill('SIGUSR2')
    await waitUntil('it stops', () => service.logs.some(({ msg }) => msg === 'Stopping.'))
    await release()
    assert.equal((await answer).status, 201)
    assert.deepEqual(await ended, [1, null])
    await waitUntil('the last line', () => service.logs.some(({ msg }) => msg === 'Stopped.'))
    const { error } = service.logs.find(({ level }) => level === 'fatal') as {
      error: Record<string, unknown>
    }
    assert.equal(error.message, 'planted')
    assert.match(String(error.stack), /TypeError: planted/)
    assert.match(JSON.stringify(error.cause), /"message":"why"/)
  })
}
