/** Milliseconds that long steps may take of one turn of the event loop, before others get theirs. */
const SHARE_OF_TURN = 10

/** Milliseconds from which a step counts as long. Most take a hundredth of that. */
const LONG = 1

/** Milliseconds until what takes long runs at the latest, however many connections wait to be accepted. */
const LONGEST_WAIT = 50
/** And until requests are admitted again: a few at a time, and clients that keep no connection come all the time. */
const LONGEST_PAUSE = 10

let accepted = 0
let accepting = false
const whenAccepted = new Set<() => void>()

/** To be told of each new connection. */
export function connectionAccepted(): void {
  accepted += 1
  if (accepting) return
  accepting = true
  laterTurn(() => {
    accepting = false
    const all = [...whenAccepted]
    whenAccepted.clear()
    for (const run of all) run()
  }, LONGEST_PAUSE)
}

/** Whether connections are being accepted: one was in this turn of the event loop or in the last. */
export const isAccepting = () => accepting

/** Runs something when no connection is being accepted any more; once, however often that is asked for. */
export function afterAccepting(run: () => void): void {
  whenAccepted.add(run)
}

/**
 * Runs something that takes long in a later turn of the event loop: in the first in which no connection was accepted. For
 * the loop accepts one a turn (libuv, uv__server_io), and while long turns follow each other a new client would wait as
 * many of them as there are others before it.
 */
export function laterTurn(run: () => void, longestWait = LONGEST_WAIT): void {
  const latest = performance.now() + longestWait
  let before = -1
  const next = () => {
    if (before === accepted || performance.now() > latest) return run()
    before = accepted
    setImmediate(next)
  }
  setImmediate(next) // the first comes before the loop looks for events again
}

let next: (() => void)[] = []

/**
 * Runs something in the next turn of the event loop, or in one of those after it when others that asked before take so
 * long that there is no time left in it.
 */
export function nextTurn(run: () => void): void {
  if (next.length === 0) setImmediate(runNext)
  next.push(run)
}

function runNext(): void {
  const all = next
  const end = performance.now() + SHARE_OF_TURN
  let index = 0
  next = []
  try {
    while (index < all.length && performance.now() < end) all[index++]?.()
  } finally {
    if (index < all.length && next.length === 0) setImmediate(runNext)
    next = [...all.slice(index), ...next]
  }
}

let spent = 0
let isScheduled = false
const deferred: (() => void)[] = []

/**
 * Makes and sends an answer, or reads a large body, at once or, when long ones have taken their share of this turn, in one
 * of the next turns. So a crowd that asks for the largest pages does not keep everybody else from being accepted, read and
 * answered.
 *
 * Rejects, or throws, as `run` does.
 */
export function inTurn(run: () => void): Promise<void> | undefined {
  if (spent < SHARE_OF_TURN && deferred.length === 0) {
    measured(run)
    return undefined
  }
  return new Promise((resolve, reject) => {
    deferred.push(() => {
      try {
        measured(run)
        resolve()
      } catch (error) {
        reject(error)
      }
    })
  })
}

function measured(run: () => void): void {
  const start = performance.now()
  try {
    run()
  } finally {
    spend(performance.now() - start)
  }
}

function spend(took: number): void {
  if (took < LONG) return
  spent += took
  goOnLater()
}

function goOnLater(): void {
  if (!isScheduled) laterTurn(goOn)
  isScheduled = true
}

function goOn(): void {
  isScheduled = false
  spent = 0
  const end = performance.now() + SHARE_OF_TURN
  for (let next = deferred.shift(); next; next = performance.now() < end ? deferred.shift() : undefined)
    next()
  if (deferred.length > 0) goOnLater()
}
