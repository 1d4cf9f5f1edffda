import assert from 'node:assert/strict'
import { type Check, check, list } from './check.js'
import { type Deployment, resource } from './deployment.js'
import { commandsOf, needsOf } from './workflow-files.js'
import { job, workflow } from './workflows.js'

/** The steps of a deployment, in the only order that is safe. */
const steps = [
  'npm ci',
  'npm run synth',
  '.ci/deploy verify >> "$GITHUB_OUTPUT"',
  '.ci/deploy running >> "$GITHUB_OUTPUT"',
  '.ci/deploy plan database',
  '.ci/deploy apply database',
  '.ci/deploy plan service',
  '.ci/deploy apply service',
  '.ci/deploy steady >> "$GITHUB_OUTPUT"',
  'npm run contract:test',
  '.ci/deploy rollback',
]

/** What signing in to ECR, `skopeo inspect --raw` and `gh attestation verify oci://…` call. */
const reading = ['ecr:BatchGetImage', 'ecr:GetAuthorizationToken']

/** What `skopeo copy` to ECR calls beside them: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html */
const pushing = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:CompleteLayerUpload',
  'ecr:InitiateLayerUpload',
  'ecr:PutImage',
  'ecr:UploadLayerPart',
]

const deploying = (deployment: Deployment) => job(deployment, 'deploy-environment.yml', 'deploy')

/** All that a role of the bootstrap stack may do with images. */
function imageActions({ bootstrap }: Deployment, role: string): string[] {
  const { Statement } = resource(bootstrap, 'aws_iam_role_policy', `${role}_policy`).policy as {
    Statement: unknown
  }
  const actions = list(Statement).flatMap(({ Action }) => Action as string[])
  return actions.filter((action) => action.startsWith('ecr:')).sort()
}

/** The GitHub environment whose jobs may assume a role of the bootstrap stack. */
function trustedEnvironment({ bootstrap }: Deployment, role: string): string {
  const trusted = JSON.stringify(resource(bootstrap, 'aws_iam_role', role).assume_role_policy)
  return /:environment:(\w+)"/.exec(trusted)?.[1] ?? ''
}

