/**
 * `npm test [-- file…]`: compiles the service, starts one throw-away PostgreSQL for the whole run, and runs the test
 * files; exits with the runner's code.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { withSharedCluster } from './shared-cluster.js'

async function main(): Promise<number> {
  const compiled = await spawnAndWait('npm', ['run', '--silent', 'compile'])
  if (compiled !== 0) return compiled
  const named = process.argv.slice(2)
  const files = named.length > 0 ? named : await findTests()
  const parameters = ['--import', 'tsx', '--test', '--test-concurrency=3', ...files]
  return withSharedCluster((environment) => spawnAndWait(process.execPath, parameters, environment))
}

async function findTests(): Promise<string[]> {
  const entries = await readdir('test')
  return entries.filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`)
}

async function spawnAndWait(program: string, parameters: string[], environment = {}): Promise<number> {
  const child = spawn(program, parameters, {
    env: { ...process.env, ...environment },
    stdio: 'inherit',
    shell: process.platform === 'win32' && program === 'npm',
  })
  const [exitCode] = await once(child, 'exit')
  return exitCode ?? 1
}

process.exitCode = await main()
