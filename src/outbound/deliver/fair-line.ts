import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'

/** What waits for one destination: each account's deliveries in their order, the accounts by turns, so that one with a
 *  hundred thousand waiting takes nothing from one with a single message (promise 4). */
export class FairLine {
  /** In the order of their turns. */
  readonly #accounts = new Map<string, Line>()
  #length = 0

  get length(): number {
    return this.#length
  }

  add(delivery: ClaimedDelivery): void {
    const { accountId } = delivery.message
    const line = this.#accounts.get(accountId)
    if (line) line.waiting.push(delivery)
    else this.#accounts.set(accountId, { waiting: [delivery], served: 0 })
    this.#length++
  }

  next(): ClaimedDelivery | undefined {
    const [turn] = this.#accounts
    if (!turn) return undefined
    const [accountId, line] = turn
    const delivery = line.waiting[line.served++]
    this.#accounts.delete(accountId)
    if (line.served < line.waiting.length) {
      // What was served is cut off now and then: to shift an array costs its length.
      if (line.served > 100 && line.served > line.waiting.length / 2) {
        line.waiting.splice(0, line.served)
        line.served = 0
      }
      this.#accounts.set(accountId, line)
    }
    this.#length--
    return delivery
  }

  drain(): ClaimedDelivery[] {
    const all = [...this.#accounts.values()].flatMap(({ waiting, served }) => waiting.slice(served))
    this.#accounts.clear()
    this.#length = 0
    return all
  }
}

interface Line {
  readonly waiting: ClaimedDelivery[]
  served: number
}
