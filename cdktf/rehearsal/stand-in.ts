import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  type ContainerDefinition,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  type ECSClient,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs'
import {
  type Cluster,
  createDatabase,
  findFreePort,
  giveToServer,
  startCluster,
} from '../../test/support/cluster.js'
import type { Registry } from './registry.js'

const run = promisify(execFile)

/** In milliseconds: how long a new task may take to get healthy. ECS gives it minutes, with the same outcome. */
const patience = 30_000

interface Surroundings {
  ecs: ECSClient
  /** The name of the ECS service and of its cluster. */
  service: string
  registry: Registry
  port: number
  cluster: Cluster
  /** The folder of the database's socket. */
  sockets: string
  /** How the service gets to the database. */
  variables: Record<string, string>
}

/**
 * Stands in for ECS, which the emulated AWS only keeps the books of: it runs what the service's task definition says
 * in a container, and goes back to the version before when that does not get healthy, as the circuit breaker does.
 * Only what exists nowhere but in AWS is replaced: the registry, the database's address and secret, the public URL.
 */
export class StandIn {
  /** The ARN of the task definition that runs. */
  private running: string | undefined
  private readonly name = `todo-rehearsal-${process.pid}`

  private readonly surroundings: Surroundings

  private constructor(surroundings: Surroundings) {
    this.surroundings = surroundings
  }

  /** @param service the name of the ECS service and of its cluster. */
  static async start(ecs: ECSClient, service: string, registry: Registry) {
    const sockets = await mkdtemp(join(tmpdir(), 'rehearsal-'))
    await chmod(sockets, 0o755)
    await giveToServer(sockets)
    const cluster = await startCluster({ unix_socket_directories: sockets })
    const url = new URL(await createDatabase('template0', cluster))
    const variables = {
      PGHOST: '/run/postgresql',
      PGPORT: url.port,
      PGDATABASE: url.pathname.slice(1),
      PGUSER: url.username,
      PGPASSWORD: url.password,
      PGSSLMODE: 'disable',
    }
    const port = await findFreePort()
    return new StandIn({ ecs, service, registry, port, cluster, sockets, variables })
  }

  /** Where the service answers, whatever version runs. */
  get url(): string {
    return `http://127.0.0.1:${this.surroundings.port}`
  }

  /** The digest of the image that runs. */
  async digest(): Promise<string | undefined> {
    assert.ok(this.running)
    return (await this.containerOf(this.running)).image?.split('@')[1]
  }

  /** Runs what the service asks for, or goes back to what ran before. */
  async follow(): Promise<void> {
    const { services = [] } = await this.surroundings.ecs.send(
      new DescribeServicesCommand({
        cluster: this.surroundings.service,
        services: [this.surroundings.service],
      }),
    )
    const taskDefinition = services[0]?.taskDefinition ?? ''
    if (taskDefinition === this.running) return
    const before = this.running
    await this.replace(taskDefinition)
    if (await this.becomesHealthy(taskDefinition)) return
    assert.ok(before, 'the first version did not get healthy')
    await this.surroundings.ecs.send(
      new UpdateServiceCommand({
        cluster: this.surroundings.service,
        service: this.surroundings.service,
        taskDefinition: before,
      }),
    )
    await this.replace(before)
    assert.ok(await this.becomesHealthy(before))
  }

  async stop(): Promise<void> {
    await this.remove()
    const images = [
      'images',
      '--quiet',
      '--no-trunc',
      '--filter',
      `reference=${this.surroundings.registry.host}/*`,
    ]
    const pulled = new Set((await run('podman', images)).stdout.split('\n').filter((id) => id))
    if (pulled.size > 0) await run('podman', ['rmi', '--force', ...pulled])
    await this.surroundings.cluster.remove()
    await rm(this.surroundings.sockets, { recursive: true, force: true })
  }

  /** Runs the task definition's container in the place of the one that runs. */
  private async replace(taskDefinition: string): Promise<void> {
    const definition = await this.containerOf(taskDefinition)
    const image = (definition.image ?? '').replace(/^[^/]+/, this.surroundings.registry.host)
    await run('podman', ['pull', '--quiet', image], {
      env: { ...process.env, SSL_CERT_FILE: this.surroundings.registry.trust },
    })
    await this.remove()
    const variables = {
      ...Object.fromEntries((definition.environment ?? []).map(({ name, value }) => [name, value])),
      ...this.surroundings.variables,
      PUBLIC_URL: this.url,
    }
    const given = Object.keys(variables).filter((name) => name !== 'DATABASE_SECRET_ARN')
    const [mapping] = definition.portMappings ?? []
    assert.equal(definition.readonlyRootFilesystem, true)
    const options = [
      ...['--detach', '--name', this.name, '--read-only', '--user', definition.user ?? ''],
      ...['--publish', `127.0.0.1:${this.surroundings.port}:${mapping?.containerPort}`],
      ...['--volume', `${this.surroundings.sockets}:/run/postgresql`],
      ...given.flatMap((name) => ['--env', name]),
    ]
    await run('podman', ['run', ...options, image], { env: { ...process.env, ...variables } })
    this.running = taskDefinition
  }

  /** Asks the container as the task definition's health check does. */
  private async becomesHealthy(taskDefinition: string): Promise<boolean> {
    const [kind, ...command] = (await this.containerOf(taskDefinition)).healthCheck?.command ?? []
    assert.equal(kind, 'CMD')
    const end = Date.now() + patience
    while (Date.now() < end) {
      const healthy = await run('podman', ['exec', this.name, ...command]).then(
        () => true,
        () => false,
      )
      if (healthy) return true
      await delay(100)
    }
    return false
  }

  private async containerOf(taskDefinition: string): Promise<ContainerDefinition> {
    const answer = await this.surroundings.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }))
    const [container] = answer.taskDefinition?.containerDefinitions ?? []
    assert.ok(container)
    return container
  }

  private async remove(): Promise<void> {
    // It would go on serving for a while, for a load balancer that is not there.
    await run('podman', ['rm', '--force', '--time', '0', '--ignore', this.name])
  }
}
