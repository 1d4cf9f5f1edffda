/** Milliseconds in which the client's system sends what it had to keep, when more is read again. */
const CATCH_UP = 250

/**
 * For how long the requests of one connection wait while those before them are handled; the time that their client takes
 * to read does not count. What was not read meanwhile counts as sent when reading stopped. All in milliseconds.
 */
export class WaitingTime {
  #waited = 0
  #isLate = false
  /** When the request that is handled now began to be, by `performance.now()`; how long those before it took. */
  #servedAt: number | undefined
  #took = 0
  /** How long requests had been handled when reading stopped, and until when what is read may have lain unread since. */
  #behind: { readonly since: number; until: number } | undefined

  /** For how long the request that is handled waited. */
  get waited(): number {
    return this.#waited
  }

  /** Whether it waited for longer than a limit; then those behind it that could not be read did so as well. */
  isLate(limit: number): boolean {
    this.#isLate = this.#waited > limit
    return this.#isLate
  }

  /** For how long requests have been handled. */
  get #handledFor(): number {
    return this.#took + (this.#servedAt === undefined ? 0 : performance.now() - this.#servedAt)
  }

  /** A request begins to be handled, for which `since` said that when it came. */
  serve(since: number): void {
    this.#waited = this.#handledFor - since
    this.#servedAt = performance.now()
  }

  /** It has its answer, which its client may take its time to read. */
  answer(): void {
    this.#took = this.#handledFor
    this.#servedAt = undefined
  }

  /**
   * How long requests had been handled when the one that begins now was sent, as far as that can be known.
   *
   * @param isNext whether others of the connection are before it
   */
  since(isNext: boolean): number {
    if (!this.#behind || !this.isBehind) return this.#handledFor
    // A client that sends the next request only when it has the answer has nothing left that waited.
    if (this.#isLate && isNext)
      this.#behind.until = Math.max(this.#behind.until, performance.now() + CATCH_UP)
    return this.#behind.since
  }

  /** Nothing is read any more until some of those that wait have been handled. */
  stopReading(): void {
    const since = this.#isLate ? this.since(true) : this.#handledFor
    this.#behind = { since, until: Number.POSITIVE_INFINITY }
  }

  readAgain(): void {
    if (this.#behind && this.hasStopped) this.#behind.until = performance.now() + CATCH_UP
  }

  /** Whether reading was stopped, and not begun again. */
  get hasStopped(): boolean {
    return this.#behind?.until === Number.POSITIVE_INFINITY
  }

  /** Whether something lies unread because of the requests that wait, or may have done so until now. */
  get isBehind(): boolean {
    return this.#behind !== undefined && performance.now() < this.#behind.until
  }
}
