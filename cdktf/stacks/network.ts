import {
  CloudwatchLogGroup,
  DefaultSecurityGroup,
  Eip,
  FlowLog,
  IamRole,
  IamRolePolicy,
  InternetGateway,
  NatGateway,
  Route,
  RouteTable,
  RouteTableAssociation,
  Subnet,
  type TerraformStack,
  Vpc,
} from '../provider.js'
import type { Environment } from '../settings.js'
import { policy, trust } from './policy.js'
import type { RoleSettings } from './role.js'

type Own = Extract<Environment['network'], { kind: 'own' }>

/** Where the load balancer (public) and the tasks, the endpoints and the database (private) live. */
export interface Network {
  vpcId: string
  publicSubnetIds: string[]
  privateSubnetIds: string[]
  /** The private subnets' routes, which a gateway endpoint joins; none of an existing VPC. */
  privateRouteTableIds: string[]
}

/** The network of an environment: a VPC of its own, or the given one, which is left as it is. */
export function network(
  stack: TerraformStack,
  name: string,
  environment: Environment,
  role: RoleSettings,
): Network {
  const wanted = environment.network
  if (wanted.kind === 'existing') return { ...wanted, privateRouteTableIds: [] }
  const vpc = new Vpc(stack, 'vpc', {
    cidrBlock: wanted.cidr,
    enableDnsHostnames: true,
    enableDnsSupport: true,
    tags: { Name: name },
  })
  // Every VPC is born with a group that lets its members talk; without rules it lets nobody.
  new DefaultSecurityGroup(stack, 'closed_default_group', { vpcId: vpc.id, ingress: [], egress: [] })
  flowLogs(stack, name, vpc, environment.logDays, role)
  const publicSubnets = publicSide(stack, name, vpc, wanted)
  const { subnets, routes } = privateSide(stack, name, vpc, wanted, publicSubnets)
  return {
    vpcId: vpc.id,
    publicSubnetIds: publicSubnets.map((subnet) => subnet.id),
    privateSubnetIds: subnets.map((subnet) => subnet.id),
    privateRouteTableIds: [routes.id],
  }
}

/** A /24 in each zone, routed to the internet. Nothing in it gets a public address unless it asks for one. */
function publicSide(stack: TerraformStack, name: string, vpc: Vpc, wanted: Own): Subnet[] {
  const gateway = new InternetGateway(stack, 'internet_gateway', { vpcId: vpc.id, tags: { Name: name } })
  const routes = new RouteTable(stack, 'public_routes', { vpcId: vpc.id, tags: { Name: `${name}-public` } })
  new Route(stack, 'public_internet', {
    routeTableId: routes.id,
    destinationCidrBlock: '0.0.0.0/0',
    gatewayId: gateway.id,
  })
  return subnets(
    stack,
    name,
    vpc,
    'public',
    wanted.zones,
    (index) => `${prefix(wanted)}.${index}.0/24`,
    routes,
  )
}

/** A /20 in each zone, without a way in from the internet and, with endpoints, without a way out to it. */
function privateSide(stack: TerraformStack, name: string, vpc: Vpc, wanted: Own, publicSubnets: Subnet[]) {
  const routes = new RouteTable(stack, 'private_routes', { vpcId: vpc.id, tags: { Name: `${name}-private` } })
  const [first] = publicSubnets
  if (wanted.wayOut === 'nat' && first) {
    const address = new Eip(stack, 'nat_address', { domain: 'vpc', tags: { Name: `${name}-nat` } })
    const nat = new NatGateway(stack, 'nat_gateway', {
      subnetId: first.id,
      allocationId: address.id,
      tags: { Name: name },
    })
    new Route(stack, 'private_internet', {
      routeTableId: routes.id,
      destinationCidrBlock: '0.0.0.0/0',
      natGatewayId: nat.id,
    })
  }
  const cidr = (index: number) => `${prefix(wanted)}.${(index + 1) * 16}.0/20`
  return { subnets: subnets(stack, name, vpc, 'private', wanted.zones, cidr, routes), routes }
}

function prefix(wanted: Own): string {
  return wanted.cidr.split('.').slice(0, 2).join('.')
}

function subnets(
  stack: TerraformStack,
  name: string,
  vpc: Vpc,
  side: 'public' | 'private',
  zones: string[],
  cidr: (index: number) => string,
  routes: RouteTable,
): Subnet[] {
  return zones.map((zone, index) => {
    const letter = zone.slice(-1)
    const subnet = new Subnet(stack, `${side}_subnet_${letter}`, {
      vpcId: vpc.id,
      availabilityZone: zone,
      cidrBlock: cidr(index),
      mapPublicIpOnLaunch: false,
      tags: { Name: `${name}-${side}-${letter}` },
    })
    new RouteTableAssociation(stack, `${side}_subnet_${letter}_routes`, {
      subnetId: subnet.id,
      routeTableId: routes.id,
    })
    return subnet
  })
}

/** Who talked to whom, and what was refused, of every connection in the VPC. */
function flowLogs(stack: TerraformStack, name: string, vpc: Vpc, logDays: number, role: RoleSettings): void {
  const logs = new CloudwatchLogGroup(stack, 'flow_logs', {
    name: `/${name}/network`,
    retentionInDays: logDays,
  })
  const writer = new IamRole(stack, 'flow_logs_role', {
    ...role.named('flow-logs'),
    assumeRolePolicy: trust('vpc-flow-logs.amazonaws.com', role.account),
  })
  new IamRolePolicy(stack, 'flow_logs_policy', {
    name: 'write',
    role: writer.id,
    policy: policy({
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
      Resource: `${logs.arn}:*`,
    }),
  })
  new FlowLog(stack, 'flow_log', {
    vpcId: vpc.id,
    trafficType: 'ALL',
    iamRoleArn: writer.arn,
    logDestination: logs.arn,
    tags: { Name: name },
  })
}
