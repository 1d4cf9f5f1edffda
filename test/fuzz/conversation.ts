import { connect, type Socket } from 'node:net'
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises'
import { abort } from '../support/connection.js'
import { Judge, type Traces } from './judge.js'
import type { Plan } from './plan.js'

/** Milliseconds after which a connection that has not come to an end never will. */
const PATIENCE = 20_000

/** The service at the other end. */
export interface Peer {
  readonly port: number
  readonly isStopping: () => boolean
}

export interface Outcome extends Traces {
  /** What was wrong, if anything. */
  readonly fault: string | undefined
  readonly answered: number
}

/** Does with one connection what the plan says, to its end. Never rejects. */
export async function converse(plan: Plan, peer: Peer, trace: (line: string) => void): Promise<Outcome> {
  const judge = new Judge(plan, peer.isStopping)
  const conversation = new Conversation(plan, peer.port, judge, trace)
  await conversation.toItsEnd()
  const { fault, error, hasLeft } = conversation
  if (fault === undefined && !hasLeft && !peer.isStopping()) conversation.judge(() => judge.ended(error))
  return { fault: conversation.fault, answered: judge.answered, ...judge.traces }
}

class Conversation {
  readonly #plan: Plan
  readonly #judge: Judge
  readonly #socket: Socket
  readonly #trace: (line: string) => void
  readonly #closed: Promise<void>
  #wake = () => {}
  /** What was wrong. */
  fault: string | undefined
  /** The code of the error that ended the connection. */
  error: string | undefined
  /** Whether the client went away without waiting for anything. */
  hasLeft = false

  constructor(plan: Plan, port: number, judge: Judge, trace: (line: string) => void) {
    this.#plan = plan
    this.#judge = judge
    this.#trace = trace
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.#socket = socket
    this.#closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.error = code
      trace(`error ${code}`)
    })
    socket.on('data', (bytes) => this.judge(() => this.#read(bytes)))
    socket.on('end', () => {
      trace('<< FIN')
      socket.end()
    })
    socket.on('close', () => this.#wake())
  }

  async toItsEnd(): Promise<void> {
    const limit = setTimeout(() => this.judge(giveUp), PATIENCE)
    const { deaf } = this.#plan
    if (deaf > 0) {
      this.#socket.pause()
      setTimeout(() => this.#socket.resume(), deaf)
    }
    await this.#send()
    await this.#leave()
    await this.#closed
    clearTimeout(limit)
    this.#trace('closed')
  }

  /** Does something that throws when it finds a fault, and then ends the connection. */
  judge(what: () => void): void {
    try {
      what()
    } catch (error) {
      this.fault ??= (error as Error).message
      this.#socket.destroy()
    }
  }

  #read(bytes: Buffer): void {
    this.#trace(`<< ${shown(bytes)}`)
    this.#judge.read(bytes)
    this.#wake()
  }

  async #send(): Promise<void> {
    for (const { bytes, after } of this.#plan.pieces) {
      if (after === 'answers') await this.#othersAnswered()
      else await (after === 0 ? immediate() : delay(after))
      if (!this.#socket.writable) return
      this.#trace(`>> ${shown(bytes)}`)
      this.#socket.write(bytes)
    }
    this.#judge.sent()
  }

  async #othersAnswered(): Promise<void> {
    this.#judge.sent()
    await this.#until(() => this.#judge.answered >= this.#plan.whole - 1)
  }

  async #leave(): Promise<void> {
    const { ending, whole, isCut } = this.#plan
    this.#trace(`then: ${ending}`)
    this.hasLeft = ending === 'destroy' || ending === 'reset'
    if (ending === 'destroy') this.#socket.destroy()
    else if (ending === 'reset') abort(this.#socket)
    else if (ending === 'fin') this.#socket.end()
    else {
      // It is for the service to end a connection after an answer that says so, or when the rest does not come.
      await this.#until(() => this.#judge.answered >= whole)
      if (!isCut && !this.#judge.isClosing) this.#socket.end()
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!this.#socket.destroyed && !isSo()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

function giveUp(): never {
  throw new Error(`The connection does not come to an end within ${PATIENCE / 1_000} s.`)
}

const shown = (bytes: Buffer) =>
  JSON.stringify(bytes.toString('latin1', 0, 2_000)) +
  (bytes.length > 2_000 ? ` … ${bytes.length} bytes` : '')
