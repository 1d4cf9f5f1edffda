import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ServiceFacts, serviceFacts } from '../service-facts.js'
import { type Settings, settings, validated } from '../settings.js'
import { synthesize } from '../synthesize.js'
import type { Block } from './check.js'
import { type Dependabot, readDependabot, readWorkflows, type Workflow } from './workflow-files.js'

/** A synthesized stack. */
export interface Stack {
  resource: Record<string, Record<string, Block>>
  data?: Record<string, Record<string, Block>>
  output: Record<string, Block>
  terraform: Block
}

interface EnvironmentStacks {
  database: Stack
  service: Stack
}

/** All that the checks look at: the stacks as they are deployed and in their other shapes, the sources, the workflows. */
export interface Deployment {
  bootstrap: Stack
  production: EnvironmentStacks
  staging: EnvironmentStacks
  /** Production in a VPC that is there already. */
  existing: EnvironmentStacks
  settings: Settings
  /** Checks settings; see settings.ts. */
  validate(input: unknown): Settings
  facts: ServiceFacts
  /** The text of each TypeScript file of this package, and of the README, by its path. */
  sources: Record<string, string>
  /** The workflows of GitHub Actions that deploy, by their files' names. */
  workflows: Record<string, Workflow>
  dependabot: Dependabot
}

/** Production in a VPC that is there already. */
function inExistingNetwork(): Settings {
  const { project, environments } = validated(settings)
  const network = {
    kind: 'existing',
    vpcId: 'vpc-0a',
    publicSubnetIds: ['subnet-0a', 'subnet-0b'],
    privateSubnetIds: ['subnet-0c', 'subnet-0d'],
  } as const
  return validated({
    project,
    environments: { ...environments, production: { ...environments.production, network } },
  })
}

/** Synthesizes everything, in all its shapes, and reads it back. */
export function readDeployment(): Deployment {
  const usual = stacksOf(validated(settings))
  const environment = (stacks: Record<string, Stack>, name: string): EnvironmentStacks => ({
    database: stackOf(stacks, `${name}-database`),
    service: stackOf(stacks, `${name}-service`),
  })
  return {
    bootstrap: stackOf(usual, 'bootstrap'),
    production: environment(usual, 'production'),
    staging: environment(usual, 'staging'),
    existing: environment(stacksOf(inExistingNetwork()), 'production'),
    settings: validated(settings),
    validate: validated,
    facts: serviceFacts(),
    sources: readSources(),
    workflows: readWorkflows(),
    dependabot: readDependabot(),
  }
}

function stackOf(stacks: Record<string, Stack>, name: string): Stack {
  const stack = stacks[name]
  assert.ok(stack, `the stack ${name} is missing`)
  return stack
}

function stacksOf(wanted: Settings): Record<string, Stack> {
  const outdir = mkdtempSync(join(tmpdir(), 'stacks-'))
  try {
    synthesize(wanted, outdir)
    const names = readdirSync(join(outdir, 'stacks'))
    return Object.fromEntries(names.map((name) => [name, readStack(join(outdir, 'stacks', name))]))
  } finally {
    rmSync(outdir, { recursive: true })
  }
}

/** Reads a stack and opens the JSON that is written inside strings: policies and container definitions. */
export function readStack(directory: string): Stack {
  const text = readFileSync(join(directory, 'cdk.tf.json'), 'utf8')
  return JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'string' && /^(\[\{|\{")/.test(value) ? JSON.parse(value) : value,
  ) as Stack
}

function readSources(): Record<string, string> {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const paths = ['.', 'stacks', 'checks', 'emulated', 'rehearsal', 'documentation'].flatMap((directory) =>
    readdirSync(join(root, directory)).map((file) => join(directory, file)),
  )
  const ours = paths.filter((path) => path.endsWith('.ts') || path === 'README.md')
  return Object.fromEntries(ours.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

/** All resources of a type, by their ids. */
export function resources(stack: Stack, type: string): Record<string, Block> {
  return stack.resource[type] ?? {}
}

/** The resource of a type with this id; without an id the only one. */
export function resource(stack: Stack, type: string, id?: string): Block {
  const all = resources(stack, type)
  const ids = Object.keys(all)
  assert.ok(id ? ids.includes(id) : ids.length === 1, `expected one ${type} ${id ?? ''}; there are: ${ids}`)
  return all[id ?? ids[0] ?? ''] as Block
}

/** The one container of a service stack. */
export function container({ service }: EnvironmentStacks): Block {
  const definitions = resource(service, 'aws_ecs_task_definition').container_definitions as Block[]
  assert.equal(definitions.length, 1)
  return definitions[0] as Block
}

/** The variables of a container by their names. */
export function variables(stacks: EnvironmentStacks): Record<string, string> {
  const pairs = container(stacks).environment as { name: string; value: string }[]
  assert.equal(new Set(pairs.map(({ name }) => name)).size, pairs.length, 'a variable is given twice')
  return Object.fromEntries(pairs.map(({ name, value }) => [name, value]))
}
