import {
  SecurityGroup,
  type TerraformStack,
  VpcSecurityGroupEgressRule,
  VpcSecurityGroupIngressRule,
} from '../provider.js'

/** One end of a connection: a security group of ours, or addresses that have none. */
export interface Peer {
  name: string
  group?: SecurityGroup
  addresses?: { cidrIpv4: string } | { prefixListId: string }
}

/** A peer that is a security group of ours. */
export interface ClosedGroup extends Peer {
  group: SecurityGroup
}

export const internet: Peer = { name: 'internet', addresses: { cidrIpv4: '0.0.0.0/0' } }

/** A security group that lets nothing in or out until {@link allow} is called for it. */
export function closedGroup(stack: TerraformStack, prefix: string, name: string, vpcId: string): ClosedGroup {
  const group = new SecurityGroup(stack, `${name}_group`, {
    name: `${prefix}-${name.replaceAll('_', '-')}`,
    description: `${prefix}: ${name.replaceAll('_', ' ')}`,
    vpcId,
    tags: { Name: `${prefix}-${name.replaceAll('_', '-')}` },
  })
  return { name, group }
}

/**
 * Allows TCP from one peer to another on one port, and writes both halves: the way out of the first and the way
 * into the second, as far as they have a group. Security groups keep state, so that answers need no rule.
 */
export function allow(stack: TerraformStack, from: Peer, to: Peer, port: number): void {
  const id = `${from.name}_to_${to.name}_${port}`
  const rule = {
    description: `${from.name} to ${to.name}`.replaceAll('_', ' '),
    ipProtocol: 'tcp',
    fromPort: port,
    toPort: port,
  }
  if (from.group) {
    new VpcSecurityGroupEgressRule(stack, `${id}_out`, {
      ...rule,
      securityGroupId: from.group.id,
      ...other(to),
    })
  }
  if (to.group) {
    new VpcSecurityGroupIngressRule(stack, `${id}_in`, {
      ...rule,
      securityGroupId: to.group.id,
      ...other(from),
    })
  }
}

function other(peer: Peer) {
  return peer.group ? { referencedSecurityGroupId: peer.group.id } : { ...peer.addresses }
}
