/**
 * `npm run contract:test`: holds the container against openapi.yaml, or the service that CONTRACT_URL names.
 * Prints a table, and exits with 1 when anything failed.
 */
import { contractFile, loadContract } from '../src/contract/contract.js'
import { containerChecks } from './container-checks.js'
import { documented } from './documented.js'
import { fuzzing } from './fuzzing.js'
import { acquire, main } from './processes.js'
import { startProxy } from './proxy.js'
import { printReport, type Row } from './report.js'
import { selfChecks } from './self-checks.js'
import { findService, secondsSince } from './service.js'
import { workflows } from './workflows.js'

/** Fuzzing deletes what it comes across. */
const notAlone: Row = {
  part: 'Fuzzing',
  what: 'all',
  state: 'left out',
  remarks: ['others have todos there'],
}

async function test(): Promise<number> {
  const contract = await loadContract(contractFile)
  const service = await findService()
  const { own, exclusive, url } = service
  const proxy = await acquire(
    () => startProxy(url),
    (started) => started.close(),
  )
  const parts = [
    async () => (own ? containerChecks(own) : []),
    () => documented(contract, service, proxy),
    () => workflows(proxy.url),
    async () => (own ? selfChecks(contract, service, proxy) : []),
    async () => (exclusive ? fuzzing(url) : [notAlone]),
  ]
  const rows: Row[] = []
  for (const part of parts) {
    const begin = performance.now()
    const added = await part()
    rows.push(...added)
    const [done] = added.filter(({ state }) => state !== 'left out')
    if (done) console.log(`${done.part}: ${secondsSince(begin)}`)
  }
  printReport(rows)
  return rows.some(({ state }) => state === 'failed') ? 1 : 0
}

await main(test)
