import { Random } from './random.js'
import { type FuzzRequest, makeProbe, makeRequest } from './requests.js'

/** One write to a connection, and what is waited for before it: a time in milliseconds, or the answers to all before. */
export interface Piece {
  readonly bytes: Buffer
  readonly after: number | 'answers'
}

/** Everything that one client does with one connection. */
export interface Plan {
  readonly index: number
  readonly requests: readonly FuzzRequest[]
  readonly pieces: readonly Piece[]
  /** How many of the requests are sent whole. */
  readonly whole: number
  /** Whether something of a further request is sent. */
  readonly isCut: boolean
  /**
   * What follows the last piece: the client waits for its answers, and then ends the connection unless the service does;
   * it sends a FIN at once and goes on reading; or it leaves, with a FIN or with a reset.
   */
  readonly ending: 'stay' | 'fin' | 'destroy' | 'reset'
  /** Milliseconds for which the client reads nothing. */
  readonly deaf: number
}

/** More writes than this, and a request might not arrive whole in the time that the service gives it. */
const MOST_PIECES = 400

/** Most connections are wholly sound, or have one flaw somewhere. */
export function planOf(seed: number, index: number): Plan {
  const random = new Random(seed, index)
  const requests = requestsOf(random, `fuzz.${seed}.${index}`)
  const bytes = Buffer.concat(requests.map((request) => request.bytes))
  const isCut = random.percent(12)
  const sent = isCut ? bytes.subarray(0, 1 + random.below(bytes.length - 1)) : bytes
  const { whole, rest } = wholeIn(requests, sent)
  const ending = random.pick(['stay', 'stay', 'stay', 'stay', 'stay', 'fin', 'destroy', 'reset'] as const)
  const pieces = piecesOf(random, sent, requests)
  const deaf = random.percent(5) ? random.below(1_000) : 0
  const plan = { index, requests, pieces, whole, isCut: /[^\r\n]/.test(rest), ending, deaf }
  const isUsable =
    ending === 'stay' && !plan.isCut && requests.slice(0, whole).every(({ isSound }) => isSound)
  return isUsable ? withProbe(plan, `fuzz.${seed}.${index}`) : plan
}

function requestsOf(random: Random, name: string): FuzzRequest[] {
  const flawed = random.pick([0, 0, 30, 60])
  const requests: FuzzRequest[] = []
  const count = 1 + random.below(6)
  while (requests.length < count && requests.at(-1)?.isShort !== true)
    requests.push(makeRequest(random, `${name}.${requests.length}`, random.percent(flawed)))
  return requests
}

/** How many requests are whole within the bytes sent, and what is sent of the next. */
function wholeIn(requests: readonly FuzzRequest[], sent: Buffer): { whole: number; rest: string } {
  let end = 0
  let whole = 0
  for (const { bytes, isShort } of requests) {
    if (isShort || end + bytes.length > sent.length) break
    end += bytes.length
    whole += 1
  }
  return { whole, rest: sent.toString('latin1', end) }
}

function piecesOf(random: Random, sent: Buffer, requests: readonly FuzzRequest[]): Piece[] {
  const places = [...new Set(placesOf(random, sent, requests))].filter(
    (place) => place > 0 && place < sent.length,
  )
  const starts = [0, ...places.sort((one, other) => one - other)]
  const longest = places.length > 10 ? random.pick([1, 2]) : random.pick([1, 1, 5, 30])
  // What has been answered meanwhile meets the rest of the next request.
  const late = random.percent(20) ? random.below(starts.length) : -1
  return starts.map((start, at) => ({
    bytes: sent.subarray(start, starts[at + 1]),
    after: at === late ? 50 + random.below(250) : random.below(longest),
  }))
}

/** Where the bytes are split: nowhere, somewhere, near the ends of heads and requests, everywhere. */
function placesOf(random: Random, sent: Buffer, requests: readonly FuzzRequest[]): number[] {
  const anywhere = () => random.below(sent.length)
  let start = 0
  const borders = requests.flatMap(({ bytes }) => {
    const head = start + bytes.indexOf('\r\n\r\n') + 4
    start += bytes.length
    return [head, start]
  })
  return random.pick([
    () => [],
    () => Array.from({ length: 1 + random.below(5) }, anywhere),
    () => Array.from({ length: 1 + random.below(4) }, () => random.pick(borders)),
    () => Array.from({ length: 1 + random.below(6) }, () => random.pick(borders) + random.below(7) - 3),
    () => Array.from({ length: 1 + random.below(60) }, anywhere),
    () => (sent.length > MOST_PIECES ? [] : Array.from(sent, (_byte, place) => place)),
  ])()
}

/** One more request, sent when all others are answered: the connection can still be used. */
function withProbe(plan: Plan, name: string): Plan {
  const probe = makeProbe(`${name}.probe`)
  const requests = [...plan.requests.slice(0, plan.whole), probe]
  const pieces = [...plan.pieces, { bytes: probe.bytes, after: 'answers' as const }]
  return { ...plan, requests, pieces, whole: plan.whole + 1 }
}
