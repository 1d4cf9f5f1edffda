import assert from 'node:assert/strict'
import { maximumConnections } from '../capacity.js'
import { attributes, type Check, check, list, reference } from './check.js'
import { type Deployment, resource, resources } from './deployment.js'

const cluster = ({ production }: Pick<Deployment, 'production'>) =>
  resource(production.database, 'aws_rds_cluster')
const instance =
  (id: string) =>
  ({ production }: Pick<Deployment, 'production'>) =>
    resource(production.database, 'aws_rds_cluster_instance', id)

/** A check that an event subscription of this kind tells the topic of these categories. */
const events = (control: string, id: string, expected: { source_type: string; event_categories: string[] }) =>
  attributes(
    `${control}: the topic hears of events of the kind ${expected.source_type}`,
    ({ production }) => resource(production.database, 'aws_db_event_subscription', `${id}_events`),
    { ...expected, sns_topic: reference('aws_sns_topic.alarms.arn') },
  )

const both = (name: string, expected: Record<string, unknown>) =>
  ['writer', 'reader'].map((id) => attributes(`${name} (${id})`, instance(id), expected))

export const databaseChecks: Check[] = [
  check(
    "the database's address in the state is frozen: another one would replace it",
    ({ production, staging }) => {
      for (const { database } of [production, staging]) {
        assert.deepEqual(Object.keys(resources(database, 'aws_rds_cluster')), ['database'])
        assert.deepEqual(Object.keys(resources(database, 'aws_rds_cluster_instance')), ['reader', 'writer'])
      }
      assert.equal(cluster({ production }).cluster_identifier, 'todo-production')
      assert.equal(cluster({ production }).database_name, 'todo')
      assert.equal(cluster({ production }).master_username, 'todo_owner')
    },
    ({ staging }) => {
      const all = resources(staging.database, 'aws_rds_cluster')
      all.renamed = resource(staging.database, 'aws_rds_cluster')
      delete all.database
    },
    (deployment) => {
      cluster(deployment).cluster_identifier = 'other'
    },
  ),
  attributes('it is Aurora PostgreSQL that scales, in private subnets, behind its group', cluster, {
    engine: 'aurora-postgresql',
    engine_mode: 'provisioned',
    port: 5432,
    vpc_security_group_ids: [reference('aws_security_group.database_group.id')],
    db_subnet_group_name: reference('aws_db_subnet_group.database_subnets.name'),
    serverlessv2_scaling_configuration: { min_capacity: 1, max_capacity: 64 },
  }),
  attributes('the master password is made, kept and rotated by RDS', cluster, {
    manage_master_user_password: true,
    master_password: undefined,
    master_password_wo: undefined,
  }),
  attributes('RDS.7: the cluster is protected against deletion, and leaves a last snapshot', cluster, {
    deletion_protection: true,
    skip_final_snapshot: false,
    final_snapshot_identifier: 'todo-production-last',
    lifecycle: { prevent_destroy: true },
  }),
  attributes('RDS.27: the cluster is encrypted at rest', cluster, { storage_encrypted: true }),
  attributes('RDS.12: IAM authentication is on', cluster, { iam_database_authentication_enabled: true }),
  attributes('RDS.16: snapshots carry the tags', cluster, { copy_tags_to_snapshot: true }),
  attributes('RDS.24: the owner is not called as everywhere', cluster, { master_username: 'todo_owner' }),
  attributes('RDS.37: the log of PostgreSQL goes to CloudWatch', cluster, {
    enabled_cloudwatch_logs_exports: ['postgresql'],
  }),
  attributes('backups are kept for 35 days', cluster, { backup_retention_period: 35 }),
  check(
    'every connection uses TLS',
    ({ production }) => {
      const parameters = list(resource(production.database, 'aws_rds_cluster_parameter_group').parameter)
      assert.deepEqual(
        parameters.find(({ name }) => name === 'rds.force_ssl'),
        { name: 'rds.force_ssl', value: '1' },
      )
      assert.equal(
        cluster({ production }).db_cluster_parameter_group_name,
        reference('aws_rds_cluster_parameter_group.database_parameters.name'),
      )
    },
    ({ production }) => {
      resource(production.database, 'aws_rds_cluster_parameter_group').parameter = []
    },
    (deployment) => {
      cluster(deployment).db_cluster_parameter_group_name = 'default'
    },
  ),
  check(
    'RDS.15: writer and reader are in different zones',
    ({ production }) => {
      const zones = ['writer', 'reader'].map((id) => instance(id)({ production }).availability_zone)
      assert.ok(zones[0] && zones[1] && zones[0] !== zones[1], `the zones are ${zones}`)
    },
    (deployment) => {
      instance('reader')(deployment).availability_zone = instance('writer')(deployment).availability_zone
    },
  ),
  ...both('RDS.2: no public address', { publicly_accessible: false }),
  ...both('RDS.6: enhanced monitoring', {
    monitoring_interval: 60,
    monitoring_role_arn: reference('aws_iam_role.database_monitoring_role.arn'),
  }),
  ...both('RDS.13: minor versions are kept up to date', { auto_minor_version_upgrade: true }),
  ...both('RDS.35: minor versions are kept up to date throughout the cluster', {
    auto_minor_version_upgrade: true,
    cluster_identifier: reference('aws_rds_cluster.database.id'),
  }),
  events('RDS.19', 'db_cluster', {
    source_type: 'db-cluster',
    event_categories: ['failover', 'failure', 'maintenance'],
  }),
  events('RDS.20', 'db_instance', {
    source_type: 'db-instance',
    event_categories: ['configuration change', 'failure', 'maintenance'],
  }),
  events('RDS.21', 'db_parameter_group', {
    source_type: 'db-parameter-group',
    event_categories: ['configuration change'],
  }),
  events('RDS.22', 'db_security_group', {
    source_type: 'db-security-group',
    event_categories: ['configuration change', 'failure'],
  }),
  check(
    'staging can be thrown away; its database pauses when idle',
    ({ staging }) => {
      const { deletion_protection, skip_final_snapshot, serverlessv2_scaling_configuration } = resource(
        staging.database,
        'aws_rds_cluster',
      )
      assert.deepEqual([deletion_protection, skip_final_snapshot], [false, true])
      assert.deepEqual(serverlessv2_scaling_configuration, {
        min_capacity: 0,
        max_capacity: 4,
        seconds_until_auto_pause: 3_600,
      })
    },
    ({ staging }) => {
      resource(staging.database, 'aws_rds_cluster').deletion_protection = true
    },
  ),
  check(
    'during a deployment all tasks together open no more connections than the database grants',
    ({ settings }) => {
      for (const { service, database } of Object.values(settings.environments)) {
        const opened = 2 * service.maximumTasks * service.connectionsPerTask
        assert.ok(opened < maximumConnections(database), `${opened} connections`)
      }
    },
    ({ settings }) => {
      settings.environments.production.service.maximumTasks = 500
    },
  ),
]
