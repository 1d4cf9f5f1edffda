import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ECSClient } from '@aws-sdk/client-ecs'
import { startAws } from '../emulated/emulated-aws.js'
import { preparedOrSkipped } from '../emulated/missing.js'
import { Stacks } from '../emulated/stacks.js'
import { emulatedEnvironment, findTerraform, providerMirror } from '../emulated/terraform.js'
import { settings, validated } from '../settings.js'
import { startRegistry } from './registry.js'
import { StandIn } from './stand-in.js'
import { rehearse } from './workflow.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
/** An emulated AWS with the bootstrap applied, a registry, and what takes the place of GitHub's own program. */
async function prepare() {
  const registry = await startRegistry()
  const aws = await startAws()
  const stacks = new Stacks(validated(settings))
  const version = stacks.providerVersion()
  const terraform = await findTerraform(aws.url, version)
  stacks.stateOnDisk(true)
  await terraform(stacks.directory('bootstrap'), 'init')
  await terraform(stacks.directory('bootstrap'), 'apply', '-auto-approve')
  const folder = mkdtempSync(join(tmpdir(), 'rehearsal-'))
  writeFileSync(join(folder, 'gh'), `#!/bin/sh\necho "$@" >> ${folder}/gh.log\n`)
  chmodSync(join(folder, 'gh'), 0o755)
  const mirror = providerMirror(version)
  const env = {
    ...(emulatedEnvironment(aws.url) as Record<string, string>),
    ...(mirror && { TF_CLI_ARGS_init: `-plugin-dir=${mirror}` }),
    PATH: `${folder}:${process.env.PATH}`,
    GITHUB_REPOSITORY: settings.project.repository,
    STACKS: join(stacks.folder, 'stacks'),
    ENVIRONMENT: 'staging',
    REPOSITORY_URL: `${registry.host}/${settings.project.name}`,
    SSL_CERT_FILE: registry.trust,
    DOCKER: 'podman',
    PLATFORMS: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
  const ecs = new ECSClient({
    endpoint: aws.url,
    region: settings.project.region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const standIn = await StandIn.start(ecs, `${settings.project.name}-staging`, registry)
  return { aws, folder, env, standIn }
}

const { prepared, skip } = await preparedOrSkipped(prepare)

describe('From a commit to a service, without a cloud', { skip }, () => {
  if (!prepared) return
  const { aws, folder, env, standIn } = prepared
  let good = ''

  after(async () => {
    await standIn.stop()
    aws.stop()
    rmSync(folder, { recursive: true })
  })

  /** Pushes what is in release/, and gives its digest. */
  const push = async () => {
    const { stdout } = await run('.ci/image', ['push'], { cwd: root, env })
    assert.match(stdout, /^digest_(amd64|arm64)=sha256:/m)
    return /^digest=(sha256:[0-9a-f]{64})$/m.exec(stdout)?.[1] ?? ''
  }

  /** Pushes another version in the place of this commit's, made of the good one by some lines of a Dockerfile. */
  const pushVariant = async (...lines: string[]) => {
    const [dockerfile, list] = [join(folder, 'Dockerfile'), 'localhost/todo-variant']
    writeFileSync(dockerfile, [`FROM ${env.REPOSITORY_URL}@${good}`, ...lines].join('\n'))
    await run('podman', ['build', '--platform', env.PLATFORMS, '--manifest', list, folder], { env })
    await run('podman', ['manifest', 'push', '--all', list, `oci-archive:${folder}/image.tar`])
    await run('podman', ['manifest', 'rm', list])
    copyFileSync(join(folder, 'image.tar'), `${root}release/image.tar`)
    return push()
  }

  /** Runs the job that deploys to an environment, as the workflow says. */
  const deploy = () =>
    rehearse('deploy-environment.yml', 'deploy', {
      env: { ...env, CONTRACT_URL: standIn.url },
      leftOut: ['npm ci', 'npm run synth'],
      after: { service: () => standIn.follow() },
    })

  it('the image is built once, and pushed under its version and commit', async () => {
    await run('.ci/image', ['build'], { cwd: root, env, maxBuffer: 2 ** 26 })
    good = await push()
    const { stdout } = await run('.ci/image', ['digest'], { cwd: root, env })
    assert.equal(stdout.trim(), `digest=${good}`)
  })

  it('its files are the same for every architecture', async () => {
    const image = `${env.REPOSITORY_URL}@${good}`
    const { stdout } = await run('podman', ['run', '--rm', image, 'find', '/app', '-name', '*.node'], { env })
    assert.equal(stdout, '')
  })

  it('it is verified and deployed by its digest, database first, and keeps the contract', async () => {
    const { commands, failed, outputs, summary } = await deploy()
    assert.equal(failed, undefined, failed?.output)
    assert.deepEqual(commands, [
      '.ci/deploy verify >> "$GITHUB_OUTPUT"',
      '.ci/deploy running >> "$GITHUB_OUTPUT"',
      '.ci/deploy plan database',
      '.ci/deploy apply database',
      '.ci/deploy plan service',
      '.ci/deploy apply service',
      '.ci/deploy steady >> "$GITHUB_OUTPUT"',
      'npm run contract:test',
    ])
    assert.match(
      readFileSync(join(folder, 'gh.log'), 'utf8'),
      new RegExp(`^attestation verify oci://.*@${good} `),
    )
    assert.deepEqual(outputs.before, { digest: '' })
    assert.match(outputs.steady?.url ?? '', /^http:\/\/todo-staging/)
    assert.match(
      summary,
      /Plan of the database in staging.*Plan: \d+ to add.*Plan of the service in staging/s,
    )
    assert.equal(await standIn.digest(), good)
  })

  it('a version that breaks the contract is taken back', async () => {
    const broken = await pushVariant(
      'USER 0',
      'RUN sed -i s:application/problem+json:application/json: dist/contract/*.js',
      'USER 1000:1000',
    )
    const { commands, failed, outputs } = await deploy()
    assert.equal(outputs.image?.digest, broken)
    assert.equal(failed?.command, 'npm run contract:test', failed?.output)
    assert.equal(commands.at(-1), '.ci/deploy rollback')
    await standIn.follow()
    assert.equal(await standIn.digest(), good)
    assert.equal((await fetch(`${standIn.url}/health/ready`)).status, 200)
  })

  it('a version that does not get healthy is told from one that runs, and taken back', async () => {
    await pushVariant('CMD ["node", "--eval", "setInterval(() => {}, 1000)"]')
    const { commands, failed } = await deploy()
    assert.equal(failed?.command, '.ci/deploy steady >> "$GITHUB_OUTPUT"')
    assert.match(failed?.output ?? '', /ECS does not run sha256:\w+: its tasks did not get healthy/)
    assert.equal(commands.at(-1), '.ci/deploy rollback')
    await standIn.follow()
    assert.equal(await standIn.digest(), good)
  })
})
