import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { acquire, mustRun, run } from './processes.js'

const root = fileURLToPath(new URL('../', import.meta.url))

/** An image of the service, and the program that runs it. */
export interface Image {
  readonly engine: string
  readonly name: string
  /** In bytes. */
  readonly size: number
  readonly baseSize: number
}

/** A running container. */
export interface Container {
  readonly name: string
  /** Where the service answers, without a slash at the end. */
  readonly url: string
}

/** The image's name; one that was built before loses it to the next, and is removed. */
const imageName = 'localhost/todo-contract-test:latest'

/** As strict as a container can be run; the README promises that the service bears it. */
const strict = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges']

/** Builds the image from this checkout, labelled with package.json's version and the commit. */
export async function buildImage(): Promise<Image> {
  const dockerfile = await readFile(`${root}Dockerfile`, 'utf8')
  const base = /^FROM (?:--platform=\S+ )?(\S+)/m.exec(dockerfile)?.[1] as string
  const engine = await engineWith(base)
  const before = await run(engine, ['image', 'inspect', '--format', '{{.Id}}', imageName])
  await mustRun(engine, ['build', ...labelling(await labelsOfCheckout()), '--tag', imageName, root])
  const replaced = before.exitCode === 0 && before.output.trim() !== (await inspect(engine, imageName, '.Id'))
  if (replaced) await run(engine, ['image', 'rm', before.output.trim()])
  const [size, baseSize] = await Promise.all([imageName, base].map((name) => inspect(engine, name, '.Size')))
  return { engine, name: imageName, size: Number(size), baseSize: Number(baseSize) }
}

/** The build arguments; and the labels once more, because older podmans keep those of a cached image. */
function labelling(labels: Record<string, string>): string[] {
  return Object.entries(labels).flatMap(([name, value]) => [
    ...['--build-arg', `${name}=${value}`],
    ...['--label', `org.opencontainers.image.${name.toLowerCase()}=${value}`],
  ])
}

/** The build arguments of the Dockerfile, as they must be for this checkout. */
export async function labelsOfCheckout(): Promise<{ VERSION: string; REVISION: string }> {
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { version: string }
  const commit = await run('git', ['rev-parse', 'HEAD'], { directory: root })
  return { VERSION: version, REVISION: commit.exitCode === 0 ? commit.output.trim() : 'unknown' }
}

/**
 * An engine that has the base image: docker if it really answers, else podman. Where the image cannot be had,
 * BASE_IMAGE_TOOL may name a program that makes it, and podman with it.
 */
async function engineWith(base: string): Promise<string> {
  const engine = await answeringEngine()
  if (engine && (await canHave(engine, base))) return engine
  const tool = process.env.BASE_IMAGE_TOOL
  if (tool) {
    await mustRun(tool, [base])
    return 'podman'
  }
  throw new Error(
    engine
      ? `${engine} cannot get ${base}: is the registry reachable? BASE_IMAGE_TOOL may name a program that makes it.`
      : 'Neither docker nor podman answers: start one, or set CONTRACT_URL to test a service that runs already.',
  )
}

async function answeringEngine(): Promise<string | undefined> {
  for (const engine of ['docker', 'podman']) {
    if ((await run(engine, ['info'])).exitCode === 0) return engine
  }
  return undefined
}

async function canHave(engine: string, image: string): Promise<boolean> {
  for (const command of [['image', 'inspect'], ['pull']]) {
    if ((await run(engine, [...command, image])).exitCode === 0) return true
  }
  return false
}

function inspect(engine: string, name: string, field: string): Promise<string> {
  return mustRun(engine, ['inspect', '--format', `{{${field}}}`, name])
}

/**
 * Starts a container under the strictest conditions, on a free port of 127.0.0.1. It is removed at the end.
 *
 * @param settings environment variables; their values are not among the arguments of any process
 * @param volumes what of this machine is where in the container, `FROM:TO`
 */
export async function startContainer(
  { engine, name: image }: Image,
  settings: Record<string, string>,
  volumes: string[],
): Promise<Container> {
  const name = `todo-contract-test-${process.pid}-${++started}`
  const parameters = [
    ...Object.keys(settings).flatMap((setting) => ['--env', setting]),
    ...volumes.flatMap((volume) => ['--volume', volume]),
  ]
  await acquire(
    async () => name, // to be removed even if it does not start
    () => run(engine, ['rm', '--force', name]),
  )
  await mustRun(
    engine,
    ['run', '--detach', '--name', name, ...strict, '--publish', '127.0.0.1::3000', ...parameters, image],
    { environment: settings },
  )
  const [published] = (await mustRun(engine, ['port', name, '3000'])).split('\n')
  return { name, url: `http://${published}` }
}

let started = 0

/** Runs a program in a container, and gives what it printed. */
export function execute({ engine }: Image, { name }: Container, command: string[], settings: string[] = []) {
  return run(engine, ['exec', ...settings.flatMap((setting) => ['--env', setting]), name, ...command])
}
