/** Octets that may be in memory at once. Who wants more waits, in order; nobody waits who has something. */
export class OctetBudget {
  #free: number
  readonly #total: number
  readonly #line: { readonly octets: number; readonly go: () => void }[] = []

  constructor(octets: number) {
    this.#free = octets
    this.#total = octets
  }

  /** Out: gives them back. More than there are in all count as all. */
  async take(octets: number): Promise<() => void> {
    const share = Math.min(octets, this.#total)
    if (this.#line.length > 0 || share > this.#free) {
      await new Promise<void>((go) => this.#line.push({ octets: share, go }))
    } else {
      this.#free -= share
    }
    return () => this.#giveBack(share)
  }

  #giveBack(octets: number): void {
    this.#free += octets
    for (;;) {
      const [next] = this.#line
      if (!next || next.octets > this.#free) return
      this.#line.shift()
      this.#free -= next.octets
      next.go()
    }
  }
}
