import type { SmtpLimits } from './server-limits.ts'

export type PlaceLimits = Pick<SmtpLimits, 'connections' | 'connectionsPerAddress' | 'giveWayMs'>

/** A connection that is counted. */
export interface ConnectionPlace {
  readonly address: string
  /** Since when it may be asked to give way, by the clock of the places. */
  since: number
  /** Begins to end it; it counts no more. */
  readonly giveWay: () => void
}

/** The connections of one server, which has room for so many. Peers who connect and say nothing could keep out
 *  everybody else, so where all places are taken the one who has been idle for the longest gives way; never a young
 *  one, or a flood would throw out everybody who is about to say something. Whether being there is idle, as before a
 *  login, or only a command that does not come, is for the server: it keeps places, and lets them wait. */
export class ConnectionPlaces {
  readonly #limits: PlaceLimits
  readonly #now: () => number
  readonly #all = new Set<ConnectionPlace>()
  /** Those that may give way. Sets keep the order of insertion: the oldest comes first. */
  readonly #idle = new Set<ConnectionPlace>()
  readonly #perAddress = new Map<string, number>()

  /** `now` gives milliseconds that never go back. */
  constructor(limits: PlaceLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Whether another connection may come; the oldest idle one leaves for it where that is needed and fair. */
  makeRoom(address: string): boolean {
    const { connections, connectionsPerAddress, giveWayMs } = this.#limits
    if ((this.#perAddress.get(address) ?? 0) >= connectionsPerAddress) return false
    if (this.#all.size < connections) return true
    const [oldest] = this.#idle
    if (oldest === undefined || this.#now() - oldest.since < giveWayMs) return false
    this.leave(oldest)
    oldest.giveWay()
    return this.#all.size < connections
  }

  /** Counts a connection, for which there is room, until it leaves. */
  enter(address: string, giveWay: () => void): ConnectionPlace {
    const place = { address, since: this.#now(), giveWay }
    this.#all.add(place)
    this.#idle.add(place)
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
    return place
  }

  /** It keeps its place: it has logged in, or has something to do. */
  keep(place: ConnectionPlace): void {
    this.#idle.delete(place)
  }

  /** Its peer is waited for, from now on. */
  wait(place: ConnectionPlace): void {
    if (!this.#all.has(place)) return
    place.since = this.#now()
    this.#idle.delete(place)
    this.#idle.add(place)
  }

  /** Does nothing for one that gave way. */
  leave(place: ConnectionPlace): void {
    if (!this.#all.delete(place)) return
    this.#idle.delete(place)
    const left = (this.#perAddress.get(place.address) ?? 1) - 1
    if (left > 0) this.#perAddress.set(place.address, left)
    else this.#perAddress.delete(place.address)
  }
}
