import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { below } from '../checks/check.js'
import { readStack } from '../checks/deployment.js'
import type { Settings } from '../settings.js'
import { synthesize } from '../synthesize.js'
import type { Terraform } from './terraform.js'

/** The synthesized stacks in a folder of their own, gone when the process ends, and the operator's steps in it. */
export class Stacks {
  readonly folder = mkdtempSync(join(tmpdir(), 'emulated-'))

  constructor(settings: Settings) {
    process.once('exit', () => rmSync(this.folder, { recursive: true }))
    this.write(settings)
  }

  /** Writes the stacks, as `npm run synth` does. */
  write(settings: Settings): void {
    synthesize(settings, this.folder)
    // The one difference to what is deployed: the emulated AWS starts no task that could become steady.
    const noTask = { resource: { aws_ecs_service: { service: { wait_for_steady_state: false } } } }
    for (const environment of Object.keys(settings.environments)) {
      const override = join(this.directory(`${environment}-service`), 'emulated_override.tf.json')
      writeFileSync(override, JSON.stringify(noTask))
    }
  }

  directory(stack: string): string {
    return join(this.folder, 'stacks', stack)
  }

  /** The version of the AWS provider that the stacks ask for. */
  providerVersion(): string {
    const { terraform } = readStack(this.directory('bootstrap'))
    return String(below(terraform, 'required_providers', 'aws').version)
  }

  /** Keeps the bootstrap's state on the disk while its bucket does not exist. */
  stateOnDisk(yes: boolean): void {
    const file = join(this.directory('bootstrap'), 'backend_override.tf.json')
    if (yes) writeFileSync(file, JSON.stringify({ terraform: { backend: { local: {} } } }))
    else rmSync(file)
  }

  /** Moves the bootstrap's state back to the disk and lets go of the bucket and the images, as README.md writes it. */
  tearDownBootstrap(): void {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const override = /echo '([^']*)' > teardown_override\.tf\.json/.exec(readme)?.[1]
    if (!override) throw new Error('README.md says no longer how the bootstrap is torn down.')
    writeFileSync(join(this.directory('bootstrap'), 'teardown_override.tf.json'), override)
  }
}

/** Plans a stack again. @throws Error with the plan where something would change. */
export async function expectNoChanges(
  terraform: Terraform,
  directory: string,
  ...more: string[]
): Promise<void> {
  await terraform(directory, 'plan', '-detailed-exitcode', ...more)
}
