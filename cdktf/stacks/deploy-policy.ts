import type { EnvironmentName, Project } from '../settings.js'
import { imageRepository } from './image-repository.js'
import { allow, type Statement } from './policy.js'
import { boundaryArn, rolePath } from './role.js'
import { stateBucketName } from './todo-stack.js'

/**
 * What an environment's deployment may do: what Terraform calls for its two stacks and no more. The proof on the
 * emulated AWS (emulated/) compares these actions with the calls that Terraform really makes.
 * Everything with a name is limited to the environment's names; EC2, whose resources have none, to the region.
 */
export function deployStatements(project: Project, environment: EnvironmentName): Statement[] {
  return [
    ...verificationStatements(project),
    ...stateStatements(project, environment),
    ...networkStatements(project),
    ...databaseStatements(project, environment),
    ...serviceStatements(project, environment),
    ...observationStatements(project, environment),
    ...roleStatements(project, environment),
  ]
}

/** What finding an image and verifying its attestation needs: manifests, no layers. */
function verificationStatements(project: Project): Statement[] {
  return [
    allow('SignInToEcr', ['ecr:GetAuthorizationToken'], '*'),
    allow('VerifyImages', ['ecr:BatchGetImage'], imageRepository(project).arn),
  ]
}

function stateStatements(project: Project, environment: EnvironmentName): Statement[] {
  const bucket = `arn:aws:s3:::${stateBucketName(project)}`
  return [
    allow('ListState', ['s3:ListBucket'], bucket),
    allow('UseState', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], `${bucket}/${environment}-*`),
  ]
}

/** EC2 gives its resources numbers instead of names, so that the region is all that can limit these. */
function networkStatements({ region }: Project): Statement[] {
  const both = [
    'FlowLogs',
    'InternetGateway',
    'NatGateway',
    'Route',
    'RouteTable',
    'SecurityGroup',
    'Subnet',
    'Tags',
    'Vpc',
  ]
  const changes = [
    ...both.flatMap((what) => [`Create${what}`, `Delete${what}`]),
    ...['CreateVpcEndpoint', 'DeleteVpcEndpoints', 'ModifyVpcEndpoint'],
    ...['AllocateAddress', 'ReleaseAddress', 'DisassociateAddress'],
    ...['AssociateRouteTable', 'DisassociateRouteTable'],
    ...['AttachInternetGateway', 'DetachInternetGateway'],
    ...['AuthorizeSecurityGroupIngress', 'RevokeSecurityGroupIngress'],
    ...['AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupEgress', 'ModifySecurityGroupRules'],
    ...['ModifyVpcAttribute'],
  ]
  return [
    {
      ...allow('Network', ['ec2:Describe*', ...changes.map((change) => `ec2:${change}`)], '*'),
      Condition: { StringEquals: { 'aws:RequestedRegion': region } },
    },
  ]
}

function databaseStatements({ name, account, region }: Project, environment: EnvironmentName): Statement[] {
  const kinds = ['cluster', 'cluster-pg', 'cluster-snapshot', 'db', 'es', 'subgrp']
  const both = ['DBCluster', 'DBClusterParameterGroup', 'DBInstance', 'DBSubnetGroup', 'EventSubscription']
  const changes = [
    ...both.flatMap((what) => [`Create${what}`, `Delete${what}`, `Modify${what}`]),
    ...['CreateDBClusterSnapshot', 'ResetDBClusterParameterGroup'],
    ...['AddTagsToResource', 'ListTagsForResource', 'RemoveTagsFromResource'],
  ]
  return [
    allow('ReadDatabases', ['rds:Describe*'], '*'),
    allow(
      'Database',
      changes.map((change) => `rds:${change}`),
      kinds.map((kind) => `arn:aws:rds:${region}:${account}:${kind}:${name}-${environment}*`),
    ),
    // RDS makes the master password's secret in the name of whoever makes the cluster.
    allow(
      'DatabaseSecret',
      ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'],
      `arn:aws:secretsmanager:${region}:${account}:secret:rds!cluster-*`,
    ),
    allow('DatabaseKeys', ['kms:DescribeKey'], `arn:aws:kms:${region}:${account}:key/*`),
  ]
}

