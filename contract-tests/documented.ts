import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Contract } from '../src/contract/contract.js'
import { type Surroundings, surroundingsOf } from './arrangements.js'
import { runDredd } from './dredd.js'
import { type Exchange, exchangesOf } from './exchanges.js'
import { mustRun } from './processes.js'
import type { ServiceProxy } from './proxy.js'
import type { Row } from './report.js'
import type { Service } from './service.js'

const part = 'Dredd'

/** The state in which most can be tried first, so that each change of the database happens once. */
const order: readonly Surroundings[] = ['sound', 'broken', 'stopped']

/** Those that need the same surroundings together. */
export const bySurroundings = (one: Exchange, other: Exchange) =>
  order.indexOf(surroundingsOf(one)) - order.indexOf(surroundingsOf(other))

/** Lets Dredd try everything that the contract documents; what it did not try is a failure. */
export async function documented(
  contract: Contract,
  service: Service,
  proxy: ServiceProxy,
  hookfile?: string,
): Promise<Row[]> {
  await installDredd()
  const exchanges = exchangesOf(contract)
  const outcomes = await runDredd({
    contract,
    exchanges,
    origin: proxy.url,
    plan: (found) =>
      found.toSorted(bySurroundings).map((exchange) => ({
        name: exchange.name,
        exchange,
        leftOut: reasonToLeaveOut(exchange, service),
      })),
    surround: async (exchange) => service.own?.surround(surroundingsOf(exchange)),
    ...(hookfile !== undefined && { hookfile }),
  })
  await service.own?.surround('sound')
  return exchanges.map((exchange) => {
    const outcome = outcomes.find(({ trial }) => trial.exchange === exchange)
    if (!outcome)
      return { part, what: exchange.name, state: 'failed', remarks: ['documented, but not tried'] }
    const { trial, state, faults } = outcome
    return {
      part,
      what: exchange.name,
      state,
      remarks: trial.leftOut === undefined ? faults : [trial.leftOut],
    }
  })
}

/** What cannot be done to a service elsewhere, or would touch what others have stored there. */
function reasonToLeaveOut(exchange: Exchange, { own, exclusive }: Service): string | undefined {
  if (!own && surroundingsOf(exchange) !== 'sound') return 'its database is out of reach'
  if (!exclusive && exchange.operation.operationId === 'deleteTodos') return 'others have todos there'
  return undefined
}

/** Dredd has a package of its own, because its tree is old: whoever only works on the service does not need it. */
export async function installDredd(): Promise<void> {
  const directory = fileURLToPath(new URL('dredd/', import.meta.url))
  if (existsSync(`${directory}node_modules/dredd`)) return
  await mustRun('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { directory })
}
