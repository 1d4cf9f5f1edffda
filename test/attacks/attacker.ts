/** A process that attacks the service, as its parent's one message says, until it is killed. */
import { connect, type Socket } from 'node:net'
import type { Recipe } from './recipes.js'

export interface Attack {
  readonly port: number
  /** Addresses of this machine to come from, in turn. */
  readonly addresses: readonly string[]
  readonly recipes: readonly { readonly recipe: Recipe; readonly connections: number }[]
}

/** Connections that are being made at a time: fewer than the kernel keeps for a service that is slow to accept. */
const AT_A_TIME = 100

/**
 * Milliseconds after which a connection that the service closed is made again: sooner, the attackers alone would keep two
 * cores busy, and what is measured were the machine.
 */
const REOPEN = 5_000

/** Milliseconds between two writes of what is sent on and on. */
const PACE = 50

/** Opens all connections of an attack, and tells the parent when each was made, or refused, once. */
async function attack({ port, addresses, recipes }: Attack): Promise<void> {
  const waiting = recipes.flatMap(({ recipe, connections }) => Array<Recipe>(connections).fill(recipe))
  const opening = Array.from({ length: AT_A_TIME }, async () => {
    for (let recipe = waiting.pop(); recipe; recipe = waiting.pop()) {
      await hold(recipe, port, addresses[waiting.length % addresses.length] as string)
    }
  })
  await Promise.all(opening)
  process.send?.('under way')
}

/** Does what the recipe says, and again whenever the connection was closed; resolves when it was made or refused. */
function hold(recipe: Recipe, port: number, localAddress: string): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  read(socket, recipe.reads)
  socket.on('error', () => {})
  socket.once('close', () => setTimeout(() => hold(recipe, port, localAddress), recipe.lasts ? 0 : REOPEN))
  if (recipe.lasts) setTimeout(() => socket.destroy(), recipe.lasts)
  socket.write(recipe.bytes)
  if (recipe.endless) goOn(socket, recipe.endless)
  return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
}

/** A socket that is paused takes what the kernel holds for it only when it is asked. */
function read(socket: Socket, how: Recipe['reads']): void {
  if (how === 'everything') return void socket.resume()
  socket.pause()
  if (how === 'nothing') return
  const reading = setInterval(() => socket.read(1_024), 1_000)
  socket.once('close', () => clearInterval(reading))
}

function goOn(socket: Socket, bytes: Buffer): void {
  const writing = setInterval(() => {
    if (!socket.writableNeedDrain) socket.write(bytes)
  }, PACE)
  socket.once('close', () => clearInterval(writing))
}

// The listener keeps the process alive, for sockets that wait for nothing do not.
process.on('message', attack)
process.once('disconnect', () => process.exit())
