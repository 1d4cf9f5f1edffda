/** What `npm run test:attacks` holds; see run.ts. Arguments: none, or `--long`. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { atEnd } from '../support/cleanup.js'
import { createClient } from '../support/client.js'
import { type Service, startService } from '../support/service.js'
import type { Attack } from './attacker.js'
import { hostileKinds, send } from './kinds.js'
import { residentMemory } from './memory.js'
import { type Findings, ordinaryRound, type Period } from './observer.js'
import { families, type Recipe } from './recipes.js'

const isLong = process.argv.includes('--long')

/** Milliseconds that an attack lasts once it is under way, and after which its memory must have been given back. */
const [DURATION, PATIENCE] = isLong ? [35_000, 60_000] : [8_000, 60_000]

/** Milliseconds that the connections of an attack may take to be made. */
const OPENING = 20_000

/** How many requests of each hostile kind. */
const REQUESTS = isLong ? 50_000 : 1_000

/** MB that may be resident at any time; and how much more than after the warm-up when an attack is over. */
const MOST_RESIDENT = 300
const GROWTH = 1.2

/** Milliseconds in which half of the answers of /health on new connections come. */
const HEALTH = 100

/** Lines of the log that name a limit, however often it was exceeded. */
const LINES = 10

/** What the Dockerfile sets for the sake of memory. */
const AS_IN_THE_IMAGE = Object.fromEntries(
  [...readFileSync('Dockerfile', 'utf8').matchAll(/^ENV (MALLOC_ARENA_MAX|NODE_OPTIONS)=(\S+)$/gm)].map(
    ([, ...setting]) => setting,
  ),
)

/** On Linux all of 127.0.0.0/8 is this machine; the service's honest clients come from 127.0.0.1. */
const CROWD = process.platform === 'linux' ? addresses(100) : ['127.0.0.1']
const STRANGER = CROWD.slice(0, 1)

function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `127.0.0.${index + 2}`)
}

let service: Service
let observer: ChildProcess
/** MB after the warm-up. */
let warm: number

const port = () => Number(new URL(service.url).port)
const processId = () => service.process.pid ?? Number.NaN

before(async () => {
  const launcher: string[] = JSON.parse(process.env.ATTACKS_LAUNCHER ?? '[]')
  service = await startService(AS_IN_THE_IMAGE, '.', undefined, launcher)
  observer = startProcess('observer.ts')
  await makeTodos()
  await warmUp()
})

for (const { name, recipes } of families) {
  if (isLong) for (const recipe of recipes) attackTest(`${name}: ${recipe.name}`, [recipe], STRANGER)
  attackTest(name, recipes, CROWD)
}

/** Holds all that must hold while an attack lasts, and when it is over. */
function attackTest(name: string, recipes: readonly Recipe[], addresses: readonly string[]): void {
  test(name, async () => {
    await startAgainUnlessWell()
    const before = service.logs.length
    await observe()
    await underAttack(recipes, addresses, () => delay(DURATION))
    const faults = judge(await observe(), before)
    if (isLong) await delay(PATIENCE)
    faults.push(...(await faultsOfMemory(warm, isLong ? 0 : PATIENCE)))
    failFor(faults)
  })
}

test('honest clients behind one address are served while another address attacks', async () => {
  await startAgainUnlessWell()
  const recipes = families.flatMap(({ recipes }) => recipes.slice(0, 1))
  await underAttack(recipes, STRANGER, () => crowd(200, 4, 3_000))
})

test(`${hostileKinds.length} kinds of hostile requests, ${REQUESTS} each, show no growth`, async (context) => {
  for (const kind of hostileKinds) {
    await context.test(kind.name, async () => {
      await startAgainUnlessWell()
      await send(port(), kind, 0, REQUESTS / 5)
      const before = await residentMemory(processId())
      await send(port(), kind, REQUESTS / 5, REQUESTS + REQUESTS / 5)
      service.logs.length = 0
      failFor(await faultsOfMemory(before, PATIENCE))
    })
  }
})

/** Does something while others attack; their connections end with it. */
async function underAttack(
  recipes: readonly Recipe[],
  addresses: readonly string[],
  act: () => Promise<unknown>,
): Promise<void> {
  const attacker = startProcess('attacker.ts')
  const attack: Attack = {
    port: port(),
    addresses,
    recipes: recipes.map((recipe) => ({ recipe, connections: recipe.connections[isLong ? 1 : 0] })),
  }
  const exit = once(attacker, 'exit')
  try {
    attacker.send(attack)
    // A service that is hard pressed takes no new connection for a while.
    await Promise.race([once(attacker, 'message'), delay(OPENING)])
    await act()
  } finally {
    attacker.kill('SIGKILL')
    await exit
  }
}

