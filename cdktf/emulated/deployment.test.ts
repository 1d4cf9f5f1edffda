import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { settings, validated } from '../settings.js'
import { comparePolicy } from './deploy-policy.js'
import { startAws } from './emulated-aws.js'
import { preparedOrSkipped } from './missing.js'
import { ReadBack, requestCertificate } from './read-back.js'
import { expectNoChanges, Stacks } from './stacks.js'
import { findTerraform } from './terraform.js'

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const image = (letter: string) => `-var=image_digest=${digest(letter)}`
const approved = '-auto-approve'

/** Terraform, an emulated AWS, and the first stack ready to be applied. */
async function prepare() {
  const aws = await startAws()
  try {
    return { aws, ...(await prepareStacks(aws.url)) }
  } catch (error) {
    aws.stop()
    throw error
  }
}

async function prepareStacks(url: string) {
  const wanted = validated(settings)
  const { production } = wanted.environments
  const domain = 'todo.example.com'
  const https = { domain, certificateArn: await requestCertificate(url, wanted.project, domain) }
  wanted.environments.production = { ...production, https }
  const stacks = new Stacks(wanted)
  const terraform = await findTerraform(url, stacks.providerVersion())
  stacks.stateOnDisk(true)
  await terraform(stacks.directory('bootstrap'), 'init')
  return { wanted, stacks, terraform, read: new ReadBack(url, wanted.project.region) }
}

const { prepared, skip } = await preparedOrSkipped(prepare)

describe('The stacks on an emulated AWS, as the guide in README.md deploys them', { skip }, () => {
  if (!prepared) return
  const { wanted, stacks, aws, terraform, read } = prepared
  const bootstrap = stacks.directory('bootstrap')
  const database = stacks.directory('production-database')
  const service = stacks.directory('production-service')

  after(() => aws.stop())

  it('terraform accepts the staging stacks, whose network and way in are others', async () => {
    const accept = async (stack: string) => {
      await terraform(stack, 'init', '-backend=false')
      await terraform(stack, 'validate')
    }
    await Promise.all(['staging-database', 'staging-service'].map((name) => accept(stacks.directory(name))))
  })

  it('bootstrap: applied with its state on the disk, then moved into the bucket it made', async () => {
    await terraform(bootstrap, 'apply', approved)
    stacks.stateOnDisk(false)
    await terraform(bootstrap, 'init', '-migrate-state', '-force-copy')
    await expectNoChanges(terraform, bootstrap)
    aws.calls.clear()
  })

  it('database: applied under a lock that refuses a second one, then planned again without a change', async () => {
    await terraform(database, 'init')
    await terraform(database, 'validate')
    const applied = terraform(database, 'apply', approved)
    await read.until(() => read.hasState('production-database.tfstate.tflock'))
    await assert.rejects(terraform(database, 'plan'), /Error acquiring the state lock/)
    await applied
    await expectNoChanges(terraform, database)
  })

  it('service: refused without a digest, applied with one, then planned again without a change', async () => {
    await terraform(service, 'init')
    await terraform(service, 'validate')
    await assert.rejects(terraform(service, 'plan', '-var=image_digest=latest'), /sha256: and 64 hexadecimal/)
    await terraform(service, 'apply', approved, image('a'))
    await expectNoChanges(terraform, service, image('a'))
  })

  it('the network lets through exactly what it should', () => read.network())
  it('the database is encrypted, private, on TLS, and nobody knows its password', () => read.database())
  it('the service logs, is healthy on the right path and gets the secret by its address', () =>
    read.service(digest('a')))
  it('the way in, its firewall and its logs are as described', () => read.wayIn())
  it('the alarms watch and tell', () => read.alarms())
  it('the roles are for whom and what they are described', () => read.roles())

  it('another image is rolled out and back without anything else changing', async () => {
    const applied = await terraform(service, 'apply', approved, image('b'))
    assert.match(applied, /Plan: 1 to add, 1 to change, 1 to destroy/)
    await read.service(digest('b'))
    await terraform(service, 'apply', approved, image('a'))
    await read.service(digest('a'))
  })

  it('a restored cluster takes the place of the one that Terraform knew', async () => {
    const instances = ['writer', 'reader'].map((part) => [`aws_rds_cluster_instance.${part}`, part] as const)
    const addresses = ['aws_rds_cluster.database', ...instances.map(([address]) => address)]
    await terraform(database, 'state', 'rm', ...addresses)
    await terraform(database, 'import', 'aws_rds_cluster.database', 'todo-production')
    for (const [address, part] of instances) {
      await terraform(database, 'import', address, `todo-production-${part}`)
    }
    assert.match(await terraform(database, 'plan'), /No changes|Plan: 0 to add, \d to change, 0 to destroy/)
  })

  it('cannot be destroyed until the settings say so, and then leaves nothing', async () => {
    await assert.rejects(terraform(database, 'destroy', approved), /prevent_destroy/)
    const unprotected = { ...wanted.environments.production, protected: false }
    stacks.write({ ...wanted, environments: { ...wanted.environments, production: unprotected } })
    const [, applied] = await Promise.all([
      terraform(service, 'apply', approved, image('a')),
      terraform(database, 'apply', approved),
    ])
    assert.match(applied, /0 added, \d changed, 0 destroyed/)
    await terraform(service, 'destroy', approved, image('a'))
    await terraform(database, 'destroy', approved)
    assert.deepEqual(await read.leftovers(), [])
  })

  it('the deploy role may do what was done, and nothing that was not', () => {
    const { forbidden, unused } = comparePolicy(wanted.project, aws.calls)
    assert.deepEqual({ forbidden, unused }, { forbidden: [], unused: [] })
  })

  it('the bootstrap is removed with its state on the disk', async () => {
    stacks.tearDownBootstrap()
    await terraform(bootstrap, 'init', '-migrate-state', '-force-copy')
    await terraform(bootstrap, 'apply', approved)
    await terraform(bootstrap, 'destroy', approved)
  })
})
