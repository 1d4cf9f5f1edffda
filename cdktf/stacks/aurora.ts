import {
  CloudwatchLogGroup,
  DbEventSubscription,
  DbSubnetGroup,
  IamRole,
  IamRolePolicyAttachment,
  RdsCluster,
  RdsClusterInstance,
  RdsClusterParameterGroup,
  type SnsTopic,
  type TerraformStack,
} from '../provider.js'
import type { Environment } from '../settings.js'
import type { Network } from './network.js'
import { trust } from './policy.js'
import type { RoleSettings } from './role.js'

/** The port of PostgreSQL, in the security groups and in the cluster alike. */
export const databasePort = 5432

/** The family and the version are one decision; AWS chooses the minor version and keeps it patched. */
const majorVersion = '17'

interface Wanted {
  name: string
  environment: Environment
  network: Network
  groupId: string
  role: RoleSettings
}

/** Aurora PostgreSQL, Serverless v2: a writer and a reader that takes over, in two zones. */
export function aurora(stack: TerraformStack, wanted: Wanted): RdsCluster {
  const { name, environment, groupId } = wanted
  const { database } = environment
  const subnets = new DbSubnetGroup(stack, 'database_subnets', {
    name,
    description: `${name}: the private subnets`,
    subnetIds: wanted.network.privateSubnetIds,
  })
  const logs = new CloudwatchLogGroup(stack, 'database_logs', {
    name: `/aws/rds/cluster/${name}/postgresql`,
    retentionInDays: environment.logDays,
  })
  // The logical name is the address in the state: another one would replace the database.
  const cluster = new RdsCluster(stack, 'database', {
    clusterIdentifier: name,
    engine: 'aurora-postgresql',
    engineMode: 'provisioned',
    engineVersion: majorVersion,
    databaseName: 'todo',
    port: databasePort,
    masterUsername: 'todo_owner',
    manageMasterUserPassword: true,
    iamDatabaseAuthenticationEnabled: true,
    storageEncrypted: true,
    dbSubnetGroupName: subnets.name,
    vpcSecurityGroupIds: [groupId],
    dbClusterParameterGroupName: parameters(stack, name).name,
    serverlessv2ScalingConfiguration: {
      minCapacity: database.minimumCapacity,
      maxCapacity: database.maximumCapacity,
      // Terraform and AWS allow a pause only for a minimum of 0.
      ...(database.minimumCapacity === 0 && { secondsUntilAutoPause: 3_600 }),
    },
    backupRetentionPeriod: database.backupDays,
    preferredBackupWindow: '01:00-02:00',
    preferredMaintenanceWindow: 'sun:03:00-sun:04:00',
    copyTagsToSnapshot: true,
    deletionProtection: environment.protected,
    skipFinalSnapshot: !environment.protected,
    ...(environment.protected && { finalSnapshotIdentifier: `${name}-last` }),
    enabledCloudwatchLogsExports: ['postgresql'],
    dependsOn: [logs],
    // AWS's protection alone would let a destruction take the instances before it fails at the cluster.
    ...(environment.protected && { lifecycle: { preventDestroy: true } }),
  })
  instances(stack, wanted, cluster)
  return cluster
}

function parameters(stack: TerraformStack, name: string): RdsClusterParameterGroup {
  return new RdsClusterParameterGroup(stack, 'database_parameters', {
    name,
    description: `${name}: TLS only, changes of the schema are logged`,
    family: `aurora-postgresql${majorVersion}`,
    parameter: [
      { name: 'rds.force_ssl', value: '1' },
      { name: 'log_statement', value: 'ddl' },
      { name: 'log_min_duration_statement', value: '1000' },
    ],
  })
}

/** In two zones: those of our own network by name, those of a given one as Aurora spreads its instances. */
function instances(stack: TerraformStack, { name, environment, role }: Wanted, cluster: RdsCluster): void {
  const monitor = new IamRole(stack, 'database_monitoring_role', {
    ...role.named('monitoring'),
    assumeRolePolicy: trust('monitoring.rds.amazonaws.com', role.account),
  })
  const allowed = new IamRolePolicyAttachment(stack, 'database_monitoring_policy', {
    role: monitor.name,
    policyArn: 'arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole',
  })
  for (const [tier, part] of ['writer', 'reader'].entries()) {
    const zone = environment.network.kind === 'own' ? environment.network.zones[tier] : undefined
    new RdsClusterInstance(stack, part, {
      ...(zone && { availabilityZone: zone }),
      identifier: `${name}-${part}`,
      clusterIdentifier: cluster.id,
      engine: cluster.engine,
      engineVersion: cluster.engineVersion,
      instanceClass: 'db.serverless',
      promotionTier: tier,
      publiclyAccessible: false,
      autoMinorVersionUpgrade: true,
      copyTagsToSnapshot: true,
      monitoringInterval: 60,
      monitoringRoleArn: monitor.arn,
      dependsOn: [allowed],
    })
  }
}

/** Tells the topic of what happens to the database: failures, failovers, maintenance, changed parameters. */
export function databaseEvents(stack: TerraformStack, name: string, topic: SnsTopic): void {
  const subscriptions = {
    'db-cluster': ['failover', 'failure', 'maintenance'],
    'db-instance': ['configuration change', 'failure', 'maintenance'],
    'db-parameter-group': ['configuration change'],
    'db-security-group': ['configuration change', 'failure'],
  }
  for (const [sourceType, eventCategories] of Object.entries(subscriptions)) {
    new DbEventSubscription(stack, `${sourceType.replaceAll('-', '_')}_events`, {
      name: `${name}-${sourceType}`,
      snsTopic: topic.arn,
      sourceType,
      eventCategories,
    })
  }
}
