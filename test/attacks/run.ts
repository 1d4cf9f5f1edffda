/**
 * `npm run test:attacks [-- --long]`: attacks the service in a cgroup of 512 MB, PostgreSQL outside of it, and holds
 * that it stays bounded. Exits with the code of attacks.test.ts.
 *
 * Where no cgroup can be made it says so and goes on without the limit, for what is resident is held all the same; with
 * REQUIRE_ALL=1 that is a failure.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { withSharedCluster } from '../support/shared-cluster.js'
import { type MemoryGroup, makeMemoryGroup } from './memory.js'

const LIMIT = 512 * 2 ** 20

async function main(): Promise<number> {
  const group = await makeMemoryGroup(LIMIT).catch(goWithout)
  try {
    return await withSharedCluster((environment) =>
      attack({ ...environment, ATTACKS_LAUNCHER: JSON.stringify(group?.launcher ?? []) }),
    )
  } finally {
    await group?.remove()
  }
}

function goWithout(error: Error): MemoryGroup | undefined {
  const reason = `The service cannot be given a cgroup: ${error.message.trim()}`
  if (process.env.REQUIRE_ALL === '1') throw new Error(`${reason} (REQUIRE_ALL=1)`)
  console.log(`${reason}\nIts memory is not limited; what is resident is held all the same.`)
  return undefined
}

async function attack(environment: Record<string, string>): Promise<number> {
  const program = ['--import', 'tsx', '--test-reporter=spec', 'test/attacks/attacks.test.ts']
  const child = spawn(process.execPath, [...program, ...process.argv.slice(2)], {
    env: { ...process.env, ...environment },
    stdio: 'inherit',
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal))
  const [exitCode] = await once(child, 'exit')
  return exitCode ?? 1
}

process.exitCode = await main()
