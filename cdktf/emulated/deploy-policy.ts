import type { Project } from '../settings.js'
import { deployStatements } from '../stacks/deploy-policy.js'

/** How IAM names what the emulation names otherwise. */
const namesInIam: Record<string, string> = { 's3:HeadBucket': 's3:ListBucket' }

/** What everybody may call. */
const free = new Set(['sts:GetCallerIdentity'])

/** What the policy allows although the rehearsal does not call it, and what it is needed for. */
const notRehearsed: [RegExp, string][] = [
  [/:(Tag|Untag)|:(Add|Remove)Tags|:DeleteTags$/, 'a tag that changes'],
  [/:(Modify|Update|Reset)|:Set(SecurityGroups|Subnets)$/, 'a setting that changes'],
  [/^ecr:/, "verifying the image's attestation"],
  [/^ec2:.*(NatGateway|Address)$/, 'a network with a NAT gateway'],
  [/^sns:.*(ubscri)/, 'the mail address for alarms'],
  [/^s3:.*ObjectVersion$|^s3:ListBucketVersions$/, 'emptying the bucket of access logs'],
  [/^s3:Put(BucketPublicAccessBlock|EncryptionConfiguration)$/, 'called, but not named by the emulation'],
  [/^iam:(PassRole|CreateServiceLinkedRole)$/, 'checked by AWS when a role is handed to a service'],
  [/^(secretsmanager:CreateSecret|kms:DescribeKey)$/, 'what RDS does for the master password'],
  [/^rds:CreateDBClusterSnapshot$/, 'the last snapshot of a protected database'],
  [/^elasticloadbalancing:SetWebACL$/, 'checked by AWS when a firewall is put before a load balancer'],
  [/^logs:.*(LogDelivery|ResourcePolic)/, "what WAF does for the firewall's log"],
]

/** How the deploy role's policy and the calls that Terraform made differ. */
export function comparePolicy(
  project: Project,
  calls: Set<string>,
): { forbidden: string[]; unused: string[] } {
  const made = [...calls].map((call) => namesInIam[call] ?? call.replace(/^elbv2:/, 'elasticloadbalancing:'))
  const allowed = deployStatements(project, 'production').flatMap(({ Action }) => Action)
  const matches = (action: string, call: string) => new RegExp(`^${action.replaceAll('*', '.*')}$`).test(call)
  const isExplained = (action: string) => notRehearsed.some(([known]) => known.test(action))
  return {
    forbidden: made.filter((call) => !free.has(call) && !allowed.some((action) => matches(action, call))),
    unused: allowed.filter((action) => !made.some((call) => matches(action, call)) && !isExplained(action)),
  }
}
