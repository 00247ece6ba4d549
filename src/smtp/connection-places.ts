import type { SmtpLimits } from './server-limits.ts'

export type PlaceLimits = Pick<SmtpLimits, 'connections' | 'connectionsPerAddress' | 'giveWayMs'>

/** A connection that is counted. */
export interface ConnectionPlace {
  readonly address: string
  readonly since: number
  /** Begins to end it; it counts no more. Undefined for one that stays whatever comes. */
  readonly giveWay: (() => void) | undefined
}

/** The connections of one server, which has room for so many. Strangers who connect and say nothing could keep out
 *  everybody else, so where all places are taken the oldest stranger gives way; never a young one, or a flood would
 *  throw out everybody who is about to log in. */
export class ConnectionPlaces {
  readonly #limits: PlaceLimits
  readonly #now: () => number
  readonly #all = new Set<ConnectionPlace>()
  /** Those that may give way. Sets keep the order of insertion: the oldest comes first. */
  readonly #strangers = new Set<ConnectionPlace>()
  readonly #perAddress = new Map<string, number>()

  /** `now` gives milliseconds that never go back. */
  constructor(limits: PlaceLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Whether another connection may come; the oldest stranger leaves for it where that is needed and fair. */
  makeRoom(address: string): boolean {
    const { connections, connectionsPerAddress, giveWayMs } = this.#limits
    if ((this.#perAddress.get(address) ?? 0) >= connectionsPerAddress) return false
    if (this.#all.size < connections) return true
    const [oldest] = this.#strangers
    if (oldest === undefined || this.#now() - oldest.since < giveWayMs) return false
    this.leave(oldest)
    oldest.giveWay?.()
    return this.#all.size < connections
  }

  /** Counts a connection, for which there is room, until it leaves. */
  enter(address: string, giveWay: (() => void) | undefined): ConnectionPlace {
    const place = { address, since: this.#now(), giveWay }
    this.#all.add(place)
    if (giveWay !== undefined) this.#strangers.add(place)
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
    return place
  }

  /** It has logged in and keeps its place. */
  keep(place: ConnectionPlace): void {
    this.#strangers.delete(place)
  }

  /** Does nothing for one that gave way. */
  leave(place: ConnectionPlace): void {
    if (!this.#all.delete(place)) return
    this.#strangers.delete(place)
    const left = (this.#perAddress.get(place.address) ?? 1) - 1
    if (left > 0) this.#perAddress.set(place.address, left)
    else this.#perAddress.delete(place.address)
  }
}
