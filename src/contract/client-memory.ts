/** Somebody for whom memory is held. */
export interface Holder {
  /** Undefined for a trusted proxy, behind which there are many clients: only the limit in all counts for it. */
  readonly address: string | undefined
  /** Whether it is the client that has to go on, by sending or by reading. */
  readonly isAwaited: boolean
  /** Frees at once what is held for it, for the sake of a limit. */
  giveWay(limit: LimitName): void
}

/** In bytes. */
export interface MemoryLimits {
  readonly clientMemory: number
  readonly clientMemoryPerAddress: number
}

export type LimitName = 'CLIENT_MEMORY' | 'CLIENT_MEMORY_PER_ADDRESS'

/** Beyond a limit this share of it is freed as well, so that the next to come need not be compared with all again. */
const SHARE_TO_FREE = 0.1

/** Milliseconds that are added to the time for which somebody holds something: of an attack much may be quite new. */
const AT_LEAST = 1_000

/**
 * How much memory clients make the service hold by unfinished requests and unread answers. Beyond a limit those give way
 * who hold the most for the longest, at addresses that hold the most, and first of them those that are awaited: so not
 * the one who uploads something over a slow line, because of an attack that renews its small requests all the time.
 */
export class ClientMemory {
  readonly #limits: MemoryLimits
  readonly #all = new Account()
  readonly #addresses = new Map<string, Account>()

  constructor(limits: MemoryLimits) {
    this.#limits = limits
  }

  get total(): number {
    return this.#all.total
  }

  /** Says how many bytes are held for somebody now, in all; may make others, or this one, give way. */
  hold(holder: Holder, bytes: number): void {
    const { clientMemory, clientMemoryPerAddress } = this.#limits
    const ofAddress = this.#set(holder, bytes)
    if (this.#all.total > clientMemory) this.#free(this.#all, clientMemory, 'CLIENT_MEMORY')
    if (ofAddress && ofAddress.total > clientMemoryPerAddress)
      this.#free(ofAddress, clientMemoryPerAddress, 'CLIENT_MEMORY_PER_ADDRESS')
  }

  #set(holder: Holder, bytes: number): Account | undefined {
    this.#all.set(holder, bytes)
    const { address } = holder
    if (address === undefined) return undefined
    const account = this.#addresses.get(address) ?? new Account()
    account.set(holder, bytes)
    if (account.isEmpty) this.#addresses.delete(address)
    else this.#addresses.set(address, account)
    return account
  }

  /** Bytes that are held for all at somebody's address. */
  #heldAt({ address }: Holder): number | undefined {
    return address === undefined ? undefined : this.#addresses.get(address)?.total
  }

  #free(account: Account, limit: number, name: LimitName): void {
    for (const holder of account.costliest((holder) => this.#heldAt(holder))) {
      if (account.total <= limit * (1 - SHARE_TO_FREE)) return
      this.#set(holder, 0)
      holder.giveWay(name)
    }
  }
}

/** Who holds how much, and since when by `performance.now()`. */
class Account {
  total = 0
  readonly #held = new Map<Holder, { bytes: number; readonly since: number }>()

  get isEmpty(): boolean {
    return this.#held.size === 0
  }

  set(holder: Holder, bytes: number): void {
    const known = this.#held.get(holder)
    this.total += bytes - (known?.bytes ?? 0)
    if (bytes === 0) this.#held.delete(holder)
    else if (known) known.bytes = bytes
    else this.#held.set(holder, { bytes, since: performance.now() })
  }

  costliest(heldAt: (holder: Holder) => number | undefined): Holder[] {
    const now = performance.now()
    const costs = [...this.#held].map(([holder, { bytes, since }]) => {
      const cost = bytes * (now - since + AT_LEAST) * (heldAt(holder) ?? bytes)
      return { holder, isAwaited: Number(holder.isAwaited), cost }
    })
    costs.sort((one, other) => other.isAwaited - one.isAwaited || other.cost - one.cost)
    return costs.map(({ holder }) => holder)
  }
}
