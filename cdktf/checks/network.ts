import assert from 'node:assert/strict'
import { attributes, type Block, type Check, check, reference } from './check.js'
import { resource, resources, type Stack } from './deployment.js'

const anybody = '0.0.0.0/0'

/** Every rule of a stack as `out of A to B:port` or `into B from A:port`, sorted. */
function edges(stack: Stack): string[] {
  const out = Object.values(resources(stack, 'aws_vpc_security_group_egress_rule')).map(
    (rule) => `out of ${group(rule.security_group_id)} to ${peer(rule)}:${ports(rule)}`,
  )
  const into = Object.values(resources(stack, 'aws_vpc_security_group_ingress_rule')).map(
    (rule) => `into ${group(rule.security_group_id)} from ${peer(rule)}:${ports(rule)}`,
  )
  return [...out, ...into].sort()
}

function group(reference: unknown): string {
  return String(reference).replace(/^\$\{aws_security_group\.(\w+)_group\.id\}$/, '$1')
}

function peer(rule: Block): string {
  const ends = [rule.cidr_ipv4, rule.cidr_ipv6, rule.prefix_list_id, rule.referenced_security_group_id]
  return ends
    .filter((end) => end !== undefined)
    .map(group)
    .join('+')
}

function ports(rule: Block): string {
  assert.equal(rule.ip_protocol, 'tcp')
  assert.equal(rule.from_port, rule.to_port)
  return String(rule.from_port)
}

const common = [
  'into database from service:5432',
  `into load_balancer from ${anybody}:80`,
  'into service from load_balancer:3000',
  'out of load_balancer to service:3000',
  'out of service to database:5432',
]
const withEndpoints = [
  ...common,
  `into load_balancer from ${anybody}:443`,
  'into endpoints from service:443',
  `out of service to ${reference('aws_vpc_endpoint.s3_endpoint.prefix_list_id')}:443`,
  'out of service to endpoints:443',
]
const withInternet = [...common, `out of service to ${anybody}:443`]

function rule(stack: Stack, id: string): Block {
  const direction = id.endsWith('_in') ? 'ingress' : 'egress'
  return resource(stack, `aws_vpc_security_group_${direction}_rule`, id)
}

export const networkChecks: Check[] = [
  check(
    'the edges between security groups are exactly these, both halves of each',
    ({ production, staging, existing }) => {
      assert.deepEqual(edges(production.database), withEndpoints.toSorted())
      assert.deepEqual(edges(staging.database), withInternet.toSorted())
      assert.deepEqual(
        edges(existing.database),
        [...withInternet, `into load_balancer from ${anybody}:443`].toSorted(),
      )
    },
    ({ production }) => {
      rule(production.database, 'service_to_database_5432_in').cidr_ipv4 = anybody
    },
    ({ production }) => {
      rule(production.database, 'load_balancer_to_service_3000_in').to_port = 65_535
    },
    ({ staging }) => {
      delete resources(staging.database, 'aws_vpc_security_group_egress_rule').service_to_database_5432_out
    },
    ({ production }) => {
      resources(production.database, 'aws_vpc_security_group_ingress_rule').extra = {
        ...rule(production.database, 'internet_to_load_balancer_443_in'),
        from_port: 22,
        to_port: 22,
      }
    },
  ),
  check(
    'no rule hides inside a group, in an old-style resource or in another stack',
    ({ production, staging }) => {
      for (const [id, group] of Object.entries(resources(production.database, 'aws_security_group'))) {
        assert.ok(!group.ingress && !group.egress, `${id} has rules inside`)
      }
      assert.deepEqual(resources(production.database, 'aws_security_group_rule'), {})
      for (const { service } of [production, staging]) {
        const types = Object.keys(service.resource).filter((type) => type.includes('security_group'))
        assert.deepEqual(types, [])
      }
    },
    ({ production }) => {
      resource(production.database, 'aws_security_group', 'database_group').ingress = [{ from_port: 0 }]
    },
    ({ production }) => {
      production.service.resource.aws_security_group_rule = { extra: {} }
    },
  ),
  attributes(
    "EC2.2: the VPC's default group lets nobody in or out",
    ({ production }) => resource(production.database, 'aws_default_security_group'),
    { ingress: [], egress: [] },
  ),
  attributes(
    'EC2.6: the flow of the whole VPC is logged',
    ({ production }) => resource(production.database, 'aws_flow_log'),
    {
      traffic_type: 'ALL',
      vpc_id: reference('aws_vpc.vpc.id'),
      log_destination: reference('aws_cloudwatch_log_group.flow_logs.arn'),
    },
  ),
  check(
    'EC2.15: no subnet gives out public addresses by itself',
    ({ production, staging }) => {
      for (const { database } of [production, staging]) {
        const subnets = Object.values(resources(database, 'aws_subnet'))
        assert.equal(subnets.length, 4)
        for (const subnet of subnets) assert.equal(subnet.map_public_ip_on_launch, false)
      }
    },
    ({ staging }) => {
      resource(staging.database, 'aws_subnet', 'public_subnet_a').map_public_ip_on_launch = true
    },
  ),
  check(
    'with endpoints no private subnet has a route to the internet',
    ({ production }) => {
      assert.deepEqual(Object.keys(resources(production.database, 'aws_route')), ['public_internet'])
      assert.deepEqual(resources(production.database, 'aws_nat_gateway'), {})
      const services = Object.values(resources(production.database, 'aws_vpc_endpoint')).map((endpoint) =>
        String(endpoint.service_name).replace(/^com\.amazonaws\.[a-z0-9-]+\./, ''),
      )
      assert.deepEqual(services.sort(), ['ecr.api', 'ecr.dkr', 'logs', 's3', 'secretsmanager'])
    },
    ({ production }) => {
      resources(production.database, 'aws_route').extra = {}
    },
    ({ production }) => {
      delete resources(production.database, 'aws_vpc_endpoint').logs_endpoint
    },
  ),
  check(
    'a given VPC is left as it is',
    ({ existing }) => {
      const ours = Object.keys(existing.database.resource).filter((type) =>
        /^aws_(vpc|subnet|route|nat_gateway|internet_gateway|eip|flow_log)/.test(type),
      )
      assert.deepEqual(ours.sort(), [
        'aws_vpc_security_group_egress_rule',
        'aws_vpc_security_group_ingress_rule',
      ])
      assert.deepEqual(resource(existing.database, 'aws_db_subnet_group').subnet_ids, [
        'subnet-0c',
        'subnet-0d',
      ])
      assert.deepEqual(resource(existing.service, 'aws_lb').subnets, ['subnet-0a', 'subnet-0b'])
    },
    ({ existing }) => {
      existing.database.resource.aws_route_table = { extra: {} }
    },
    ({ existing }) => {
      resource(existing.service, 'aws_lb').subnets = ['subnet-0c']
    },
  ),
]
