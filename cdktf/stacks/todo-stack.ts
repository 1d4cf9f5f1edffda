import { type App, AwsProvider, S3Backend, TerraformOutput, TerraformStack } from '../provider.js'
import type { Project } from '../settings.js'

/** The bucket that holds the state of every stack, made by the bootstrap stack. */
export function stateBucketName({ name, account, region }: Project): string {
  return `${name}-state-${account}-${region}`
}

/** A stack of this project: its provider, its tags, and its state in the state bucket. */
export class TodoStack extends TerraformStack {
  constructor(app: App, id: string, project: Project, tags: Record<string, string> = {}) {
    super(app, id)
    new AwsProvider(this, 'aws', {
      region: project.region,
      // Stops an apply with the credentials of another account before it changes anything.
      allowedAccountIds: [project.account],
      defaultTags: [{ tags: { Project: project.name, ...tags } }],
    })
    const backend = new S3Backend(this, {
      bucket: stateBucketName(project),
      key: `${id}.tfstate`,
      region: project.region,
      encrypt: true,
      allowedAccountIds: [project.account],
    })
    // The bindings do not know this argument of Terraform 1.10 and later.
    backend.addOverride('use_lockfile', true)
  }

  /** A value that `terraform output` shows and that a deployment workflow reads. */
  protected output(name: string, description: string, value: string): void {
    new TerraformOutput(this, name, { description, value })
  }
}
