import { type TerraformStack, VpcEndpoint } from '../provider.js'
import type { Network } from './network.js'
import { allow, closedGroup, type Peer } from './security-groups.js'

/** What a task needs of AWS to start and to run: its image (ECR, and S3 for the layers), its log, its secret. */
const interfaceServices = ['ecr.api', 'ecr.dkr', 'logs', 'secretsmanager']

/** Private ways to AWS from every private subnet, so that tasks need no way to the internet at all. */
export function endpoints(
  stack: TerraformStack,
  name: string,
  region: string,
  network: Network,
  tasks: Peer,
): void {
  const { vpcId, privateSubnetIds, privateRouteTableIds } = network
  const group = closedGroup(stack, name, 'endpoints', vpcId)
  allow(stack, tasks, group, 443)
  for (const service of interfaceServices) {
    new VpcEndpoint(stack, `${service.replace('.', '_')}_endpoint`, {
      vpcId,
      serviceName: `com.amazonaws.${region}.${service}`,
      vpcEndpointType: 'Interface',
      privateDnsEnabled: true,
      subnetIds: privateSubnetIds,
      securityGroupIds: [group.group.id],
      tags: { Name: `${name}-${service}` },
    })
  }
  const s3 = new VpcEndpoint(stack, 's3_endpoint', {
    vpcId,
    serviceName: `com.amazonaws.${region}.s3`,
    vpcEndpointType: 'Gateway',
    routeTableIds: privateRouteTableIds,
    tags: { Name: `${name}-s3` },
  })
  allow(stack, tasks, { name: 's3', addresses: { prefixListId: s3.prefixListId } }, 443)
}
