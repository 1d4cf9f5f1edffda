import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Missing } from './missing.js'

const run = promisify(execFile)

/**
 * The path of a command in a virtual environment of its own, which is made on first use and again when the list of
 * pinned packages changes.
 * @throws Missing where Python or the packages cannot be had.
 */
export async function pythonCommand(list: 'moto' | 'checkov', command: string): Promise<string> {
  const packages = fileURLToPath(new URL(`${list}.txt`, import.meta.url))
  const home = fileURLToPath(new URL(`../.environment/${list}`, import.meta.url))
  const wanted = readFileSync(packages, 'utf8')
  const installed = join(home, 'installed.txt')
  if (!existsSync(installed) || readFileSync(installed, 'utf8') !== wanted) {
    try {
      await run('python3', ['-m', 'venv', '--clear', home])
      const install = ['install', '--quiet', '--disable-pip-version-check', '--requirement', packages]
      await run(join(home, 'bin', 'pip'), install)
    } catch (error) {
      throw new Missing(`Python 3.11 or later with the packages of ${packages}`, error)
    }
    writeFileSync(installed, wanted)
  }
  return join(home, 'bin', command)
}
