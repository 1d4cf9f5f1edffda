import type { NextFunction, RequestHandler, Response } from 'express'
import { connectionOf } from './connections.js'
import { exchangeOf } from './exchange.js'
import { afterAccepting, isAccepting } from './fair-turns.js'
import type { ReportLimit } from './limit-log.js'
import { ProblemError } from './problems.js'

/** How many requests are handled and wait at once; times in milliseconds. */
export interface LoadLimits {
  readonly concurrencyLimit: number
  readonly queueLimit: number
  readonly queueTimeout: number
  readonly refusalDelay: number
  readonly refusalTimeout: number
  /** How long a request waits behind others of its own connection. Follows from CONNECT_TIMEOUT. */
  readonly pipelineTimeout: number
}

/** Milliseconds between two looks at who has waited for too long. */
const CHECK_INTERVAL = 50

/**
 * Refusals in one check, 200 a second: a refusal costs up to 200 microseconds, so these cost a twenty-fifth of a processor
 * however large the crowd is.
 */
const REFUSALS_A_CHECK = 10

/** And of those that can wait no longer, so that the event loop has time for others. */
const MOST_REFUSALS_A_CHECK = 250

/** So many of those that waited are admitted in one turn of the event loop, which takes up to 10 milliseconds. */
const MOST_ADMITTED_A_TURN = 64

/**
 * A request that waits, since its connection was held if that was before. Those that were read first are handled first,
 * and so one that lay unread for long may be behind others that have waited for less.
 */
interface Waiting {
  readonly response: Response
  readonly next: NextFunction
  readonly since: number
  /** For how long it waited before that, behind others of its connection. */
  readonly waited: number
}

/**
 * Admission control: so many requests are handled at once as keep the database and the processor busy; the others wait
 * for their turn. How long they wait is the measure of overload: whoever has waited for longer than `queueTimeout` is not
 * handled any more, unless nobody waits, so that those who are handled get their answer soon. They are answered 503 only after
 * `refusalDelay`, and when there are too many of them up to `refusalTimeout`: clients that try again at once would
 * otherwise make refusing cost more than handling does. Those that waited for too long behind others of their own
 * connection are refused at once, because those behind them have waited as well.
 *
 * Comes when the body has arrived, so that slow clients take nobody's turn, and before anything is parsed. An operation
 * whose contract has no 503 is always handled at once. While connections are being accepted nobody is admitted, so that
 * a crowd of new ones is accepted within milliseconds: one a turn of the event loop, which handling makes long.
 */
export function admission(limits: LoadLimits, report: ReportLimit): RequestHandler {
  const waiting = new Set<Waiting>()
  const late = new Set<Waiting>()
  let handled = 0
  /** In this turn of the event loop. */
  let admitted = 0
  let isAdmitting = false
  let isScheduled = false
  let checking: NodeJS.Timeout | undefined

  function admit({ response, next }: Pick<Waiting, 'response' | 'next'>): void {
    handled += 1
    let isOver = false
    exchangeOf(response).leave = () => {
      if (isOver) return
      isOver = true
      handled -= 1
      admitNext()
    }
    next()
  }

  /**
   * Those that are answered at once take no other's place. They leave within their admission: only the first call admits,
   * or each of them would add to the stack. And only so many of them are admitted in one turn of the event loop.
   */
  function admitNext(): void {
    if (isAdmitting) return
    if (isAccepting()) {
      afterAccepting(admitNext)
      return
    }
    isAdmitting = true
    for (const longest of waiting) {
      if (handled >= limits.concurrencyLimit || admitted === MOST_ADMITTED_A_TURN) break
      waiting.delete(longest)
      if (isLate(longest)) {
        late.add(longest)
        continue
      }
      admitted += 1
      admit(longest)
    }
    isAdmitting = false
    if (admitted > 0 && !isScheduled) setImmediate(goOn)
    isScheduled ||= admitted > 0
  }

  function goOn(): void {
    isScheduled = false
    admitted = 0
    admitNext()
  }

  const isLate = ({ since }: Waiting) => performance.now() - since > limits.queueTimeout

  function moveLate(): void {
    for (const each of waiting) {
      if (!isLate(each)) continue
      waiting.delete(each)
      late.add(each)
    }
  }

  function check(): void {
    moveLate()
    const now = performance.now()
    let refused = 0
    for (const each of late) {
      const held = now - each.since
      const isDue = held + each.waited > limits.refusalTimeout
      if (refused >= (isDue ? MOST_REFUSALS_A_CHECK : REFUSALS_A_CHECK)) continue
      if (!isDue && held < limits.refusalDelay) continue
      late.delete(each)
      refused += 1
      refuse(each, 'QUEUE_TIMEOUT')
    }
    if (waiting.size + late.size > 0) return
    clearInterval(checking)
    checking = undefined
  }

  function refuse({ response, next }: Pick<Waiting, 'response' | 'next'>, limit: string): void {
    exchangeOf(response).isShed = true
    report(limit)
    next(new ProblemError(503, { detail: 'There are too many requests now. Try again later.' }))
  }

  return (request, response, next) => {
    const { operation } = exchangeOf(response)
    const connection = connectionOf(request.socket)
    if (!operation?.responses.has(503)) return next()
    if (connection?.waitingTime.isLate(limits.pipelineTimeout))
      return refuse({ response, next }, 'CONNECT_TIMEOUT')
    if (handled < limits.concurrencyLimit && waiting.size === 0 && !isAccepting())
      return admit({ response, next })
    if (waiting.size + late.size >= limits.queueLimit) return refuse({ response, next }, 'QUEUE_LIMIT')
    const since = connection?.heldSince ?? performance.now()
    const each = { response, next, since, waited: connection?.waitingTime.waited ?? 0 }
    waiting.add(each)
    if (isAccepting()) afterAccepting(admitNext)
    checking ??= setInterval(check, CHECK_INTERVAL)
    response.once('close', () => waiting.delete(each) || late.delete(each))
  }
}
