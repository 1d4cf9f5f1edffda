import { existsSync } from 'node:fs'
import { contractFile, loadContract, operationsOf } from '../../src/contract/contract.js'
import { exposedHeaders } from '../../src/contract/headers.js'
import { type Contestant, OURS } from '../servers.js'
import { createStatement, pageStatement } from '../statements.js'

const GO_SERVER = 'bench/dist/go-server'

/** Those that are compared, ours first; the one in Go only where Go is installed, and so could be compiled. */
export async function contestants(): Promise<Contestant[]> {
  const fastify: Contestant = {
    name: 'Fastify + under-pressure',
    parameters: ['bench/dist/fastify.js'],
    settings: { UNDER_PRESSURE: 'on' },
    validates: true,
    logs: true,
  }
  return [OURS, fastify, ...(existsSync(GO_SERVER) ? [await goServer()] : [])]
}

/** On one processor, as the others are, with our statements. */
async function goServer(): Promise<Contestant> {
  const page = await pageStatement(LIST, undefined, 20)
  const create = await createStatement()
  return {
    name: 'Go net/http + pgx',
    program: GO_SERVER,
    parameters: [],
    settings: {
      GOMAXPROCS: '1',
      PAGE_SQL: page.text,
      CREATE_SQL: create.text,
      EXPOSED_HEADERS: exposedHeaders(operationsOf(await loadContract(contractFile))).join(','),
    },
    validates: true,
    logs: true,
  }
}

/** As the pages of the load are asked for; the status is a value of the statement. */
const LIST = {
  column: 'deadline',
  descending: true,
  statuses: ['completed'],
  deadlineBefore: undefined,
  deadlineAfter: undefined,
} as const
