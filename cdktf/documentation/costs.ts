import { taskSizes } from '../capacity.js'
import type { Environment, Settings } from '../settings.js'

/**
 * List prices in US dollars, Frankfurt (eu-central-1), as AWS showed them in 2025; they are an estimate's input, not
 * an offer. An hour unless it says otherwise.
 */
const prices = {
  vcpu: { ARM64: 0.03725, X86_64: 0.04656 },
  gibibyte: { ARM64: 0.00409, X86_64: 0.00511 },
  loadBalancer: 0.027,
  loadBalancerUnit: 0.008,
  publicAddress: 0.005,
  natGateway: 0.052,
  interfaceEndpoint: 0.012,
  capacityUnit: 0.14,
  /** A month. */
  firewallWithOneRule: 6,
  /** A month: seven alarms, a secret, a few gibibytes of logs, images and backups, Container Insights. */
  smallThings: 12,
}

const hoursOfMonth = 730
const interfaceEndpoints = 4

/** A month's costs of an environment that nobody uses much, in dollars, by what causes them. */
function monthly({ service, network, database, firewall }: Environment): Record<string, number> {
  const { cpu, memory } = taskSizes[service.size]
  const task =
    (cpu / 1_024) * prices.vcpu[service.architecture] +
    (memory / 1_024) * prices.gibibyte[service.architecture]
  const zones = network.kind === 'own' ? network.zones.length : network.publicSubnetIds.length
  const nat = prices.natGateway + prices.publicAddress
  const endpoints = zones * interfaceEndpoints * prices.interfaceEndpoint
  const waysOut = network.kind === 'existing' ? 0 : network.wayOut === 'nat' ? nat : endpoints
  const balancer = prices.loadBalancer + prices.loadBalancerUnit + zones * prices.publicAddress
  // While the service runs the database does not pause, and half a unit is the least that is awake.
  const units = 2 * Math.max(database.minimumCapacity, 0.5)
  return {
    Tasks: service.minimumTasks * task * hoursOfMonth,
    Database: units * prices.capacityUnit * hoursOfMonth,
    'Load balancer': balancer * hoursOfMonth,
    'Ways to AWS': waysOut * hoursOfMonth,
    Firewall: firewall ? prices.firewallWithOneRule : 0,
    'Logs, alarms, images, backups': prices.smallThings,
  }
}

/** The estimate as a Markdown table: the smallest setting (staging) and the default (production). */
export function costTable({ environments }: Settings): string {
  const columns = [monthly(environments.staging), monthly(environments.production)]
  const sum = (column: Record<string, number>) => Object.values(column).reduce((all, one) => all + one, 0)
  const causes = Object.keys(columns[0] ?? {})
  return aligned([
    ['US dollars a month', 'smallest (staging)', 'default (production)'],
    ...causes.map((name) => [name, ...columns.map((column) => dollars(column[name] ?? 0))]),
    ['**Together**', ...columns.map((column) => dollars(sum(column)))],
  ])
}

const dollars = (amount: number) => String(Math.round(amount))

/** A Markdown table as the formatter leaves it: cells padded to their column, numbers to the right. */
function aligned(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_cell, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)
  const [heading = [], ...body] = rows.map((row) => line(row.map(pad)))
  const rule = line(
    widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)),
  )
  return [heading, rule, ...body].join('\n')
}
