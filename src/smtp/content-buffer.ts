/** Memory that may be held at once, shared by everything that takes from it. */
export interface MemoryBudget {
  /** False where it is not there. */
  take(bytes: number): boolean
  giveBack(bytes: number): void
}

export function memoryBudget(limit: number): MemoryBudget {
  let taken = 0
  return {
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

const FIRST_CAPACITY = 16 * 1024

/** Gathers one content. It grows by doubling and copies, so that a peer that sends an octet at a time costs the memory
 *  of its octets and not of as many buffers. */
export class ContentBuffer {
  readonly #budget: MemoryBudget
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0

  constructor(budget: MemoryBudget) {
    this.#budget = budget
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
    const capacity = Math.max(FIRST_CAPACITY, wanted, this.#buffer.length * 2)
    if (!this.#budget.take(capacity)) return false
    const grown = Buffer.allocUnsafeSlow(capacity)
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#budget.giveBack(this.#buffer.length)
    this.#buffer = grown
    return true
  }
}
