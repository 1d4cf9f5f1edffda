import assert from 'node:assert/strict'
import { attributes, type Block, below, type Check, check, list, only } from './check.js'
import { type Deployment, resource, resources, type Stack } from './deployment.js'

const everyStack = ({ bootstrap, production, staging, existing }: Deployment): Stack[] => [
  bootstrap,
  ...[production, staging, existing].flatMap(({ database, service }) => [database, service]),
]

const statements = (policy: unknown): Block[] => list((policy as Block).Statement)

const bucketPolicy = (stack: Stack) => statements(resource(stack, 'aws_s3_bucket_policy').policy)

/** A check that a bucket is closed, encrypted and answers on TLS only. */
function closedBucket(name: string, select: (deployment: Deployment) => Stack): Check[] {
  return [
    attributes(
      `S3.8: ${name} is closed to the public`,
      (all) => resource(select(all), 'aws_s3_bucket_public_access_block'),
      {
        block_public_acls: true,
        block_public_policy: true,
        ignore_public_acls: true,
        restrict_public_buckets: true,
      },
    ),
    check(
      `S3.5: ${name} answers on TLS only`,
      (all) => {
        const refusal = bucketPolicy(select(all)).find(({ Effect }) => Effect === 'Deny')
        assert.deepEqual(refusal?.Condition, { Bool: { 'aws:SecureTransport': 'false' } })
        assert.deepEqual([refusal?.Action, refusal?.Principal], ['s3:*', '*'])
      },
      (all) => {
        bucketPolicy(select(all)).shift()
      },
    ),
    attributes(
      `${name} is encrypted`,
      (all) => resource(select(all), 'aws_s3_bucket_server_side_encryption_configuration'),
      { rule: [{ apply_server_side_encryption_by_default: { sse_algorithm: 'AES256' } }] },
    ),
  ]
}

const githubRoles = { release: 'release', deploy_staging: 'staging', deploy_production: 'production' }

