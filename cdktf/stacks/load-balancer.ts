import { draining } from '../draining.js'
import {
  Lb,
  LbListener,
  LbTargetGroup,
  S3BucketLifecycleConfiguration,
  type TerraformStack,
} from '../provider.js'
import type { ServiceFacts } from '../service-facts.js'
import type { Environment, Project } from '../settings.js'
import type { DatabaseStack } from './database.js'
import { privateBucket } from './private-bucket.js'

/** The way in: what answers at the service's address and passes requests on to healthy tasks. */
export interface WayIn {
  loadBalancer: Lb
  targets: LbTargetGroup
  /** Whatever makes the targets reachable; ECS refuses a target group that no listener names. */
  listeners: LbListener[]
  /** Where the public reaches the service. */
  url: string
}

interface Wanted {
  project: Project
  prefix: string
  environment: Environment
  database: DatabaseStack
  facts: ServiceFacts
}

/** An application load balancer: HTTPS with a redirect from HTTP, or HTTP alone without a certificate. */
export function wayIn(stack: TerraformStack, wanted: Wanted): WayIn {
  const { prefix, environment, database, facts } = wanted
  const logs = accessLogs(stack, wanted)
  const loadBalancer = new Lb(stack, 'load_balancer', {
    name: prefix,
    loadBalancerType: 'application',
    internal: false,
    subnets: database.network.publicSubnetIds,
    securityGroups: [database.loadBalancers.group.id],
    idleTimeout: draining.idleTimeout,
    dropInvalidHeaderFields: true,
    desyncMitigationMode: 'defensive',
    enableDeletionProtection: environment.protected,
    accessLogs: { enabled: true, bucket: logs.bucket.bucket },
    // The load balancer tries to write as soon as it is told to.
    dependsOn: [logs.bucketPolicy],
  })
  const targets = new LbTargetGroup(stack, 'targets', {
    name: prefix,
    vpcId: database.network.vpcId,
    targetType: 'ip',
    protocol: 'HTTP',
    port: facts.port,
    deregistrationDelay: String(draining.deregistrationDelay),
    loadBalancingAlgorithmType: 'least_outstanding_requests',
    healthCheck: {
      path: facts.healthPath,
      matcher: '200',
      interval: 10,
      timeout: 5,
      healthyThreshold: 2,
      unhealthyThreshold: 3,
    },
  })
  return {
    loadBalancer,
    targets,
    listeners: listeners(stack, environment, loadBalancer, targets),
    url: environment.https ? `https://${environment.https.domain}` : `http://${loadBalancer.dnsName}`,
  }
}

function listeners(
  stack: TerraformStack,
  { https }: Environment,
  loadBalancer: Lb,
  targets: LbTargetGroup,
): LbListener[] {
  const forward = [{ type: 'forward', targetGroupArn: targets.arn }]
  const redirect = [
    { type: 'redirect', redirect: { protocol: 'HTTPS', port: '443', statusCode: 'HTTP_301' } },
  ]
  const http = new LbListener(stack, 'http', {
    loadBalancerArn: loadBalancer.arn,
    protocol: 'HTTP',
    port: 80,
    defaultAction: https ? redirect : forward,
  })
  if (!https) return [http]
  const secure = new LbListener(stack, 'https', {
    loadBalancerArn: loadBalancer.arn,
    protocol: 'HTTPS',
    port: 443,
    sslPolicy: 'ELBSecurityPolicy-TLS13-1-2-2021-06',
    certificateArn: https.certificateArn,
    defaultAction: forward,
  })
  return [http, secure]
}

/** The bucket of the access logs, which Elastic Load Balancing encrypts with S3's keys only. */
function accessLogs(stack: TerraformStack, { project, prefix, environment }: Wanted) {
  const bucketName = `${prefix}-access-logs-${project.account}`
  const logs = privateBucket(
    stack,
    'access_logs',
    { bucketName, forceDestroy: !environment.protected },
    {
      Sid: 'AccessLogs',
      Effect: 'Allow',
      Principal: { Service: 'logdelivery.elasticloadbalancing.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${bucketName}/AWSLogs/${project.account}/*`,
    },
  )
  new S3BucketLifecycleConfiguration(stack, 'access_logs_lifecycle', {
    bucket: logs.bucket.id,
    rule: [
      {
        id: 'expire',
        status: 'Enabled',
        filter: [{ prefix: '' }],
        expiration: [{ days: environment.logDays }],
        abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
      },
    ],
  })
  return logs
}
