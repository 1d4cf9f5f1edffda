import { maximumConnections } from '../capacity.js'
import { CloudwatchMetricAlarm, type TerraformStack } from '../provider.js'
import type { Environment } from '../settings.js'
import type { DatabaseStack } from './database.js'
import type { WayIn } from './load-balancer.js'

interface Alarm {
  description: string
  namespace: 'AWS/ApplicationELB' | 'AWS/RDS'
  metricName: string
  dimensions: Record<string, string>
  /** How the minute's measurements become one number: `Sum`, `Average`, `Maximum` or a percentile. */
  statistic: string
  /** The alarm goes off above this, in three minutes out of five. */
  threshold: number
}

/** What wakes somebody up: each alarm says what is wrong from the caller's side, or what will be soon. */
export function alarms(
  stack: TerraformStack,
  prefix: string,
  environment: Environment,
  database: DatabaseStack,
  entrance: WayIn,
): void {
  const all = { ...serviceAlarms(entrance), ...databaseAlarms(environment, database) }
  for (const [name, { description, threshold, statistic, ...metric }] of Object.entries(all)) {
    new CloudwatchMetricAlarm(stack, `${name}_alarm`, {
      alarmName: `${prefix}-${name.replaceAll('_', '-')}`,
      alarmDescription: description,
      ...metric,
      ...(statistic.startsWith('p') ? { extendedStatistic: statistic } : { statistic }),
      comparisonOperator: 'GreaterThanThreshold',
      threshold,
      period: 60,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      // No request, no measurement: that is quiet, not trouble.
      treatMissingData: 'notBreaching',
      alarmActions: [database.topic.arn],
      okActions: [database.topic.arn],
    })
  }
}

function serviceAlarms({ loadBalancer, targets }: WayIn): Record<string, Alarm> {
  const namespace = 'AWS/ApplicationELB'
  const balancer = { LoadBalancer: loadBalancer.arnSuffix }
  const both = { ...balancer, TargetGroup: targets.arnSuffix }
  return {
    service_errors: {
      description: 'The service answers with 5xx. Its log says why; search for level 50 and above.',
      ...{ namespace, metricName: 'HTTPCode_Target_5XX_Count', dimensions: both },
      ...{ statistic: 'Sum', threshold: 5 },
    },
    load_balancer_errors: {
      description:
        'The load balancer itself answers with 5xx: no healthy task, or tasks that close connections.',
      ...{ namespace, metricName: 'HTTPCode_ELB_5XX_Count', dimensions: balancer },
      ...{ statistic: 'Sum', threshold: 5 },
    },
    unhealthy_targets: {
      description: 'A task does not answer its health check. See the events of the ECS service.',
      ...{ namespace, metricName: 'UnHealthyHostCount', dimensions: both },
      ...{ statistic: 'Maximum', threshold: 0 },
    },
    latency: {
      description: 'One request in a hundred takes longer than a second.',
      ...{ namespace, metricName: 'TargetResponseTime', dimensions: both },
      ...{ statistic: 'p99', threshold: 1 },
    },
  }
}

function databaseAlarms(
  { database: wanted }: Environment,
  { cluster }: DatabaseStack,
): Record<string, Alarm> {
  const namespace = 'AWS/RDS'
  const dimensions = { DBClusterIdentifier: cluster.clusterIdentifier }
  return {
    database_cpu: {
      description: 'The database is short of processor.',
      ...{ namespace, metricName: 'CPUUtilization', dimensions },
      ...{ statistic: 'Maximum', threshold: 80 },
    },
    database_capacity: {
      description: 'The database is close to its largest capacity: raise database.maximumCapacity.',
      ...{ namespace, metricName: 'ACUUtilization', dimensions },
      ...{ statistic: 'Maximum', threshold: 90 },
    },
    database_connections: {
      description: 'Four fifths of the connections that the database grants are in use.',
      ...{ namespace, metricName: 'DatabaseConnections', dimensions },
      ...{ statistic: 'Maximum', threshold: Math.floor(0.8 * maximumConnections(wanted)) },
    },
  }
}
