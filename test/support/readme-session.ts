import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const readme = new URL('../../README.md', import.meta.url)

/**
 * Runs the README's curl session as it is printed, but for the address.
 *
 * @returns what it prints
 */
export async function runReadmeSession(url: string): Promise<string> {
  const [, script] = /<!-- session:[^>]*-->\n```sh\n(.*?)\n```/s.exec(await readFile(readme, 'utf8')) ?? []
  if (script === undefined) throw new Error('README.md has no fenced block after <!-- session: … -->')
  const { stdout } = await promisify(execFile)('sh', [
    '-eu',
    '-c',
    script.replaceAll('http://localhost:3000', url),
  ])
  return stdout
}
