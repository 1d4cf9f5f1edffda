import {
  type App,
  EcrLifecyclePolicy,
  EcrRepository,
  IamOpenidConnectProvider,
  IamPolicy,
  IamRole,
  IamRolePolicy,
  S3BucketVersioning,
} from '../provider.js'
import type { EnvironmentName, Project, Settings } from '../settings.js'
import { boundaryStatements, releaseStatements } from './bootstrap-policies.js'
import { deployStatements } from './deploy-policy.js'
import { policy, type Statement } from './policy.js'
import { privateBucket } from './private-bucket.js'
import { stateBucketName, TodoStack } from './todo-stack.js'

const issuer = 'token.actions.githubusercontent.com'

/** What there is once for all environments: where state and images are kept, and who may deploy. */
export class BootstrapStack extends TodoStack {
  constructor(app: App, { project, environments }: Settings) {
    super(app, 'bootstrap', project)
    this.output('region', 'Where everything is', project.region)
    this.stateBucket(project)
    this.imageRepository(project)
    new IamPolicy(this, 'boundary', {
      name: `${project.name}-boundary`,
      description: 'The most that a role made by a deployment may do',
      policy: policy(...boundaryStatements(project)),
    })
    const provider = new IamOpenidConnectProvider(this, 'github', {
      url: `https://${issuer}`,
      clientIdList: ['sts.amazonaws.com'],
    })
    this.githubRole(project, provider, 'release', 'release', releaseStatements(project))
    for (const name of Object.keys(environments) as EnvironmentName[]) {
      this.githubRole(project, provider, `deploy_${name}`, name, deployStatements(project, name))
    }
  }

  /** The state of all stacks, with every version of it kept. */
  private stateBucket(project: Project): void {
    const { bucket } = privateBucket(this, 'state', {
      bucketName: stateBucketName(project),
      forceDestroy: false,
    })
    new S3BucketVersioning(this, 'state_versions', {
      bucket: bucket.id,
      versioningConfiguration: { status: 'Enabled' },
    })
    this.output('state_bucket', 'Where the state of all stacks is kept', bucket.bucket)
  }

  /** A tag names one image for ever, and images are scanned as they arrive. */
  private imageRepository(project: Project): void {
    const repository = new EcrRepository(this, 'images', {
      name: project.name,
      imageTagMutability: 'IMMUTABLE',
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfiguration: [{ encryptionType: 'AES256' }],
    })
    const expire = (rulePriority: number, description: string, selection: object) => ({
      rulePriority,
      description,
      selection,
      action: { type: 'expire' },
    })
    new EcrLifecyclePolicy(this, 'images_lifecycle', {
      repository: repository.name,
      policy: JSON.stringify({
        rules: [
          expire(1, 'Pushes that never got a tag', {
            tagStatus: 'untagged',
            countType: 'sinceImagePushed',
            countUnit: 'days',
            countNumber: 14,
          }),
          expire(2, 'All but the last hundred', {
            tagStatus: 'any',
            countType: 'imageCountMoreThan',
            countNumber: 100,
          }),
        ],
      }),
    })
    this.output('repository_url', 'Where images are pushed to', repository.repositoryUrl)
  }

  /** A role for the workflows of one protected GitHub environment of this repository, and for nobody else. */
  private githubRole(
    project: Project,
    provider: IamOpenidConnectProvider,
    id: string,
    githubEnvironment: string,
    statements: Statement[],
  ): void {
    const role = new IamRole(this, id, {
      name: `${project.name}-${id.replaceAll('_', '-')}`,
      description: `GitHub Actions of ${project.repository}, environment ${githubEnvironment}`,
      maxSessionDuration: 3_600,
      assumeRolePolicy: policy({
        Effect: 'Allow',
        Principal: { Federated: provider.arn },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: {
            [`${issuer}:aud`]: 'sts.amazonaws.com',
            [`${issuer}:sub`]: `repo:${project.repository}:environment:${githubEnvironment}`,
          },
        },
      }),
    })
    new IamRolePolicy(this, `${id}_policy`, {
      name: 'deployment',
      role: role.id,
      policy: policy(...statements),
    })
    this.output(`${id}_role_arn`, `The role of the GitHub environment ${githubEnvironment}`, role.arn)
  }
}
