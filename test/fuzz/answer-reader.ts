/** An answer as it came over a connection. Names of header fields are in lower case. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** In bytes; the service's own heads are far smaller. */
const LONGEST_HEAD = 8_192

/**
 * Takes the bytes of a connection apart into answers, by the letter of RFC 9112; every answer has a Content-Length where
 * it may have a body. Throws where the bytes are no such answer.
 */
export class AnswerReader {
  readonly #isForHead: (id: string) => boolean
  #rest: Buffer = Buffer.alloc(0)

  /** @param isForHead whether the request with an id was a HEAD, to which no body is sent */
  constructor(isForHead: (id: string) => boolean) {
    this.#isForHead = isForHead
  }

  /** The answers, interim ones included, that are whole with these bytes. */
  read(bytes: Buffer): RawAnswer[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const answers: RawAnswer[] = []
    for (let next = this.#next(); next; next = this.#next()) answers.push(next)
    return answers
  }

  /** What came of an answer that is not whole. */
  get rest(): string {
    return this.#rest.toString('latin1', 0, 200)
  }

  #next(): RawAnswer | undefined {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end < 0 && this.#rest.length > LONGEST_HEAD) throw new Error(`This is no answer: ${this.rest}`)
    if (end < 0) return undefined
    const { status, headers } = headOf(this.#rest.toString('latin1', 0, end))
    const start = end + 4
    const length = this.#bodyLength(status, headers)
    if (this.#rest.length < start + length) return undefined
    const body = this.#rest.subarray(start, start + length)
    this.#rest = this.#rest.subarray(start + length)
    return { status, headers, body }
  }

  #bodyLength(status: number, headers: RawAnswer['headers']): number {
    const length = headers['content-length']
    if (headers['transfer-encoding'] !== undefined) throw new Error('An answer has a Transfer-Encoding.')
    const isWithout = status < 200 || status === 204 || status === 304
    if (isWithout && status !== 304 && length !== undefined)
      throw new Error(`A ${status} has a Content-Length.`)
    if (isWithout || this.#isForHead(headers['x-request-id'] ?? '')) return 0
    if (length === undefined || !/^\d+$/.test(length))
      throw new Error(`A ${status} has the length ${length}.`)
    return Number(length)
  }
}

function headOf(text: string): Omit<RawAnswer, 'body'> {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const [, status] = /^HTTP\/1\.1 ([1-5]\d\d) [ -~]*$/.exec(statusLine) ?? []
  if (status === undefined) throw new Error(`This is no status line: ${statusLine.slice(0, 200)}`)
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+): ([ -~]*)$/.exec(line) ?? []
    const key = name.toLowerCase()
    if (key === '' || key in headers) throw new Error(`This is no header field, or stands twice: ${line}`)
    headers[key] = value
  }
  return { status: Number(status), headers }
}
