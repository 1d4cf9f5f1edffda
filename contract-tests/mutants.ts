/**
 * `npm run contract:mutants`: a test of the tests. A proxy between Dredd and the service breaks one
 * thing at a time, everything that the contract lets break, and Dredd must find each. First everything must be green
 * without a mutant.
 *
 * Exits with 1 unless every mutant was caught.
 */
import { contractFile, loadContract, operationsOf } from '../src/contract/contract.js'
import { surroundingsOf } from './arrangements.js'
import { bySurroundings, documented } from './documented.js'
import { type Outcome, runDredd } from './dredd.js'
import { exchangesOf } from './exchanges.js'
import { type Mutant, mutantsOf } from './mutations.js'
import { main } from './processes.js'
import { startProxy } from './proxy.js'
import { printReport } from './report.js'
import { findService, secondsSince } from './service.js'

async function test(): Promise<number> {
  const contract = await loadContract(contractFile)
  const service = await findService()
  const { own } = service
  if (!own) throw new Error('The mutants need surroundings of their own: unset CONTRACT_URL.')
  const proxy = await startProxy(service.url)

  const green = await documented(contract, service, proxy)
  if (green.some(({ state }) => state !== 'passed')) {
    printReport(green)
    console.log('\nWithout a mutant the tests fail already.')
    return 1
  }
  const exchanges = exchangesOf(contract)
  const mutants = exchanges.flatMap((exchange) => mutantsOf(exchange, operationsOf(contract)))
  const begin = performance.now()
  const outcomes = await runDredd({
    contract,
    exchanges,
    origin: proxy.url,
    plan: () =>
      mutants
        .toSorted((one, other) => bySurroundings(one.exchange, other.exchange))
        .map((mutant) => ({
          name: mutant.name,
          exchange: mutant.exchange,
          begin: () => {
            proxy.intercept = mutant.intercept
          },
        })),
    surround: async (exchange) => {
      proxy.intercept = undefined
      await own.surround(surroundingsOf(exchange))
    },
  })
  console.log(
    `${green.length} exchanges are green without a mutant. ${mutants.length} mutants took ${secondsSince(begin)}.`,
  )
  return report(mutants, outcomes)
}

function report(mutants: readonly Mutant[], outcomes: readonly Outcome[]): number {
  const caught = new Set(outcomes.filter(isCatch).map(({ trial }) => trial.name))
  for (const operationId of new Set(mutants.map(({ exchange }) => exchange.operation.operationId))) {
    const own = mutants.filter(({ exchange }) => exchange.operation.operationId === operationId)
    const count = own.filter(({ name }) => caught.has(name)).length
    const kinds = new Set(own.map(({ kind }) => kind)).size
    console.log(`${operationId.padEnd(14)}  ${count} of ${own.length} caught, of ${kinds} kinds`)
  }
  console.log(`\n${caught.size} of ${mutants.length} mutants caught`)
  const survivors = mutants.filter(({ name }) => !caught.has(name))
  for (const { name } of survivors) {
    const faults = outcomes.find(({ trial }) => trial.name === name)?.faults ?? ['was not tried']
    console.log(`survived: ${name}${faults.length > 0 ? `: ${faults.join('; ')}` : ''}`)
  }
  return survivors.length === 0 ? 0 : 1
}

/** The mutated exchange was carried through, and its answer was found wrong. */
const isCatch = ({ arranged, state }: Outcome) => arranged && state === 'failed'

await main(test)