export const accessChecks: Check[] = [
  check(
    'no password, key or connection string is in any stack',
    (deployment) => {
      for (const stack of everyStack(deployment)) {
        const text = JSON.stringify(stack)
        assert.doesNotMatch(text, /"(master_)?password(_wo)?":/i)
        assert.doesNotMatch(text, /postgres(ql)?:\/\//)
        assert.doesNotMatch(text, /\b(AKIA|ASIA)[A-Z0-9]{16}\b|"(access|secret)_key":/)
        assert.doesNotMatch(text, /secret_string/)
      }
    },
    ({ staging }) => {
      resource(staging.database, 'aws_rds_cluster').master_password = 'x'
    },
    ({ staging }) => {
      staging.service.output.database = { value: 'postgresql://todo@host/todo' }
    },
  ),
  check(
    'tasks may read the one secret and nothing else; only starting them needs the image and the log',
    ({ production }) => {
      const task = statements(resource(production.service, 'aws_iam_role_policy', 'task_policy').policy)
      assert.equal(task.length, 1)
      assert.deepEqual([task[0]?.Effect, task[0]?.Action], ['Allow', 'secretsmanager:GetSecretValue'])
      assert.match(String(task[0]?.Resource), /^\$\{[^}]*master_user_secret0secret_arn\}$/)
      const start = statements(resource(production.service, 'aws_iam_role_policy', 'execution_policy').policy)
      assert.deepEqual(
        start.flatMap(({ Action }) => Action),
        [
          'ecr:GetAuthorizationToken',
          'ecr:BatchCheckLayerAvailability',
          'ecr:BatchGetImage',
          'ecr:GetDownloadUrlForLayer',
          'logs:CreateLogStream',
          'logs:PutLogEvents',
        ],
      )
    },
    ({ production }) => {
      const policy = resource(production.service, 'aws_iam_role_policy', 'task_policy').policy
      only(statements(policy)).Resource = '*'
    },
    ({ production }) => {
      const policy = resource(production.service, 'aws_iam_role_policy', 'execution_policy').policy
      statements(policy).push({ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' })
    },
  ),
  check(
    'every role of an environment is under its path and within the boundary',
    ({ production, staging }) => {
      for (const [name, { database, service }] of Object.entries({ production, staging })) {
        const roles = [database, service].flatMap((stack) => Object.values(resources(stack, 'aws_iam_role')))
        assert.equal(roles.length, 4)
        for (const role of roles) {
          assert.equal(role.path, `/todo/${name}/`)
          assert.equal(role.permissions_boundary, 'arn:aws:iam::123456789012:policy/todo-boundary')
        }
      }
    },
    ({ production }) => {
      delete resource(production.service, 'aws_iam_role', 'task_role').permissions_boundary
    },
    ({ staging }) => {
      resource(staging.service, 'aws_iam_role', 'task_role').path = '/'
    },
  ),
  check(
    'only the protected GitHub environments of this repository may assume the roles for them',
    ({ bootstrap }) => {
      assert.deepEqual(
        Object.keys(resources(bootstrap, 'aws_iam_role')).sort(),
        Object.keys(githubRoles).sort(),
      )
      for (const [id, environment] of Object.entries(githubRoles)) {
        const trusted = statements(resource(bootstrap, 'aws_iam_role', id).assume_role_policy)
        assert.equal(trusted.length, 1)
        assert.equal(trusted[0]?.Action, 'sts:AssumeRoleWithWebIdentity')
        assert.deepEqual(trusted[0]?.Condition, {
          StringEquals: {
            'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
            'token.actions.githubusercontent.com:sub': `repo:example/todo:environment:${environment}`,
          },
        })
      }
    },
    ({ bootstrap }) => {
      const role = resource(bootstrap, 'aws_iam_role', 'deploy_production')
      only(statements(role.assume_role_policy)).Condition = {
        StringLike: { 'token.actions.githubusercontent.com:sub': 'repo:example/todo:*' },
      }
    },
  ),
  check(
    'a deploy role can neither change itself nor give a role more than the boundary',
    ({ bootstrap }) => {
      for (const name of ['staging', 'production']) {
        const policy = resource(bootstrap, 'aws_iam_role_policy', `deploy_${name}_policy`).policy
        assert.ok(JSON.stringify(policy).length < 10_240, 'IAM takes no longer policies')
        for (const { Action, Resource, Condition, Sid } of statements(policy)) {
          const actions = [Action].flat() as string[]
          assert.ok(
            !actions.some((action) => /^(\*|[a-z0-9-]+:\*)$/.test(action)),
            `${Sid} allows everything`,
          )
          if (!actions.some((action) => action.startsWith('iam:'))) continue
          if (Sid === 'ServiceLinkedRoles') continue
          assert.equal(Resource, `arn:aws:iam::123456789012:role/todo/${name}/*`)
          if (Sid === 'MakeRoles') {
            assert.deepEqual(Condition, {
              StringEquals: { 'iam:PermissionsBoundary': 'arn:aws:iam::123456789012:policy/todo-boundary' },
            })
          } else {
            assert.ok(
              !actions.some((action) => /^iam:(Create|Attach|Put)/.test(action)),
              `${Sid} goes around`,
            )
          }
        }
      }
    },
    ({ bootstrap }) => {
      const { policy } = resource(bootstrap, 'aws_iam_role_policy', 'deploy_staging_policy')
      const make = statements(policy).find(({ Sid }) => Sid === 'MakeRoles')
      delete make?.Condition
    },
    ({ bootstrap }) => {
      const { policy } = resource(bootstrap, 'aws_iam_role_policy', 'deploy_production_policy')
      statements(policy).push({ Sid: 'Wide', Effect: 'Allow', Action: 'iam:*', Resource: '*' })
    },
    ({ bootstrap }) => {
      const { policy } = resource(bootstrap, 'aws_iam_role_policy', 'deploy_production_policy')
      const keep = statements(policy).find(({ Sid }) => Sid === 'KeepRoles')
      if (keep) keep.Resource = 'arn:aws:iam::123456789012:role/*'
    },
  ),
  ...closedBucket('the state bucket', ({ bootstrap }) => bootstrap),
  ...closedBucket("the access logs' bucket", ({ production }) => production.service),
  attributes(
    'every version of the state is kept',
    ({ bootstrap }) => resource(bootstrap, 'aws_s3_bucket_versioning'),
    { versioning_configuration: { status: 'Enabled' } },
  ),
  check(
    'the state of every stack is in the bucket, encrypted, locked, each under its own key',
    (deployment) => {
      const { bootstrap, production, staging } = deployment
      const stacks = [bootstrap, production.database, production.service, staging.database, staging.service]
      const backends = stacks.map(({ terraform }) => below(terraform, 'backend', 's3'))
      for (const { bucket, encrypt, use_lockfile } of backends) {
        assert.deepEqual(
          [bucket, encrypt, use_lockfile],
          ['todo-state-123456789012-eu-central-1', true, true],
        )
      }
      assert.equal(new Set(backends.map(({ key }) => key)).size, stacks.length)
    },
    ({ production }) => {
      delete below(production.service.terraform, 'backend', 's3').use_lockfile
    },
    ({ staging }) => {
      below(staging.service.terraform, 'backend', 's3').key = 'staging-database.tfstate'
    },
  ),
  check(
    'a plan asks AWS for nothing but the state of the stack before',
    (deployment) => {
      for (const { data } of everyStack(deployment)) {
        assert.deepEqual(Object.keys(data ?? {}), data ? ['terraform_remote_state'] : [])
      }
    },
    ({ existing }) => {
      existing.service.data = { ...existing.service.data, aws_caller_identity: {} }
    },
  ),
  attributes(
    'ECR.1: images are scanned as they arrive',
    ({ bootstrap }) => resource(bootstrap, 'aws_ecr_repository'),
    {
      image_scanning_configuration: { scan_on_push: true },
    },
  ),
  attributes('ECR.2: a tag never moves', ({ bootstrap }) => resource(bootstrap, 'aws_ecr_repository'), {
    image_tag_mutability: 'IMMUTABLE',
  }),
  check(
    'ECR.3: old images go away',
    ({ bootstrap }) => {
      const { rules } = resource(bootstrap, 'aws_ecr_lifecycle_policy').policy as { rules: Block[] }
      assert.equal(rules.length, 2)
    },
    ({ bootstrap }) => {
      delete bootstrap.resource.aws_ecr_lifecycle_policy
    },
  ),
  check(
    'CloudWatch.16: logs of production are kept for a year',
    ({ production: { database, service } }) => {
      for (const stack of [database, service]) {
        for (const logs of Object.values(resources(stack, 'aws_cloudwatch_log_group'))) {
          assert.equal(logs.retention_in_days, 365)
        }
      }
    },
    ({ production }) => {
      resource(production.service, 'aws_cloudwatch_log_group', 'logs').retention_in_days = 30
    },
  ),
]
