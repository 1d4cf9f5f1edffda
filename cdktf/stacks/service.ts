import { type App, EcsCluster, EcsService, type EcsTaskDefinition, TerraformVariable } from '../provider.js'
import type { ServiceFacts } from '../service-facts.js'
import type { Environment, EnvironmentName, Project } from '../settings.js'
import { alarms } from './alarms.js'
import type { DatabaseStack } from './database.js'
import { firewall } from './firewall.js'
import { type WayIn, wayIn } from './load-balancer.js'
import { roleSettings } from './role.js'
import { scaling } from './scaling.js'
import { containerName, task } from './task.js'
import { TodoStack } from './todo-stack.js'

/** What the service stack is told. */
export interface ServiceSettings {
  project: Project
  name: EnvironmentName
  environment: Environment
  facts: ServiceFacts
  database: DatabaseStack
}

/** One version of the service: its tasks, the way in, and who is told when it does not work. */
export class ServiceStack extends TodoStack {
  constructor(app: App, settings: ServiceSettings) {
    const { project, name, environment, database } = settings
    super(app, `${name}-service`, project, { Environment: name })
    const prefix = `${project.name}-${name}`
    const common = { ...settings, prefix }
    const entrance = wayIn(this, common)
    firewall(this, prefix, environment, entrance.loadBalancer)
    const role = roleSettings(project, name)
    const imageDigest = new TerraformVariable(this, 'image_digest', {
      type: 'string',
      description: 'The image to run, by its digest, as the image repository shows it',
      nullable: false,
      validation: [
        {
          condition: `\${can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))}`,
          errorMessage: 'The digest of an image is written sha256: and 64 hexadecimal digits.',
        },
      ],
    }).stringValue
    const definition = task(this, { ...common, role, url: entrance.url, imageDigest })
    const cluster = new EcsCluster(this, 'cluster', {
      name: prefix,
      setting: [{ name: 'containerInsights', value: 'enabled' }],
    })
    const service = this.service(cluster, definition, entrance, settings)
    scaling(this, prefix, environment, cluster, service, entrance)
    alarms(this, prefix, environment, database, entrance)
    this.output('url', 'Where the service answers', entrance.url)
    this.output('load_balancer_address', 'What the domain must point to', entrance.loadBalancer.dnsName)
    this.output('cluster_name', 'The ECS cluster', cluster.name)
    this.output('service_name', 'The ECS service', service.name)
    this.output('deployed_image_digest', 'The image that runs, for a later way back', imageDigest)
  }

  /** A deployment replaces no task before the new one is healthy, and goes back by itself where none gets healthy. */
  private service(
    cluster: EcsCluster,
    definition: EcsTaskDefinition,
    entrance: WayIn,
    { environment, database, facts, project, name }: ServiceSettings,
  ): EcsService {
    return new EcsService(this, 'service', {
      name: `${project.name}-${name}`,
      cluster: cluster.id,
      taskDefinition: definition.arn,
      desiredCount: environment.service.minimumTasks,
      launchType: 'FARGATE',
      platformVersion: 'LATEST',
      networkConfiguration: {
        subnets: database.network.privateSubnetIds,
        securityGroups: [database.tasks.group.id],
        assignPublicIp: false,
      },
      loadBalancer: [{ targetGroupArn: entrance.targets.arn, containerName, containerPort: facts.port }],
      healthCheckGracePeriodSeconds: 60,
      deploymentMinimumHealthyPercent: 100,
      deploymentMaximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
      waitForSteadyState: true,
      enableEcsManagedTags: true,
      propagateTags: 'SERVICE',
      dependsOn: entrance.listeners,
      // The number of tasks belongs to the scaling policies once the service runs.
      lifecycle: { ignoreChanges: ['desired_count'] },
    })
  }
}
