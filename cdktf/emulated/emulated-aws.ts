import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { pythonCommand } from './python.js'

/** An emulated AWS on the loopback. */
export interface EmulatedAws {
  url: string
  /** The calls that Terraform made so far, each once, as `service:Operation`. */
  calls: Set<string>
  stop(): void
}

/** Lets this process end although a program that it started still runs. */
export function letGo(program: ChildProcess): void {
  program.unref()
  for (const stream of program.stdio) (stream as Socket | null)?.unref()
}

/** Starts moto (aws.py) on a free port; it ends with this process, whatever happens. */
export async function startAws(): Promise<EmulatedAws> {
  const interpreter = await pythonCommand('moto', 'python')
  const server = spawn(interpreter, [fileURLToPath(new URL('aws.py', import.meta.url))], {
    env: { ...process.env, MOTO_IAM_LOAD_MANAGED_POLICIES: 'true' },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const calls = new Set<string>()
  const lines = createInterface({ input: server.stdout })
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => (line.startsWith('http') ? resolve(line) : calls.add(line)))
    server.once('error', reject)
    server.once('exit', (code) => reject(new Error(`The emulated AWS ended early, with ${code}.`)))
  })
  // A proof that is skipped for another reason ends without stopping it.
  letGo(server)
  return { url, calls, stop: () => server.stdin.end() }
}
