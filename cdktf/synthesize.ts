import { App } from './provider.js'
import { serviceFacts } from './service-facts.js'
import type { EnvironmentName, Settings } from './settings.js'
import { BootstrapStack } from './stacks/bootstrap.js'
import { DatabaseStack } from './stacks/database.js'
import { ServiceStack } from './stacks/service.js'

/** Writes every stack as Terraform JSON to `<outdir>/stacks/<stack>/cdk.tf.json`. */
export function synthesize(settings: Settings, outdir: string): void {
  const app = new App({ outdir })
  const facts = serviceFacts()
  const { project, environments } = settings
  new BootstrapStack(app, settings)
  for (const [key, environment] of Object.entries(environments)) {
    const name = key as EnvironmentName
    const database = new DatabaseStack(app, { project, name, environment, containerPort: facts.port })
    new ServiceStack(app, { project, name, environment, facts, database })
  }
  app.synth()
}
