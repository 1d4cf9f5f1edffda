import assert from 'node:assert/strict'
import { serviceSettings } from '../service-facts.js'
import { attributes, type Block, below, type Check, check, list, reference } from './check.js'
import { container, type Deployment, resource, resources, variables } from './deployment.js'

const productionContainer = ({ production }: Pick<Deployment, 'production'>) => container(production)
const definition = ({ production }: Pick<Deployment, 'production'>) =>
  resource(production.service, 'aws_ecs_task_definition')

/** What Terraform fills in, as an example of what AWS gives. */
function filledIn(value: string): string {
  return value
    .replace(
      /^\$\{[^}]*secret_arn\}$/,
      'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1',
    )
    .replace(/\$\{[^}]*endpoint\}/, 'todo-production.cluster-1.eu-central-1.rds.amazonaws.com')
    .replace(/\$\{[^}]*\}/g, 'name')
}

/** What the service must be told here, beyond what holds for it anyway. */
const required = [
  'DATABASE_SECRET_ARN',
  'PGDATABASE',
  'PGHOST',
  'PGPORT',
  'PGSSLMODE',
  'POOL_SIZE',
  'PORT',
  'PUBLIC_URL',
  'SHUTDOWN_DELAY',
  'TRUST_PROXY',
]

const setVariable = (deployment: Deployment, name: string, value: string) => {
  const found = list(container(deployment.production).environment).find((pair) => pair.name === name)
  assert.ok(found)
  found.value = value
}

export const taskChecks: Check[] = [
  check(
    'every setting that the service requires is given, known to it and of a form that it takes',
    ({ production, staging, existing }) => {
      for (const stacks of [production, staging, existing]) {
        const given = variables(stacks)
        assert.deepEqual(Object.keys(given).sort(), required)
        for (const [name, value] of Object.entries(given)) {
          const setting = serviceSettings[name as keyof typeof serviceSettings]
          assert.ok(setting, `the service knows no setting ${name}`)
          const result = setting.form['~standard'].validate(filledIn(value)) as { issues?: unknown }
          assert.equal(result.issues, undefined, `${name} is not ${setting.allowed}`)
        }
      }
    },
    ({ production }) => {
      container(production).environment = list(container(production).environment).slice(1)
    },
    ({ existing }) => {
      list(container(existing).environment).push({ name: 'SHUTDOWN_WAIT', value: '1' })
    },
    (deployment) => setVariable(deployment, 'PGSSLMODE', 'verify'),
  ),
  check(
    'the database is reached by its own name, with TLS fully verified, and its password only by the secret',
    ({ production }) => {
      const given = variables(production)
      assert.equal(given.PGSSLMODE, 'verify-full')
      assert.match(given.PGHOST ?? '', /aws_rds_clusterdatabaseendpoint\}$/)
      assert.match(given.DATABASE_SECRET_ARN ?? '', /aws_rds_clusterdatabasemaster_user_secret0secret_arn\}$/)
    },
    (deployment) => setVariable(deployment, 'PGSSLMODE', 'require'),
    (deployment) => setVariable(deployment, 'PGHOST', 'localhost'),
    (deployment) => setVariable(deployment, 'DATABASE_SECRET_ARN', 'arn:aws:secretsmanager:other'),
  ),
  check(
    'the container port, the target port, PORT and the rule between the groups are one and the same',
    (deployment) => {
      const { production, facts } = deployment
      const rule = resource(
        production.database,
        'aws_vpc_security_group_ingress_rule',
        'load_balancer_to_service_3000_in',
      )
      assert.deepEqual(list(container(production).portMappings), [
        { containerPort: facts.port, hostPort: facts.port, protocol: 'tcp' },
      ])
      assert.equal(resource(production.service, 'aws_lb_target_group').port, facts.port)
      assert.equal(
        below(resource(production.service, 'aws_ecs_service'), 'load_balancer').container_port,
        facts.port,
      )
      assert.equal(variables(production).PORT, String(facts.port))
      assert.equal(rule.from_port, facts.port)
    },
    (deployment) => setVariable(deployment, 'PORT', '3001'),
    ({ production }) => {
      resource(production.service, 'aws_lb_target_group').port = 3001
    },
    ({ production }) => {
      below(container(production), 'portMappings').containerPort = 3001
    },
    ({ production }) => {
      below(resource(production.service, 'aws_ecs_service'), 'load_balancer').container_port = 3001
    },
    ({ production }) => {
      const rules = resources(production.database, 'aws_vpc_security_group_ingress_rule')
      ;(rules.load_balancer_to_service_3000_in as Block).from_port = 3001
    },
  ),
  attributes('ECS.9: the log configuration is exactly this, so that logs arrive', productionContainer, {
    logConfiguration: {
      logDriver: 'awslogs',
      options: {
        'awslogs-group': reference('aws_cloudwatch_log_group.logs.name'),
        'awslogs-region': 'eu-central-1',
        'awslogs-stream-prefix': 'service',
        mode: 'non-blocking',
        'max-buffer-size': '8m',
      },
    },
    logConfig: undefined,
    log_configuration: undefined,
  }),
  check(
    'the container has its own health check, on the same path as the load balancer',
    ({ production, facts }) => {
      const { command, startPeriod } = container(production).healthCheck as {
        command: string[]
        startPeriod: number
      }
      assert.deepEqual(command.slice(0, 3), ['CMD', 'node', '-e'])
      assert.ok(command[3]?.includes(`http://127.0.0.1:${facts.port}${facts.healthPath}'`))
      assert.ok(startPeriod >= 60, 'a start may wait for the database as long')
    },
    ({ production }) => {
      delete container(production).healthCheck
    },
    ({ production }) => {
      container(production).healthCheck = {
        command: ['CMD', 'node', '-e', "fetch('http://127.0.0.1:3000/')"],
      }
    },
  ),
  attributes('the image is named by its digest', productionContainer, {
    image: `123456789012.dkr.ecr.eu-central-1.amazonaws.com/todo@${reference('var.image_digest')}`,
  }),
  attributes('ECS.3: no process namespace is shared with a host', definition, { pid_mode: undefined }),
  attributes('ECS.4: the container has no privileges', productionContainer, { privileged: false }),
  attributes('ECS.5: the root file system is read-only', productionContainer, {
    readonlyRootFilesystem: true,
  }),
  check(
    'ECS.8: no secret is given as a variable',
    ({ production }) => {
      const secret = Object.entries(serviceSettings).filter(([, setting]) => setting.secret)
      assert.ok(secret.length > 0)
      for (const [name] of secret) assert.ok(!(name in variables(production)), `${name} is a secret`)
      for (const name of Object.keys(variables(production))) assert.doesNotMatch(name, /^AWS_.*KEY/)
    },
    ({ production }) => {
      list(container(production).environment).push({ name: 'PGPASSWORD', value: 'x' })
    },
  ),
  attributes('ECS.17: the task has a network of its own', definition, { network_mode: 'awsvpc' }),
  attributes('ECS.20: the container does not run as root', productionContainer, { user: '1000' }),
  attributes('the version before stays registered for a way back', definition, { skip_destroy: true }),
  attributes('a task is what Fargate takes, of the preset size and architecture', definition, {
    requires_compatibilities: ['FARGATE'],
    cpu: '512',
    memory: '1024',
    runtime_platform: { operating_system_family: 'LINUX', cpu_architecture: 'ARM64' },
  }),
]
