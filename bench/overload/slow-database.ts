import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface SlowDatabase {
  readonly url: string
  close(): Promise<void>
}

/**
 * A PostgreSQL that takes so many milliseconds for each statement: stands before the one at the URL and hands it the
 * statements of each connection one after the other, also those sent without waiting for the answers before. A
 * connection is made in no time.
 */
export async function startSlowDatabase(databaseUrl: string, milliseconds: number): Promise<SlowDatabase> {
  const url = new URL(databaseUrl)
  const target = Number(url.port)
  const open = new Set<Socket>()
  const listener = createServer({ noDelay: true }, async (client) => {
    open.add(client)
    const server = connect({ port: target, host: '127.0.0.1', noDelay: true })
    client.on('close', () => server.destroy())
    // Whatever breaks one side ends the other.
    await serveSlowly(client, server, milliseconds).catch(() => {})
    client.end()
    open.delete(client)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  url.port = String((listener.address() as AddressInfo).port)
  return {
    url: url.href,
    async close() {
      for (const client of open) client.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}

async function serveSlowly(client: Socket, server: Socket, milliseconds: number): Promise<void> {
  const answers = answersOf(server)
  for await (const { bytes, isStatement } of requestsOf(client)) {
    const time = delay(isStatement ? milliseconds : 0)
    server.write(bytes)
    const answer = await answers.next()
    if (answer.done) return
    await time
    client.write(answer.value)
  }
}

/** The messages here are those of PostgreSQL's documentation, 54.7: a type, unless it is a client's first, and a length. */
const SSL_REQUEST = 80_877_103
const REFUSE_SSL = 'N'
/** Sync or a simple Query: the end of a statement. */
const STATEMENT_ENDS = 'SQ'
/** SASL and passwords, and Terminate: each is passed on by itself. */
const ALONE = 'pX'

/** What a client sends between two answers. */
async function* requestsOf(client: Socket): AsyncGenerator<{ bytes: Buffer; isStatement: boolean }> {
  let messages: Buffer[] = []
  let isFirst = true
  for await (const message of messagesOf(client, () => !isFirst)) {
    if (isFirst && message.readInt32BE(4) === SSL_REQUEST) {
      client.write(REFUSE_SSL)
      continue
    }
    messages.push(message)
    const type = message.toString('latin1', 0, 1)
    const isStatement = !isFirst && STATEMENT_ENDS.includes(type)
    if (isFirst || isStatement || ALONE.includes(type)) {
      isFirst = false
      yield { bytes: Buffer.concat(messages), isStatement }
      messages = []
    }
  }
}

const READY_FOR_QUERY = 'Z'
const AUTHENTICATION = 'R'
/** AuthenticationOk and the last of SASL: the only ones that the client need not answer. */
const AUTHENTICATED = [0, 12]

/** What a server sends between two requests: until it is ready, or waits for a word of the login. */
async function* answersOf(server: Socket): AsyncGenerator<Buffer> {
  let messages: Buffer[] = []
  for await (const message of messagesOf(server, () => true)) {
    messages.push(message)
    const type = message.toString('latin1', 0, 1)
    const asks = type === AUTHENTICATION && !AUTHENTICATED.includes(message.readInt32BE(5))
    if (type === READY_FOR_QUERY || asks) {
      yield Buffer.concat(messages)
      messages = []
    }
  }
  if (messages.length > 0) yield Buffer.concat(messages)
}

async function* messagesOf(socket: Socket, isTyped: () => boolean): AsyncGenerator<Buffer> {
  let data = Buffer.alloc(0)
  for await (const chunk of socket) {
    data = data.length === 0 ? chunk : Buffer.concat([data, chunk])
    while (true) {
      const start = isTyped() ? 1 : 0
      const length = data.length < start + 4 ? Number.POSITIVE_INFINITY : start + data.readInt32BE(start)
      if (data.length < length) break
      yield data.subarray(0, length)
      data = data.subarray(length)
    }
  }
}