/** What was wrong while something happened, of which a line is printed. */
function judge({ resident, health, rounds, faults }: Findings, firstLine: number): string[] {
  const most = Math.max(...resident.filter((each) => !Number.isNaN(each)))
  const times = health.toSorted((a, b) => a - b)
  const half = times[times.length >> 1] ?? Number.POSITIVE_INFINITY
  const slow = times.filter((time) => time > HEALTH).length
  const lines = service.logs.slice(firstLine)
  const naming = lines.filter((line) => /[A-Z]_(LIMIT|TIMEOUT|MEMORY)/.test(JSON.stringify(line)))
  console.log(
    [
      `${most.toFixed()} MB at most`,
      `/health ${half.toFixed()} ms, ${times.at(-1)?.toFixed()} at most, ${slow} of ${times.length} above ${HEALTH}`,
      `${rounds} rounds`,
      `${naming.length} of ${lines.length} lines name a limit`,
    ].join('; '),
  )
  const wrong = {
    [`${most} MB are resident`]: !(most < MOST_RESIDENT),
    [`half of /health takes ${half} ms and more`]: half > HEALTH,
    'no ordinary client was served': rounds === 0,
    [`${naming.length} lines name a limit`]: naming.length >= LINES,
  }
  const named = Object.entries(wrong).flatMap(([what, isSo]) => (isSo ? [what] : []))
  return [...named, ...faults.slice(0, 5), ...(faults.length > 5 ? [`${faults.length - 5} more`] : [])]
}

/** Waits until no more is resident than GROWTH allows; V8 gives memory back when it finds the time. */
async function faultsOfMemory(before: number, patience: number): Promise<string[]> {
  const start = performance.now()
  let now = await residentMemory(processId())
  while (now > before * GROWTH && performance.now() - start < patience) {
    await delay(100)
    now = await residentMemory(processId())
  }
  const seconds = ((performance.now() - start) / 1_000).toFixed(1)
  const found = `${now.toFixed()} MB after ${seconds} s, ${before.toFixed()} before`
  if (Number(seconds) > 1) console.log(found)
  if (Number.isNaN(now)) return [lastWords()]
  return now <= before * GROWTH ? [] : [found]
}

function failFor(faults: readonly string[]): void {
  if (faults.length > 0) assert.fail(faults.join('\n'))
}

/** Ends the observer's period, and begins another. */
async function observe(): Promise<Findings> {
  const answer = once(observer, 'message')
  observer.send({ url: service.url, processId: processId() } satisfies Period)
  const [findings] = await answer
  return findings
}

/** Ends a service that serves nobody any more, and starts another one for the next attack. */
async function startAgainUnlessWell(): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE)
  const isWell = await fetch(`${service.url}/health`, { signal }).then(
    ({ ok }) => ok,
    () => false,
  )
  if (isWell) return
  await service.kill()
  await service.restart()
  await warmUp()
}

/** How it ended, and what it said last that is neither of a request nor one of V8's own frames. */
function lastWords(): string {
  const { exitCode, signalCode } = service.process
  const words = service.logs
    .filter(({ msg, text }) => msg !== 'request' && !/^ *\d+: 0x|^\W*$/.test(String(text)))
    .map((line) => line.text ?? JSON.stringify(line))
  return [`the service has ended (${signalCode ?? exitCode}), having said:`, ...words.slice(-10)].join(
    '\n    ',
  )
}

/** A hundred whose page is 2.5 MB, which come first, and those that ordinary clients see. */
async function makeTodos(): Promise<void> {
  const client = createClient(service.url)
  for (let count = 0; count < 100; count += 1) await client.create({ description: '\u0001'.repeat(4_000) })
  for (let count = 0; count < 20; count += 1) await client.create()
  client.close()
}

/** What honest clients do in a busy moment: many at once, some of which read the big page. */
async function warmUp(): Promise<void> {
  await crowd(200, 2, 2_000)
  const client = createClient(service.url)
  const readBigPages = async () => {
    for (let count = 0; count < 3; count += 1) await client.get('/todos?limit=100')
  }
  await Promise.all(Array.from({ length: 10 }, readBigPages))
  client.close()
  await delay(2_000)
  warm = await residentMemory(processId())
  console.log(`${warm.toFixed()} MB after the warm-up`)
}

/** Many clients from one address, each with a connection of its own, which think up to so many ms before each round. */
async function crowd(clients: number, rounds: number, thinking: number): Promise<void> {
  const each = async () => {
    const client = createClient(service.url)
    for (let round = 0; round < rounds; round += 1) {
      await delay(Math.random() * thinking)
      await ordinaryRound(client, `Round ${round}`)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: clients }, each))
}

/** A program beside this one; it is killed at the end. */
function startProcess(file: string): ChildProcess {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  atEnd(async () => void child.kill('SIGKILL'))
  return child
}
