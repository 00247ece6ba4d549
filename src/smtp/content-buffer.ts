/** Memory that may be held at once, shared by everything that takes from it. */
export interface MemoryBudget {
  /** What could be taken now. */
  readonly free: number
  /** False where it is not there. */
  take(bytes: number): boolean
  giveBack(bytes: number): void
}

export function memoryBudget(limit: number): MemoryBudget {
  let taken = 0
  return {
    get free() {
      return limit - taken
    },
    take(bytes) {
      if (taken + bytes > limit) return false
      taken += bytes
      return true
    },
    giveBack(bytes) {
      taken -= bytes
    },
  }
}

/** One budget in shares, so that nobody who uses up the own one takes away everybody's. */
export interface MemoryShares {
  of(owner: string): MemoryBudget
}

/** Each owner has at most `most` at once, and all together have at most `limit`. */
export function memoryShares({
  limit,
  most,
}: {
  readonly limit: number
  readonly most: number
}): MemoryShares {
  const whole = memoryBudget(limit)
  /** Of those who have some. */
  const taken = new Map<string, number>()
  return {
    of(owner) {
      const own = () => taken.get(owner) ?? 0
      return {
        get free() {
          return Math.min(most - own(), whole.free)
        },
        take(bytes) {
          if (own() + bytes > most || !whole.take(bytes)) return false
          taken.set(owner, own() + bytes)
          return true
        },
        giveBack(bytes) {
          whole.giveBack(bytes)
          const left = own() - bytes
          if (left > 0) taken.set(owner, left)
          else taken.delete(owner)
        },
      }
    },
  }
}

const FIRST_CAPACITY = 16 * 1024

/** Gathers one content. It grows by doubling and copies, so that a peer that sends an octet at a time costs the memory
 *  of its octets and not of as many buffers. */
export class ContentBuffer {
  readonly #budget: MemoryBudget
  readonly #limit: number
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0

  /** `limit`: no content is larger, so nothing is doubled past it. */
  constructor(budget: MemoryBudget, limit = Infinity) {
    this.#budget = budget
    this.#limit = limit
  }

  /** Makes room for a content before it comes: for `size` octets where that is known (RFC 1870), else for its start.
   *  False where the budget is used up. */
  reserve(size?: number): boolean {
    return this.#growTo(Math.min(size ?? FIRST_CAPACITY, this.#limit))
  }

  /** False where the budget is used up; the content so far is still there. */
  append(chunk: Buffer): boolean {
    const wanted = this.#length + chunk.length
    if (wanted > this.#buffer.length && !this.#grow(wanted)) return false
    chunk.copy(this.#buffer, this.#length)
    this.#length = wanted
    return true
  }

  get content(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Lets go of the content and gives the memory back. */
  release(): void {
    this.#budget.giveBack(this.#buffer.length)
    this.#buffer = Buffer.alloc(0)
    this.#length = 0
  }

  #grow(wanted: number): boolean {
    const doubled = Math.min(Math.max(FIRST_CAPACITY, this.#buffer.length * 2), this.#limit)
    return this.#growTo(Math.max(wanted, doubled))
  }

  #growTo(capacity: number): boolean {
    if (!this.#budget.take(capacity)) return false
    const grown = Buffer.allocUnsafeSlow(capacity)
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#budget.giveBack(this.#buffer.length)
    this.#buffer = grown
    return true
  }
}
