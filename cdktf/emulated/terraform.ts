import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { arch, homedir, platform } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Missing } from './missing.js'

const run = promisify(execFile)

/**
 * Runs terraform in a stack's folder.
 * @returns its output
 * @throws Error whose message ends with what terraform said.
 */
export type Terraform = (directory: string, ...command: string[]) => Promise<string>

/**
 * Terraform, talking to an emulated AWS alone. Where the provider's files are on no disk, it fetches them itself.
 * @param url where the emulated AWS is
 * @param providerVersion the version of the AWS provider that the stacks ask for
 * @throws Missing where terraform is not installed; later, on `init`, where the provider cannot be had.
 */
export async function findTerraform(url: string, providerVersion: string): Promise<Terraform> {
  const env = emulatedEnvironment(url)
  await run('terraform', ['version'], { env }).catch((error) => {
    throw new Missing('terraform 1.10 or later on the PATH', error)
  })
  const mirror = providerMirror(providerVersion)
  return async (directory, ...command) => {
    const files = command[0] === 'init' && mirror ? [`-plugin-dir=${mirror}`] : []
    const all = [`-chdir=${directory}`, ...command, '-no-color', ...files]
    try {
      return (await run('terraform', all, { env, maxBuffer: 2 ** 26 })).stdout
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      const failure = new Error(`terraform ${command.join(' ')}\n${stdout.slice(-4_000)}\n${stderr}`)
      if (!/Failed to query available provider packages|Failed to install provider/.test(stderr))
        throw failure
      const what = `the AWS provider ${providerVersion}; TF_PLUGIN_DIRECTORY names the folder of a mirror`
      throw new Missing(what, failure)
    }
  }
}

/** Without whatever credentials and settings of AWS the caller has: they must not be used here. */
export function emulatedEnvironment(url: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !/^(AWS|TF_VAR)_/.test(name))
  return {
    ...Object.fromEntries(others),
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    CHECKPOINT_DISABLE: '1',
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
  }
}

/**
 * The folder of a mirror that holds the provider for this machine: what TF_PLUGIN_DIRECTORY names, what terraform's
 * own configuration names, the folders that terraform looks into by itself, and what was unpacked beside other
 * programs.
 */
export function providerMirror(version: string): string | undefined {
  const system = `${platform() === 'win32' ? 'windows' : platform()}_${arch() === 'x64' ? 'amd64' : arch()}`
  const files = join('registry.terraform.io', 'hashicorp', 'aws', version, system)
  const shared = ['/usr/local/share', '/usr/share', '/opt'].filter((path) => existsSync(path))
  const candidates = [
    process.env.TF_PLUGIN_DIRECTORY ?? '',
    process.env.TF_PLUGIN_CACHE_DIR ?? '',
    ...configuredMirrors(),
    join(homedir(), '.terraform.d', 'plugins'),
    join(homedir(), '.local', 'share', 'terraform', 'plugins'),
    ...shared.map((path) => join(path, 'terraform', 'plugins')),
    ...shared.flatMap((path) => readdirSync(path).map((name) => join(path, name))),
  ]
  return candidates.find((path) => path && existsSync(join(path, files)))
}

/** The paths of file-system mirrors and of the plugin cache in terraform's own configuration file. */
function configuredMirrors(): string[] {
  const file = process.env.TF_CLI_CONFIG_FILE ?? join(homedir(), '.terraformrc')
  if (!existsSync(file)) return []
  const paths = readFileSync(file, 'utf8').matchAll(/^\s*(?:path|plugin_cache_dir)\s*=\s*"([^"]+)"/gm)
  return [...paths].map(([, path]) => (path ?? '').replace(/^(~|\$HOME)/, homedir()))
}
