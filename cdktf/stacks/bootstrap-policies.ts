import type { Project } from '../settings.js'
import { imageRepository } from './image-repository.js'
import { allow, type Statement } from './policy.js'

/** The boundary's content: the sum of what tasks, flow logs and the database's monitoring need. */
export function boundaryStatements(project: Project): Statement[] {
  const { name, account, region } = project
  return [
    allow(
      'FetchImages',
      ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      imageRepository(project).arn,
    ),
    allow('SignInToEcr', ['ecr:GetAuthorizationToken'], '*'),
    allow(
      'ReadSecret',
      ['secretsmanager:GetSecretValue'],
      `arn:aws:secretsmanager:${region}:${account}:secret:rds!cluster-*`,
    ),
    allow(
      'WriteLogs',
      ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
      `arn:aws:logs:${region}:${account}:log-group:/${name}-*`,
    ),
    allow(
      'MonitorDatabase',
      [
        'logs:CreateLogGroup',
        'logs:PutRetentionPolicy',
        'logs:CreateLogStream',
        'logs:PutLogEvents',
        'logs:DescribeLogStreams',
        'logs:GetLogEvents',
      ],
      `arn:aws:logs:${region}:${account}:log-group:RDS*`,
    ),
  ]
}

/** What pushing a release needs: layers and manifests of the one repository. */
export function releaseStatements(project: Project): Statement[] {
  return [
    allow('SignInToEcr', ['ecr:GetAuthorizationToken'], '*'),
    allow(
      'PushImages',
      [
        'ecr:BatchCheckLayerAvailability',
        'ecr:BatchGetImage',
        'ecr:CompleteLayerUpload',
        'ecr:InitiateLayerUpload',
        'ecr:PutImage',
        'ecr:UploadLayerPart',
      ],
      imageRepository(project).arn,
    ),
  ]
}
