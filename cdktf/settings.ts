import { z } from 'zod'
import { largestPool, taskSizes } from './capacity.js'

/**
 * What a team edits to deploy: the project, and one small object for each environment. A wrong or misspelt
 * value stops the synthesis with the field's name (see {@link validated}).
 */
export const settings = {
  project: {
    name: 'todo',
    /** The GitHub repository whose workflows may deploy. */
    repository: 'example/todo',
    account: '123456789012',
    region: 'eu-central-1',
  },
  environments: {
    staging: {
      protected: false,
      network: {
        kind: 'own',
        cidr: '10.20.0.0/16',
        zones: ['eu-central-1a', 'eu-central-1b'],
        wayOut: 'nat',
      },
      database: { minimumCapacity: 0, maximumCapacity: 4, backupDays: 7 },
      service: {
        size: 'small',
        architecture: 'ARM64',
        minimumTasks: 1,
        maximumTasks: 2,
        connectionsPerTask: 10,
      },
      logDays: 30,
    },
    production: {
      protected: true,
      network: {
        kind: 'own',
        cidr: '10.21.0.0/16',
        zones: ['eu-central-1a', 'eu-central-1b'],
        wayOut: 'endpoints',
      },
      database: { minimumCapacity: 1, maximumCapacity: 64, backupDays: 35 },
      service: {
        size: 'medium',
        architecture: 'ARM64',
        minimumTasks: 2,
        maximumTasks: 20,
        connectionsPerTask: 20,
      },
      https: {
        domain: 'todo.example.com',
        certificateArn:
          'arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-4000-8000-000000000000',
      },
      firewall: { requestsPerFiveMinutes: 10_000 },
      logDays: 365,
    },
  },
} satisfies SettingsInput

const zone = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'expected a zone such as eu-central-1a')
const subnetIds = z.array(z.string().regex(/^subnet-[0-9a-f]+$/, 'expected a subnet id')).min(2)

const network = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('own'),
    /** 65,536 addresses: each zone gets a /24 for the load balancer and a /20 for tasks and database. */
    cidr: z.string().regex(/^10\.\d{1,3}\.0\.0\/16$/, 'expected 10.N.0.0/16'),
    zones: z.array(zone).min(2).max(6),
    /** How tasks reach AWS: private endpoints in every zone, or one NAT gateway. README.md has the prices. */
    wayOut: z.enum(['endpoints', 'nat']),
  }),
  z.strictObject({
    kind: z.literal('existing'),
    vpcId: z.string().regex(/^vpc-[0-9a-f]+$/, 'expected a VPC id'),
    publicSubnetIds: subnetIds,
    /** Subnets whose routes let tasks reach AWS on port 443. */
    privateSubnetIds: subnetIds,
  }),
])

/** Aurora capacity units, in steps of a half, from 0 (pauses when idle) to 256. */
const capacity = z.number().min(0).max(256).multipleOf(0.5)

/** The days that CloudWatch Logs accepts (API reference, PutRetentionPolicy). */
const logDays = z.union([30, 60, 90, 120, 150, 180, 365, 400, 545, 731].map((days) => z.literal(days)))

const environment = z
  .strictObject({
    /** Protects the database and the load balancer from deletion, and keeps a last snapshot and the logs. */
    protected: z.boolean(),
    network,
    database: z
      .strictObject({
        minimumCapacity: capacity,
        maximumCapacity: capacity.min(1),
        backupDays: z.int().min(7).max(35),
      })
      .refine((database) => database.minimumCapacity <= database.maximumCapacity, {
        path: ['maximumCapacity'],
        error: 'expected at least minimumCapacity',
      }),
    service: z
      .strictObject({
        size: z.enum(Object.keys(taskSizes) as [keyof typeof taskSizes, ...(keyof typeof taskSizes)[]]),
        /** Must be among the architectures that the image was built for. */
        architecture: z.enum(['ARM64', 'X86_64']),
        minimumTasks: z.int().min(1),
        maximumTasks: z.int().max(500),
        connectionsPerTask: z.int().min(1).max(100),
      })
      .refine((service) => service.minimumTasks <= service.maximumTasks, {
        path: ['maximumTasks'],
        error: 'expected at least minimumTasks',
      }),
    /** Without it the service answers on plain HTTP under the load balancer's own name. */
    https: z
      .strictObject({
        domain: z.hostname(),
        certificateArn: z.string().regex(/^arn:aws:acm:[^:]+:\d{12}:certificate\//, 'expected an ACM ARN'),
      })
      .optional(),
    /** A web application firewall that blocks an address which sends more than this. */
    firewall: z.strictObject({ requestsPerFiveMinutes: z.int().min(10).max(2_000_000_000) }).optional(),
    logDays,
    /** Who hears of alarms; AWS sends a mail that must be confirmed. */
    alarmEmail: z.email().optional(),
  })
  .superRefine(({ service, database }, context) => {
    const largest = largestPool(database, service.maximumTasks)
    if (service.connectionsPerTask > largest) {
      context.addIssue({
        code: 'custom',
        path: ['service', 'connectionsPerTask'],
        message: `expected at most ${largest}: that is what this database grants to twice maximumTasks (a deployment)`,
      })
    }
  })

const schema = z
  .strictObject({
    project: z.strictObject({
      name: z.string().regex(/^[a-z][a-z0-9]{1,15}$/, 'expected 2 to 16 lower-case letters and digits'),
      repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'expected owner/name'),
      account: z.string().regex(/^\d{12}$/, 'expected 12 digits'),
      region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'expected a region such as eu-central-1'),
    }),
    environments: z.record(z.enum(['staging', 'production']), environment),
  })
  .superRefine(({ project, environments }, context) => {
    for (const [name, { network }] of Object.entries(environments)) {
      if (network.kind === 'own' && network.zones.some((zone) => zone.slice(0, -1) !== project.region)) {
        context.addIssue({
          code: 'custom',
          path: ['environments', name, 'network', 'zones'],
          message: `expected zones of ${project.region}`,
        })
      }
    }
  })

type SettingsInput = z.input<typeof schema>
export type Settings = z.output<typeof schema>
export type Project = Settings['project']
export type Environment = z.output<typeof environment>
export type EnvironmentName = keyof Settings['environments']

/**
 * The settings, checked.
 * @throws Error that names every wrong field and what is expected there, one a line.
 */
export function validated(input: unknown): Settings {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const faults = result.error.issues.map(
    (issue) => `  ${issue.path.join('.') || 'settings'}: ${issue.message}`,
  )
  throw new Error(`cdktf/settings.ts is wrong:\n${faults.join('\n')}`)
}
