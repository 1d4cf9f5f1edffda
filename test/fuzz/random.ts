/** A stream of numbers that follows from the run's seed and the connection's index alone (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number, index: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)
    this.below(1) // neighbours begin alike
  }

  /** A whole number from 0 on, smaller than the limit. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  /** True that many times of a hundred. */
  percent(share: number): boolean {
    return this.below(100) < share
  }

  /** One of them; what stands there twice comes twice as often. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }
}
