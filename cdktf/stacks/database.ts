import { type App, type RdsCluster, SnsTopic, SnsTopicPolicy, SnsTopicSubscription } from '../provider.js'
import type { Environment, EnvironmentName, Project } from '../settings.js'
import { aurora, databaseEvents, databasePort } from './aurora.js'
import { endpoints } from './endpoints.js'
import { type Network, network } from './network.js'
import { policy } from './policy.js'
import { roleSettings } from './role.js'
import { allow, type ClosedGroup, closedGroup, internet } from './security-groups.js'
import { TodoStack } from './todo-stack.js'

/** What the database stack is told. */
export interface DatabaseSettings {
  project: Project
  name: EnvironmentName
  environment: Environment
  /** The port that the service listens on. */
  containerPort: number
}

/** All that lasts longer than a version of the service: the network, who may talk to whom, and the database. */
export class DatabaseStack extends TodoStack {
  readonly network: Network
  readonly loadBalancers: ClosedGroup
  readonly tasks: ClosedGroup
  readonly cluster: RdsCluster
  readonly topic: SnsTopic

  constructor(app: App, { project, name, environment, containerPort }: DatabaseSettings) {
    super(app, `${name}-database`, project, { Environment: name })
    const prefix = `${project.name}-${name}`
    const role = roleSettings(project, name)
    this.network = network(this, prefix, environment, role)
    this.loadBalancers = closedGroup(this, prefix, 'load_balancer', this.network.vpcId)
    this.tasks = closedGroup(this, prefix, 'service', this.network.vpcId)
    const databases = closedGroup(this, prefix, 'database', this.network.vpcId)
    allow(this, internet, this.loadBalancers, 80)
    if (environment.https) allow(this, internet, this.loadBalancers, 443)
    allow(this, this.loadBalancers, this.tasks, containerPort)
    allow(this, this.tasks, databases, databasePort)
    if (environment.network.kind === 'own' && environment.network.wayOut === 'endpoints') {
      endpoints(this, prefix, project.region, this.network, this.tasks)
    } else {
      allow(this, this.tasks, internet, 443)
    }
    this.cluster = aurora(this, {
      name: prefix,
      environment,
      network: this.network,
      groupId: databases.group.id,
      role,
    })
    this.topic = this.alarmTopic(prefix, project.account, environment.alarmEmail)
    databaseEvents(this, prefix, this.topic)
    this.output('database_address', 'The host that the service connects to', this.cluster.endpoint)
    this.output('alarm_topic_arn', 'Where alarms are published', this.topic.arn)
  }

  /** Where alarms and the database's events arrive; only this account's may be published. */
  private alarmTopic(prefix: string, account: string, email: string | undefined): SnsTopic {
    const topic = new SnsTopic(this, 'alarms', { name: `${prefix}-alarms` })
    new SnsTopicPolicy(this, 'alarms_policy', {
      arn: topic.arn,
      policy: policy({
        Effect: 'Allow',
        Principal: { Service: ['cloudwatch.amazonaws.com', 'events.rds.amazonaws.com'] },
        Action: 'sns:Publish',
        Resource: topic.arn,
        Condition: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    })
    if (email) {
      new SnsTopicSubscription(this, 'alarms_email', {
        topicArn: topic.arn,
        protocol: 'email',
        endpoint: email,
      })
    }
    return topic
  }
}
