import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { abort } from './connection.js'

/** Stands between the service and its database on 127.0.0.1, and misbehaves on demand. */
export interface TcpProxy {
  port: number
  /** How many connections clients have open. */
  connectionCount(): number
  /** How many of them lead nowhere any more. */
  lostCount(): number
  /** Nothing passes any more, on old and on new connections, which are accepted nevertheless. */
  stall(): void
  /** Everything passes again, also what was held up. */
  resume(): void
  /** Connections that are open stay open and silent for ever, as when a host vanishes; new ones work. */
  forget(): void
  /** Aborts the connections that are open (RST). */
  reset(): void
  /** Ends the connections that are open in the client's direction alone (FIN), and reads no more from it. */
  halfClose(): void
  /** New connections lead to another port; those that are open stay where they are. */
  redirect(port: number): void
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  /** Absent while a connection waits for the end of a stall. */
  server: Socket | undefined
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  /** Those that can still be joined. */
  const held = new Set<Pair>()
  const clients = new Set<Socket>()
  let target = targetPort
  let stalled = false

  const join = (pair: Pair) => {
    pair.server ??= connect(target, '127.0.0.1')
    const { client, server } = pair
    client.pipe(server).pipe(client)
    server.on('error', () => abort(client))
    server.on('close', () => client.destroy())
  }
  const separate = ({ client, server }: Pair) => {
    client.unpipe().pause()
    server?.unpipe().pause()
  }
  /** What comes in from now on is thrown away, so that the end of a connection is still seen. */
  const lose = (pair: Pair) => {
    separate(pair)
    pair.client.resume()
    held.delete(pair)
  }
  const listener = createServer((client) => {
    const pair: Pair = { client, server: undefined }
    held.add(pair)
    clients.add(client)
    client.on('error', () => {})
    client.on('close', () => {
      held.delete(pair)
      clients.delete(client)
      pair.server?.destroy()
    })
    if (!stalled) join(pair)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')

  return {
    port: (listener.address() as AddressInfo).port,
    connectionCount: () => clients.size,
    lostCount: () => clients.size - held.size,
    stall() {
      stalled = true
      held.forEach(separate)
    },
    resume() {
      stalled = false
      held.forEach(join)
    },
    forget: () => held.forEach(lose),
    reset: () => {
      for (const client of clients) abort(client)
    },
    halfClose() {
      for (const pair of held) {
        lose(pair)
        pair.client.end()
      }
    },
    redirect(port) {
      target = port
    },
    async close() {
      for (const client of clients) client.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}
