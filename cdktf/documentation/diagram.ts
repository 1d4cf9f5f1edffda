import { type Block, below } from '../checks/check.js'
import { type Deployment, resource, resources, type Stack } from '../checks/deployment.js'

/**
 * What is deployed for production, drawn from the synthesized stacks, as a Mermaid flow chart: solid arrows are the
 * rules of the security groups, dotted ones what is written, read and reported.
 */
export function diagram({ production, bootstrap }: Deployment): string {
  const { database, service } = production
  const count = (type: string) =>
    [database, service].flatMap((stack) => Object.keys(resources(stack, type))).length
  return [
    'flowchart LR',
    '  internet((internet))',
    `  subgraph vpc["VPC ${resource(database, 'aws_vpc').cidr_block}"]`,
    ...subnets(database, 'public', [`load_balancer["${loadBalancer(service)}"]`]),
    ...subnets(database, 'private', [
      `service["${tasks(service)}"]`,
      `database[("${cluster(database)}")]`,
      `endpoints["VPC endpoints: ${endpoints(database)}"]`,
    ]),
    '  end',
    '  s3[("S3: layers of images")]',
    ...rules(database),
    `  firewall["WAF: ${firewall(service)}"] -.- load_balancer`,
    '  load_balancer -. access log .-> bucket[("S3: access logs")]',
    `  service -. log .-> logs["CloudWatch Logs: ${count('aws_cloudwatch_log_group')} groups"]`,
    '  service -. password, at each connect .-> secret["Secrets Manager: master password"]',
    '  database -. rotates .-> secret',
    `  images["ECR: ${resource(bootstrap, 'aws_ecr_repository').name}"] -. image by digest .-> service`,
    `  alarms["${count('aws_cloudwatch_metric_alarm')} CloudWatch alarms"] -.-> topic["SNS: alarms"]`,
    '  database -. events .-> topic',
  ].join('\n')
}

function subnets(database: Stack, side: string, nodes: string[]): string[] {
  const zones = Object.entries(resources(database, 'aws_subnet'))
    .filter(([id]) => id.startsWith(side))
    .map(([, subnet]) => String(subnet.availability_zone))
  return [
    `    subgraph ${side}["${side} subnets in ${zones.join(' and ')}"]`,
    ...nodes.map((node) => `      ${node}`),
    '    end',
  ]
}

/** Each edge once, though two rules make it. */
function rules(database: Stack): string[] {
  const all = ['ingress', 'egress'].flatMap((direction) =>
    Object.keys(resources(database, `aws_vpc_security_group_${direction}_rule`)),
  )
  const edges = all.map((id) => /^(.+)_to_(.+)_(\d+)_(?:in|out)$/.exec(id)?.slice(1) ?? [])
  const arrows = edges.map(([from, to, port]) => `  ${from} -- ${port} --> ${to}`)
  return [...new Set(arrows)].sort()
}

function loadBalancer(service: Stack): string {
  const listeners = Object.values(resources(service, 'aws_lb_listener')).map(
    ({ protocol, port, default_action }) => `${protocol} ${port} ${(default_action as Block[])[0]?.type}s`,
  )
  return `Application load balancer: ${listeners.join(', ')}`
}

function tasks(service: Stack): string {
  const { cpu, memory } = resource(service, 'aws_ecs_task_definition')
  const { min_capacity, max_capacity } = resource(service, 'aws_appautoscaling_target')
  return `ECS Fargate: ${min_capacity} to ${max_capacity} tasks of ${Number(cpu) / 1_024} vCPU and ${memory} MiB`
}

function cluster(database: Stack): string {
  const aurora = resource(database, 'aws_rds_cluster')
  const { min_capacity, max_capacity } = below(aurora, 'serverlessv2_scaling_configuration')
  const instances = Object.keys(resources(database, 'aws_rds_cluster_instance')).reverse()
  const size = `${min_capacity} to ${max_capacity} capacity units`
  return `Aurora PostgreSQL ${aurora.engine_version}: ${instances.join(' and ')}, ${size}`
}

function endpoints(database: Stack): string {
  const all = Object.values(resources(database, 'aws_vpc_endpoint'))
  const interfaces = all.filter(({ vpc_endpoint_type }) => vpc_endpoint_type === 'Interface')
  return interfaces.map(({ service_name }) => String(service_name).split('.').slice(3).join('.')).join(', ')
}

function firewall(service: Stack): string {
  const rule = (resource(service, 'aws_wafv2_web_acl').rule as Block[])[0] ?? {}
  const { limit } = below(rule, 'statement', 'rate_based_statement')
  return `${limit} requests in five minutes from one address`
}
