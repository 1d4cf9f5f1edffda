import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** One version of Node.js. */
export interface Runtime {
  readonly program: string
  readonly version: string
}

/**
 * The Node.js of the image, from bench/package.json.
 *
 * @throws when that has another major version than the Dockerfile
 */
export async function imageRuntime(): Promise<Runtime> {
  const require = createRequire(import.meta.url)
  const name = `node-linux-${process.arch}`
  const { version } = require(`${name}/package.json`)
  const [, major = ''] = /^FROM \S*node:(\d+)-/m.exec(await readFile('Dockerfile', 'utf8')) ?? []
  if (majorOf(version) !== major)
    throw new Error(`The image has Node.js ${major}, and bench/package.json ${version}: they must be alike.`)
  return { program: require.resolve(`${name}/bin/node`), version }
}

/** The machine's own Node.js where it is of another major version. */
export function ownRuntime(image: Runtime): Runtime[] {
  const version = process.versions.node
  return majorOf(version) === majorOf(image.version) ? [] : [{ program: process.execPath, version }]
}

const majorOf = (version: string) => version.split('.')[0]
