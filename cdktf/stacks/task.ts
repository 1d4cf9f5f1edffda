import { taskSizes } from '../capacity.js'
import { draining } from '../draining.js'
import {
  CloudwatchLogGroup,
  EcsTaskDefinition,
  IamRole,
  IamRolePolicy,
  type TerraformStack,
} from '../provider.js'
import type { ServiceFacts } from '../service-facts.js'
import type { Environment, Project } from '../settings.js'
import { databasePort } from './aurora.js'
import type { DatabaseStack } from './database.js'
import { imageRepository } from './image-repository.js'
import { policy, trust } from './policy.js'
import type { RoleSettings } from './role.js'

/** The container's name, which the service's load balancer entry refers to. */
export const containerName = 'service'

interface Wanted {
  project: Project
  prefix: string
  environment: Environment
  database: DatabaseStack
  facts: ServiceFacts
  role: RoleSettings
  /** The image's digest, `sha256:…`: the one thing that differs from release to release. */
  imageDigest: string
  url: string
}

/** What one task is: the image by its digest, its settings, its limits, its log and its two roles. */
export function task(stack: TerraformStack, wanted: Wanted): EcsTaskDefinition {
  const { project, prefix, environment, facts } = wanted
  const { cpu, memory } = taskSizes[environment.service.size]
  const logs = new CloudwatchLogGroup(stack, 'logs', {
    name: `/${prefix}/service`,
    retentionInDays: environment.logDays,
  })
  const container = {
    name: containerName,
    image: `${imageRepository(project).url}@${wanted.imageDigest}`,
    essential: true,
    user: '1000',
    readonlyRootFilesystem: true,
    privileged: false,
    portMappings: [{ containerPort: facts.port, hostPort: facts.port, protocol: 'tcp' }],
    environment: variables(wanted),
    healthCheck: {
      // ECS ignores the image's own health check. Node is all that the image has to ask with.
      command: ['CMD', 'node', '-e', askForHealth(facts)],
      interval: 10,
      timeout: 5,
      retries: 3,
      startPeriod: 60,
    },
    stopTimeout: draining.stopTimeout,
    logConfiguration: {
      logDriver: 'awslogs',
      options: {
        'awslogs-group': logs.name,
        'awslogs-region': project.region,
        'awslogs-stream-prefix': containerName,
        // A log that cannot be delivered must not stop the service: it is kept in memory up to this size.
        mode: 'non-blocking',
        'max-buffer-size': '8m',
      },
    },
  }
  return new EcsTaskDefinition(stack, 'task', {
    family: prefix,
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: String(cpu),
    memory: String(memory),
    runtimePlatform: { operatingSystemFamily: 'LINUX', cpuArchitecture: environment.service.architecture },
    executionRoleArn: executionRole(stack, wanted, logs).arn,
    taskRoleArn: taskRole(stack, wanted).arn,
    containerDefinitions: JSON.stringify([container]),
    // The version before stays registered, so that the circuit breaker has something to go back to.
    skipDestroy: true,
    tags: { Version: facts.version },
  })
}

/** The service's settings, in the order of their names. There is no secret among them, only a secret's address. */
function variables({ environment, database: { cluster }, facts, url }: Wanted) {
  const values: Record<string, string> = {
    DATABASE_SECRET_ARN: cluster.masterUserSecret.get(0).secretArn,
    PGDATABASE: cluster.databaseName,
    PGHOST: cluster.endpoint,
    PGPORT: String(databasePort),
    PGSSLMODE: 'verify-full',
    POOL_SIZE: String(environment.service.connectionsPerTask),
    PORT: String(facts.port),
    PUBLIC_URL: url,
    SHUTDOWN_DELAY: String(draining.shutdownDelay),
    TRUST_PROXY: '1',
  }
  return Object.entries(values).map(([name, value]) => ({ name, value }))
}

function askForHealth({ port, healthPath }: ServiceFacts): string {
  const address = `http://127.0.0.1:${port}${healthPath}`
  return `fetch('${address}').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`
}

/** What ECS may do to start the task: fetch the one image, write the one log. */
function executionRole(stack: TerraformStack, { project, role }: Wanted, logs: CloudwatchLogGroup): IamRole {
  const execution = new IamRole(stack, 'execution_role', {
    ...role.named('execution'),
    assumeRolePolicy: trust('ecs-tasks.amazonaws.com', project.account),
  })
  new IamRolePolicy(stack, 'execution_policy', {
    name: 'start',
    role: execution.id,
    policy: policy(
      { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
      {
        Effect: 'Allow',
        Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        Resource: imageRepository(project).arn,
      },
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: `${logs.arn}:*`,
      },
    ),
  })
  return execution
}

/** What the service itself may do in AWS: read the database's secret, at each connect, and nothing else. */
function taskRole(stack: TerraformStack, { project, database, role }: Wanted): IamRole {
  const task = new IamRole(stack, 'task_role', {
    ...role.named('task'),
    assumeRolePolicy: trust('ecs-tasks.amazonaws.com', project.account),
  })
  new IamRolePolicy(stack, 'task_policy', {
    name: 'read-secret',
    role: task.id,
    policy: policy({
      Effect: 'Allow',
      Action: 'secretsmanager:GetSecretValue',
      Resource: database.cluster.masterUserSecret.get(0).secretArn,
    }),
  })
  return task
}
