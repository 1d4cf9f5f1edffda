import { once } from 'node:events'
import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface ProxiedRequest {
  readonly method: string
  /** With the query. */
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: Buffer
}

export interface ProxiedAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Record<string, string>
  readonly body: Buffer
}

export type Forward = (request: ProxiedRequest) => Promise<ProxiedAnswer>

/** Answers in the service's place, with the service's help. */
export type Intercept = (request: ProxiedRequest, forward: Forward) => Promise<ProxiedAnswer>

export interface ServiceProxy {
  /** Where it listens, without a slash at the end. */
  readonly url: string
  /** Absent, requests and answers pass unchanged. */
  intercept: Intercept | undefined
  /** Takes no further request, awaits those under way, and deletes what was created through it and is still there. */
  close(): Promise<void>
}

/** Headers that belong to one connection (RFC 9110, section 7.6.1), and the length, which is written anew. */
const ofConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length'])

/**
 * A proxy on a free port between the tests and a service. It keeps account of what is created through it.
 *
 * @param service where the service is, without a slash at the end
 */
export async function startProxy(service: string): Promise<ServiceProxy> {
  const created = new Set<string>()
  const forward: Forward = async (request) => {
    const answer = await send(new URL(service + request.url), request)
    // Where it is read from outside may be out of reach from here, but its name is the same.
    const name = answer.headers.location?.split('/').at(-1)
    if (answer.status === 201 && name) created.add(`${request.url}/${name}`)
    return answer
  }
  const underWay = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    if (!server.listening) return void response.destroy()
    const answered = answer(request, response)
    underWay.add(answered)
    answered.finally(() => underWay.delete(answered))
  })
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const received = {
        method: request.method ?? 'GET',
        url: request.url ?? '/',
        headers: flat(request.headers),
        body: await buffer(request),
      }
      write(response, await (proxy.intercept ? proxy.intercept(received, forward) : forward(received)))
    } catch {
      response.destroy() // the client sees what the proxy saw: a connection that broke
    }
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: ServiceProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    intercept: undefined,
    async close() {
      server.close()
      await Promise.all(underWay)
      for (const url of created) {
        await send(new URL(service + url), { method: 'DELETE', url, headers: {}, body: Buffer.alloc(0) })
      }
    },
  }
  return proxy
}

async function send(target: URL, { method, headers, body }: ProxiedRequest): Promise<ProxiedAnswer> {
  const request = target.protocol === 'https:' ? requestHttps : requestHttp
  const sent = { ...headers, host: target.host, ...(body.length > 0 && { 'content-length': body.length }) }
  const outgoing = request(target, { method, headers: sent, agent: false })
  outgoing.on('error', () => {}) // an answer may come before all of the body is sent; without one, `once` rejects
  outgoing.end(body)
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const answer = await buffer(incoming)
  return { status: incoming.statusCode ?? 0, headers: flat(incoming.headers), body: answer }
}

function write(response: ServerResponse, { status, headers, body }: ProxiedAnswer): void {
  const hasBody = body.length > 0 || !(status === 204 || status === 304)
  response.writeHead(status, { ...headers, ...(hasBody && { 'content-length': body.length }) }).end(body)
}

function flat(headers: IncomingMessage['headers']): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => !ofConnection.has(name))
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}
