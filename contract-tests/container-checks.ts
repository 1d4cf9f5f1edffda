import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Container, execute, type Image, labelsOfCheckout, startContainer } from './container.js'
import { mustRun, temporaryDirectory } from './processes.js'
import { runPythonTool } from './python.js'
import { type Checks, carryOut, missing, type Row } from './report.js'
import { type Own, waitUntilReady } from './service.js'

const part = 'Container'
const root = fileURLToPath(new URL('../', import.meta.url))

/** Looks whether the image and the container are as the README promises. */
export async function containerChecks(own: Own): Promise<Row[]> {
  return [await hadolint(), ...(await carryOut(part, checks, own))]
}

async function hadolint(): Promise<Row> {
  const what = 'hadolint finds nothing in the Dockerfile'
  const ended = await runPythonTool('hadolint', ['--no-color', 'Dockerfile'], { directory: root })
  if (!ended) return missing(part, what, 'there is no python3')
  return {
    part,
    what,
    state: ended.exitCode === 0 ? 'passed' : 'failed',
    remarks: ended.output.trim().split('\n'),
  }
}

const checks: Checks<Own> = {
  async 'node is the first process, without rights'({ image, container }) {
    const read = async (file: string) => (await execute(image, container, ['cat', `/proc/1/${file}`])).output
    assert.match(await read('cmdline'), /^node\0/)
    const status = await read('status')
    assert.match(status, /^Uid:\s+1000\s/m)
    assert.match(status, /^CapEff:\s+0+$/m)
    assert.match(status, /^NoNewPrivs:\s+1$/m)
  },

  async 'only what a run needs is in it'({ image, container }) {
    const found = await execute(image, container, ['ls', '-A', '.', 'src'])
    assert.equal(
      found.output.trim(),
      '.:\ndist\nnode_modules\nopenapi.yaml\npackage.json\nsrc\n\nsrc:\ndatabase',
    )
    const lock = JSON.parse(await readFile(`${root}package-lock.json`, 'utf8')) as Lock
    const unwanted = Object.entries(lock.packages).filter(([, { dev, optional }]) => dev || optional)
    const list = ['sh', '-c', `ls -d ${unwanted.map(([path]) => path).join(' ')} 2>/dev/null`]
    assert.equal(
      (await execute(image, container, list)).output,
      '',
      'no development and no optional package is there',
    )
  },

  async 'its labels name version and revision'({ image }) {
    const labels = await mustRun(image.engine, ['inspect', '--format', '{{json .Config.Labels}}', image.name])
    const { VERSION, REVISION } = await labelsOfCheckout()
    const found = JSON.parse(labels) as Record<string, string>
    assert.equal(found['org.opencontainers.image.version'], VERSION)
    assert.equal(found['org.opencontainers.image.revision'], REVISION)
  },

  async 'its health check tells healthy from unhealthy'({ image, container }) {
    const test = await mustRun(image.engine, [
      'inspect',
      '--format',
      '{{json .Config.Healthcheck.Test}}',
      container.name,
    ])
    const [kind, ...command] = JSON.parse(test) as string[]
    assert.equal(kind, 'CMD')
    assert.equal((await execute(image, container, command)).exitCode, 0)
    assert.equal((await execute(image, container, command, ['PORT=9'])).exitCode, 1)
  },

  async 'it brings its documentation'({ container }) {
    const page = await fetch(`${container.url}/docs`)
    assert.equal(page.status, 200)
    assert.match(page.headers.get('Content-Type') ?? '', /^text\/html/)
  },

  async 'a manifest.json in the working directory is read'({ image, settings, volumes }) {
    const manifest = `${await temporaryDirectory()}/manifest.json`
    await writeFile(manifest, JSON.stringify(manifestOf(settings)))
    const container = await startContainer(image, {}, [...volumes, `${manifest}:/app/manifest.json:ro`])
    await waitUntilReady(container.url)
  },

  async 'SIGTERM lets it answer what has begun, and end with 0'({ image, settings, volumes }) {
    const container = await startContainer(image, settings, volumes)
    await waitUntilReady(container.url)
    const body = JSON.stringify({ title: 'Sent in two parts' })
    const begun = request(`${container.url}/todos`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length, expect: '100-continue' },
    })
    begun.flushHeaders()
    await once(begun, 'continue') // now the service has the request, and waits for its body
    await mustRun(image.engine, ['kill', '--signal', 'TERM', container.name])
    await untilStopping(image, container)
    begun.end(body)
    const [{ statusCode }] = await once(begun, 'response')
    assert.equal(statusCode, 201)
    assert.equal(await mustRun(image.engine, ['wait', container.name]), '0')
  },
}

interface Lock {
  readonly packages: Record<string, { readonly dev?: boolean; readonly optional?: boolean }>
}

/** The Flask app's settings file. */
function manifestOf({ PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD }: Own['settings']) {
  return {
    database_server_host: PGHOST,
    database_server_port: PGPORT,
    database: PGDATABASE,
    db_user: PGUSER,
    db_password: PGPASSWORD,
  }
}

/** Waits up to half a minute until the service says in its log that it was told to stop. */
async function untilStopping({ engine }: Image, { name }: Container): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await mustRun(engine, ['logs', name])).includes('Stopping.')) {
    assert.ok(Date.now() < end, 'the service was told to stop, and did not say that it does')
    await delay(50)
  }
}
