import { execFile } from 'node:child_process'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

/** Runs a program to its end; rejects with what it printed when that is not 0. */
export const run = promisify(execFile)

/** The first of these programs that is there, or undefined. */
export async function findProgram(...names: string[]): Promise<string | undefined> {
  for (const name of names) {
    const found = await run('sh', ['-c', 'command -v "$0"', name]).catch(() => undefined)
    if (found) return found.stdout.trim()
  }
  return undefined
}

/** Where the Chromium of this machine is, if anywhere. */
export const findChromium = () => findProgram('chromium', 'chromium-browser', 'google-chrome')

/** Leaves a test out because a tool is missing, and says so; with REQUIRE_ALL=1 the test fails instead. */
export function leaveOut(context: TestContext, what: string): void {
  if (process.env.REQUIRE_ALL === '1') throw new Error(`${what} (REQUIRE_ALL=1)`)
  context.skip(what)
}
