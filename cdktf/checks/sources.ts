import assert from 'node:assert/strict'
import { withGeneratedParts } from '../documentation/readme.js'
import { settings } from '../settings.js'
import { type Check, check } from './check.js'
import { resources } from './deployment.js'

/** The AWS Security Hub controls that speak of what is deployed here; README.md says why some do not hold. */
const controls = [
  'ECS.2 ECS.3 ECS.4 ECS.5 ECS.8 ECS.9 ECS.10 ECS.12 ECS.17 ECS.20',
  'RDS.2 RDS.6 RDS.7 RDS.12 RDS.13 RDS.15 RDS.16 RDS.19 RDS.20 RDS.21 RDS.22 RDS.23 RDS.24 RDS.27 RDS.35 RDS.37',
  'ELB.1 ELB.4 ELB.5 ELB.6 ELB.12 ELB.13 ELB.16 ELB.17 ELB.18',
].flatMap((ids) => ids.split(' '))

/** A copy of the settings with one field of production changed, whatever its type. */
function withField(path: string, value: unknown): unknown {
  const copy = structuredClone(settings) as unknown as Record<string, Record<string, unknown>>
  const steps = path.split('.')
  const last = steps.pop() ?? ''
  const holder = steps.reduce<Record<string, unknown>>(
    (block, step) => block[step] as Record<string, unknown>,
    copy,
  )
  holder[last] = value
  return copy
}

/** Wrong settings: the field, the value, and the field that the message must name where it is another. */
const wrongFields: [string, unknown, string?][] = [
  ['project.account', '1234'],
  ['project.repository', 'todo'],
  ['environments.production.network.cidr', '192.168.0.0/16'],
  ['environments.production.network.zones', ['eu-central-1a']],
  ['environments.production.network.zones', ['eu-west-1a', 'eu-west-1b']],
  ['environments.production.network.wayOut', 'vpn'],
  ['environments.production.database.maximumCapacity', 0.5],
  ['environments.production.service.size', 'huge'],
  ['environments.production.service.maximumTasks', 1],
  ['environments.production.service.maximumTasks', 500, 'environments.production.service.connectionsPerTask'],
  ['environments.production.logDays', 31],
]

export function sourceChecks(namedControls: string[]): Check[] {
  return [
    check(
      'every Security Hub control that applies is asserted, or explained in README.md, and not both',
      ({ sources }) => {
        const explained = [...(sources['README.md'] ?? '').matchAll(/^\| ([A-Z]{3}\.\d+) +\| \S/gm)].map(
          ([, id]) => id,
        )
        assert.deepEqual(
          [...namedControls, ...explained].filter((id) => controls.includes(id ?? '')).sort(),
          controls.sort(),
        )
      },
      ({ sources }) => {
        sources['README.md'] = ''
      },
      ({ sources }) => {
        sources['README.md'] += '\n| ECS.5 | Why not. |\n'
      },
    ),
    check(
      'the diagram and the costs in README.md are those of the stacks and settings',
      (deployment) => {
        const readme = deployment.sources['README.md'] ?? ''
        assert.equal(withGeneratedParts(readme, deployment), readme, 'stale: npm --prefix cdktf run document')
      },
      ({ production }) => {
        delete resources(production.database, 'aws_vpc_security_group_ingress_rule')
          .service_to_database_5432_in
        delete resources(production.database, 'aws_vpc_security_group_egress_rule')
          .service_to_database_5432_out
      },
      ({ settings }) => {
        settings.environments.production.service.minimumTasks = 3
      },
    ),
    check(
      'only provider.ts names the packages of the CDK for Terraform',
      ({ sources }) => {
        const naming = Object.entries(sources).filter(
          ([path, text]) =>
            path.endsWith('.ts') &&
            /^(?:import|export)\b[^;]*? from '(?:@?cdkt[fn]|constructs)\b/m.test(text),
        )
        assert.deepEqual(
          naming.map(([path]) => path),
          ['provider.ts'],
        )
      },
      ({ sources }) => {
        sources['main.ts'] += "\nimport { App } from 'cdktf'"
      },
    ),
    check(
      'a wrong setting stops the synthesis with the name of its field',
      ({ validate }) => {
        for (const [path, value, named = path] of wrongFields) {
          assert.throws(() => validate(withField(path, value)), new RegExp(`\\n  ${named}[.\\d]*: `), path)
        }
        assert.throws(() => validate(withField('environments.production.sise', 'small')), /sise/)
      },
      (deployment) => {
        deployment.validate = () => deployment.settings
      },
    ),
  ]
}
