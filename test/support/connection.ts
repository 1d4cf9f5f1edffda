import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { atEnd } from './cleanup.js'
import { waitUntil } from './service.js'

/** A connection on which a test says every byte itself. */
export interface RawConnection {
  readonly socket: Socket
  /** What came so far. */
  received(): string
  /** The statuses of the answers that came so far. */
  statuses(): number[]
  /** Waits until a pattern is in what came; fails when the connection is closed before. */
  waitFor(pattern: RegExp): Promise<void>
  /** Settles when the service or the network has closed it, be it by a reset. */
  readonly closed: Promise<void>
}

/** Opens a connection to a service; the test's end closes it. */
export async function openConnection(url: string, localAddress = '127.0.0.1'): Promise<RawConnection> {
  const { port } = new URL(url)
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress })
  let received = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text
  })
  socket.on('error', () => {})
  atEnd(async () => void socket.destroy()) // or the service would wait for what does not come
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await once(socket, 'connect')
  return {
    socket,
    received: () => received,
    statuses: () => [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)),
    waitFor: (pattern) =>
      waitUntil(`${pattern} on a connection`, () => {
        if (pattern.test(received)) return true
        if (socket.closed) throw new Error(`It was closed before ${pattern} came: ${received.slice(-500)}`)
        return false
      }),
    closed,
  }
}

/** Opens several connections, and then sends the same bytes on each. */
export async function openConnections(
  url: string,
  count: number,
  bytes: string,
  localAddress?: string,
): Promise<RawConnection[]> {
  const connections = await Promise.all(
    Array.from({ length: count }, () => openConnection(url, localAddress)),
  )
  for (const { socket } of connections) socket.write(bytes, 'latin1')
  return connections
}

export const isOpen = ({ socket }: RawConnection) => !socket.destroyed

/** The bytes of a request; with a body, of one that creates something. */
export function bytesOf(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): string {
  const content =
    body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': `${body.length}` }
  const fields = Object.entries({ Host: 'todo.example.org', ...content, ...headers })
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${method} ${path} HTTP/1.1\r\n${lines}\r\n${body ?? ''}`
}

/** Node.js never gets rid of a socket that is reset while it is ending, and then does not exit. */
export const abort = (socket: Socket) => (socket.writableEnded ? socket.destroy() : socket.resetAndDestroy())
