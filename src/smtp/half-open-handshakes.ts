export interface HandshakeLimits {
  readonly handshakes: number
  readonly handshakesPerAddress: number
}

/** A TLS handshake that has begun and is not done. */
export interface HalfOpenHandshake {
  readonly address: string
  readonly since: number
  /** Ends its connection, and with it the handshake, before it returns. */
  readonly drop: () => void
}

/** An honest handshake takes a few round trips. What is older may have to make room for a newer one; what is younger
 *  may not, or a flood would throw out everybody who is about to finish. */
const UNHURRIED_MS = 1000

/** The half-open handshakes of one server. They cost memory before anybody has said who they are, so they have bounds
 *  of their own, much below those of connections, where an operator wants them. */
export class HalfOpenHandshakes {
  readonly #limits: HandshakeLimits
  readonly #now: () => number
  // Sets keep the order of insertion: the oldest comes first.
  readonly #all = new Set<HalfOpenHandshake>()
  readonly #byAddress = new Map<string, Set<HalfOpenHandshake>>()

  /** `now` gives milliseconds that never go back. */
  constructor(limits: HandshakeLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Whether another handshake may begin; drops the oldest one for it where that is needed and fair. */
  makeRoom(address: string): boolean {
    const { handshakes, handshakesPerAddress } = this.#limits
    const sameAddress = this.#byAddress.get(address)
    if (sameAddress !== undefined && !this.#shrink(sameAddress, handshakesPerAddress)) return false
    return this.#shrink(this.#all, handshakes)
  }

  /** Counts a handshake, for which there is room, until it leaves. */
  enter(address: string, drop: () => void): HalfOpenHandshake {
    const handshake = { address, since: this.#now(), drop }
    const sameAddress = this.#byAddress.get(address)
    if (sameAddress === undefined) this.#byAddress.set(address, new Set([handshake]))
    else sameAddress.add(handshake)
    this.#all.add(handshake)
    return handshake
  }

  leave(handshake: HalfOpenHandshake): void {
    this.#all.delete(handshake)
    const sameAddress = this.#byAddress.get(handshake.address)
    sameAddress?.delete(handshake)
    if (sameAddress?.size === 0) this.#byAddress.delete(handshake.address)
  }

  #shrink(handshakes: ReadonlySet<HalfOpenHandshake>, limit: number): boolean {
    if (handshakes.size < limit) return true
    const [oldest] = handshakes
    if (oldest === undefined || this.#now() - oldest.since < UNHURRIED_MS) return false
    oldest.drop()
    return handshakes.size < limit
  }
}