function serviceStatements({ name, account, region }: Project, environment: EnvironmentName): Statement[] {
  const own = `${name}-${environment}`
  const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`
  return [
    allow(
      'ReadService',
      [
        ...['ecs:Describe*', 'elasticloadbalancing:Describe*'],
        ...['application-autoscaling:Describe*', 'wafv2:GetWebACLForResource'],
      ],
      '*',
    ),
    allow(
      'Tasks',
      [
        ...['CreateCluster', 'DeleteCluster', 'UpdateCluster', 'UpdateClusterSettings'],
        ...['CreateService', 'DeleteService', 'UpdateService', 'RegisterTaskDefinition'],
        ...['TagResource', 'UntagResource'],
      ].map((action) => `ecs:${action}`),
      [`cluster/${own}`, `service/${own}/*`, `task-definition/${own}:*`].map((rest) => arn('ecs', rest)),
    ),
    allow(
      'LoadBalancer',
      [
        ...['LoadBalancer', 'TargetGroup', 'Listener'].flatMap((what) => [`Create${what}`, `Delete${what}`]),
        ...['ModifyListener', 'ModifyListenerAttributes', 'ModifyLoadBalancerAttributes'],
        ...['ModifyTargetGroup', 'ModifyTargetGroupAttributes'],
        ...['SetSecurityGroups', 'SetSubnets', 'SetWebACL', 'AddTags', 'RemoveTags'],
      ].map((action) => `elasticloadbalancing:${action}`),
      [`loadbalancer/app/${own}/*`, `listener/app/${own}/*`, `targetgroup/${own}/*`].map((rest) =>
        arn('elasticloadbalancing', rest),
      ),
    ),
    allow(
      'Scaling',
      [
        ...['RegisterScalableTarget', 'DeregisterScalableTarget', 'PutScalingPolicy', 'DeleteScalingPolicy'],
        ...['ListTagsForResource', 'TagResource', 'UntagResource'],
      ].map((action) => `application-autoscaling:${action}`),
      arn('application-autoscaling', 'scalable-target/*'),
    ),
    allow(
      'Firewall',
      [
        ...[
          'CreateWebACL',
          'DeleteWebACL',
          'GetWebACL',
          'UpdateWebACL',
          'AssociateWebACL',
          'DisassociateWebACL',
        ],
        ...['PutLoggingConfiguration', 'GetLoggingConfiguration', 'DeleteLoggingConfiguration'],
        ...['ListTagsForResource', 'TagResource', 'UntagResource'],
      ].map((action) => `wafv2:${action}`),
      [arn('wafv2', `regional/webacl/${own}/*`), arn('elasticloadbalancing', `loadbalancer/app/${own}/*`)],
    ),
  ]
}

/** Logs, alarms and the load balancer's log bucket. */
function observationStatements(
  { name, account, region }: Project,
  environment: EnvironmentName,
): Statement[] {
  const own = `${name}-${environment}`
  const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`
  const bucket = `arn:aws:s3:::${own}-access-logs-${account}`
  const tags = (service: string) =>
    ['ListTagsForResource', 'TagResource', 'UntagResource'].map((action) => `${service}:${action}`)
  return [
    // A firewall's log is delivered by AWS, which the one who sets it up must be allowed to arrange.
    allow(
      'ReadLogs',
      [
        ...['logs:DescribeLogGroups', 'logs:DescribeResourcePolicies', 'logs:PutResourcePolicy'],
        ...['logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'cloudwatch:DescribeAlarms'],
      ],
      '*',
    ),
    allow(
      'Logs',
      ['logs:CreateLogGroup', 'logs:DeleteLogGroup', 'logs:PutRetentionPolicy', ...tags('logs')],
      [`/${own}/*`, `/aws/rds/cluster/${own}/*`, `aws-waf-logs-${own}`].flatMap((group) => [
        arn('logs', `log-group:${group}`),
        arn('logs', `log-group:${group}:*`),
      ]),
    ),
    allow(
      'Alarms',
      ['cloudwatch:PutMetricAlarm', 'cloudwatch:DeleteAlarms', ...tags('cloudwatch')],
      [arn('cloudwatch', `alarm:${own}-*`), arn('cloudwatch', `alarm:TargetTracking-service/${own}/*`)],
    ),
    allow(
      'AlarmTopic',
      [
        ...['CreateTopic', 'DeleteTopic', 'GetTopicAttributes', 'SetTopicAttributes'].map(
          (it) => `sns:${it}`,
        ),
        ...['sns:Subscribe', 'sns:Unsubscribe', 'sns:GetSubscriptionAttributes', ...tags('sns')],
      ],
      arn('sns', `${own}-alarms`),
    ),
    allow(
      'AccessLogs',
      [
        ...['CreateBucket', 'DeleteBucket', 'DeleteBucketPolicy', 'Get*', 'ListBucket', 'ListBucketVersions'],
        ...[
          'PutBucketPolicy',
          'PutBucketPublicAccessBlock',
          'PutBucketTagging',
          'PutEncryptionConfiguration',
        ],
        ...['PutLifecycleConfiguration', 'DeleteObject', 'DeleteObjectVersion'],
      ].map((action) => `s3:${action}`),
      [bucket, `${bucket}/*`],
    ),
  ]
}

/** Roles under the environment's own path, with the boundary, passed to the services that need them. */
function roleStatements(project: Project, environment: EnvironmentName): Statement[] {
  const roles = `arn:aws:iam::${project.account}:role${rolePath(project, environment)}*`
  const bounded = { StringEquals: { 'iam:PermissionsBoundary': boundaryArn(project) } }
  return [
    {
      ...allow('MakeRoles', ['iam:AttachRolePolicy', 'iam:CreateRole', 'iam:PutRolePolicy'], roles),
      Condition: bounded,
    },
    allow(
      'KeepRoles',
      [
        ...['DeleteRole', 'DeleteRolePolicy', 'DetachRolePolicy', 'GetRole', 'GetRolePolicy'],
        ...['ListAttachedRolePolicies', 'ListInstanceProfilesForRole', 'ListRolePolicies'],
        ...['TagRole', 'UntagRole', 'UpdateAssumeRolePolicy'],
      ].map((action) => `iam:${action}`),
      roles,
    ),
    {
      ...allow('PassRoles', ['iam:PassRole'], roles),
      Condition: {
        StringEquals: {
          'iam:PassedToService': [
            'ecs-tasks.amazonaws.com',
            'monitoring.rds.amazonaws.com',
            'vpc-flow-logs.amazonaws.com',
          ],
        },
      },
    },
    {
      ...allow(
        'ServiceLinkedRoles',
        ['iam:CreateServiceLinkedRole'],
        `arn:aws:iam::${project.account}:role/aws-service-role/*`,
      ),
      Condition: {
        StringEquals: {
          'iam:AWSServiceName': [
            'ecs.amazonaws.com',
            'ecs.application-autoscaling.amazonaws.com',
            'elasticloadbalancing.amazonaws.com',
            'rds.amazonaws.com',
            'wafv2.amazonaws.com',
          ],
        },
      },
    },
  ]
}
