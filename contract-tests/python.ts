import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Given, mustRun, run } from './processes.js'

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url))
const environment = fileURLToPath(new URL('.venv', import.meta.url))
const installed = `${environment}/requirements.txt`

/**
 * Runs a program that requirements.txt brings, in a virtual environment that is made here when it is missing or stale.
 *
 * Gives undefined where there is no Python.
 */
export async function runPythonTool(program: string, parameters: string[], given: Given) {
  const wanted = await readFile(requirements, 'utf8')
  if ((await readFile(installed, 'utf8').catch(() => '')) !== wanted) {
    if ((await run('python3', ['--version'])).exitCode !== 0) return undefined
    await rm(environment, { recursive: true, force: true })
    await mustRun('python3', ['-m', 'venv', environment])
    await mustRun(`${environment}/bin/pip`, ['install', '--quiet', '--requirement', requirements])
    await writeFile(installed, wanted)
  }
  return run(`${environment}/bin/${program}`, parameters, given)
}