export const deliveryChecks: Check[] = [
  check(
    'a deployment verifies first, then changes the database, then the service, then holds the contract',
    (deployment) => {
      const { steps: all = [] } = deploying(deployment)
      assert.deepEqual(commandsOf(deploying(deployment)), steps)
      const [verify, plan, service] = [steps[2], '.ci/deploy plan service', '.ci/deploy apply service'].map(
        (command) => all.find(({ run }) => run === command),
      )
      assert.equal(plan?.env?.DIGEST, `\${{ steps.${verify?.id}.outputs.digest }}`)
      const last = all.at(-1)
      assert.match(last?.if ?? '', /^\(failure\(\) \|\| cancelled\(\)\) && /)
      assert.ok(last?.if?.endsWith(` && steps.${service?.id}.outcome != 'skipped'`))
      assert.ok(all.slice(0, -1).every((step) => step.if === undefined))
    },
    (deployment) => {
      deploying(deployment).steps?.reverse()
    },
    (deployment) => {
      delete deploying(deployment).steps?.at(-1)?.if
    },
    (deployment) => {
      const plan = deploying(deployment).steps?.find(({ run }) => run === '.ci/deploy plan service')
      delete plan?.env
    },
  ),
  check(
    'production comes after staging, and each environment deploys one version at a time, to its end',
    (deployment) => {
      const { jobs } = workflow(deployment, 'deploy.yml')
      assert.deepEqual(Object.values(jobs).map(needsOf), [[], ['staging']])
      for (const { uses } of Object.values(jobs))
        assert.equal(uses, './.github/workflows/deploy-environment.yml')
      assert.deepEqual(deploying(deployment).concurrency, {
        group: `deploy-\${{ inputs.environment }}`,
        'cancel-in-progress': false,
      })
    },
    (deployment) => {
      delete job(deployment, 'deploy.yml', 'production').needs
    },
    (deployment) => {
      delete deploying(deployment).concurrency
    },
  ),
  check(
    'each job runs in the environment that its role trusts, and ends before the role does',
    (deployment) => {
      const { environment } = deploying(deployment)
      assert.equal((environment as { name: string }).name, `\${{ inputs.environment }}`)
      for (const name of ['staging', 'production']) {
        const { with: given } = job(deployment, 'deploy.yml', name)
        const role = `deploy_${trustedEnvironment(deployment, `deploy_${name}`)}`
        assert.deepEqual(given, { environment: name, role: `\${{ vars.${role.toUpperCase()}_ROLE_ARN }}` })
      }
      assert.equal(
        job(deployment, 'release.yml', 'image').environment,
        trustedEnvironment(deployment, 'release'),
      )
      const { max_session_duration: seconds } = resource(
        deployment.bootstrap,
        'aws_iam_role',
        'deploy_production',
      )
      assert.ok(Number(deploying(deployment)['timeout-minutes']) * 60 < Number(seconds))
    },
    (deployment) => {
      delete job(deployment, 'release.yml', 'image').environment
    },
    (deployment) => {
      Object.assign(job(deployment, 'deploy.yml', 'production').with ?? {}, {
        role: `\${{ vars.DEPLOY_STAGING_ROLE_ARN }}`,
      })
    },
    (deployment) => {
      deploying(deployment)['timeout-minutes'] = 90
    },
  ),
  check(
    'the variables that the workflows read are outputs of the bootstrap stack, in capitals',
    ({ workflows, bootstrap }) => {
      const outputs = Object.keys(bootstrap.output).map((name) => name.toUpperCase())
      for (const { text } of Object.values(workflows)) {
        for (const [, name = ''] of text.matchAll(/\bvars\.(\w+)/g)) assert.ok(outputs.includes(name), name)
      }
    },
    ({ bootstrap }) => {
      delete bootstrap.output.region
    },
  ),
  check(
    'the roles may do with images what the workflows do, and no more',
    (deployment) => {
      for (const role of ['deploy_staging', 'deploy_production']) {
        assert.deepEqual(imageActions(deployment, role), reading)
      }
      assert.deepEqual(imageActions(deployment, 'release'), [...reading, ...pushing].sort())
    },
    ({ bootstrap }) => {
      const { policy } = resource(bootstrap, 'aws_iam_role_policy', 'deploy_staging_policy')
      list((policy as { Statement: unknown }).Statement).push({ Action: ['ecr:PutImage'] })
    },
  ),
  check(
    'a release is checked, then built, looked at, pushed and attested, and deployed last',
    (deployment) => {
      const { on, jobs } = workflow(deployment, 'release.yml')
      assert.deepEqual(on, { push: { tags: ['v*'] } })
      const order = Object.fromEntries(Object.entries(jobs).map(([id, each]) => [id, needsOf(each)]))
      assert.deepEqual(order, {
        check: [],
        ci: ['check'],
        image: ['ci'],
        publish: ['image'],
        deploy: ['publish'],
      })
      const { steps: all = [] } = job(deployment, 'release.yml', 'image')
      const essential = all.flatMap(({ run, uses }) => run ?? /^actions\/attest@/.exec(uses ?? '')?.[0] ?? [])
      assert.deepEqual(essential, [
        ...['.ci/image build', '.ci/image scan', '.ci/image push >> "$GITHUB_OUTPUT"'],
        ...['actions/attest@', 'actions/attest@', 'actions/attest@'],
      ])
      const subjects = all.flatMap((step) => step.with?.['subject-digest'] ?? [])
      assert.deepEqual(
        subjects,
        ['digest', 'digest_amd64', 'digest_arm64'].map((name) => `\${{ steps.push.outputs.${name} }}`),
      )
    },
    (deployment) => {
      delete job(deployment, 'release.yml', 'image').needs
    },
    (deployment) => {
      const image = job(deployment, 'release.yml', 'image')
      image.steps = (image.steps ?? []).filter(({ run }) => run !== '.ci/image scan')
    },
  ),
]
