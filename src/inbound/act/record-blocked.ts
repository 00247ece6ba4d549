import { LRUCache } from 'lru-cache'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { Store } from '#store/store.ts'
import type { WayFound } from './find-way.ts'
import { routedEvent } from './routed-event.ts'

/** A recipient that a host on a block list was refused. */
export interface Blocked {
  readonly sessionId: string
  readonly remoteAddress: string
  readonly mailFrom: string
  readonly to: string
  /** What the host was told. */
  readonly reason: string
}

const TOLD_MS = 3_600_000
const MOST_TOLD = 10_000

/** Tells the owner of a recipient of what a block list kept away: once an hour for each host and recipient, since a host
 *  that is refused may well come again at once. */
export function openBlockedRecords(world: {
  readonly store: Store
  readonly findWay: (to: string) => Promise<WayFound>
  readonly now: () => number
}): (blocked: Blocked) => Promise<void> {
  const told = new LRUCache<string, true>({ max: MOST_TOLD, ttl: TOLD_MS, perf: { now: world.now } })
  return async ({ sessionId, remoteAddress, mailFrom, to, reason }) => {
    const address = parseAddress(to)
    const key = `${remoteAddress} ${to}`
    if (!isAddress(address) || told.has(key)) return
    told.set(key, true)
    const way = await world.findWay(to)
    if (way.kind !== 'rule') return
    const { domain, rule } = way
    const routed = {
      ...{ ruleId: rule.id, action: rule.action.type, recipient: address, isSpam: false },
      ...{ isNdr: mailFrom === '', sessionId, remoteAddress, reason },
    }
    const event = routedEvent('rejected', { domain, routed, at: world.now(), mailFrom, subject: '', size: 0 })
    await world.store.commit([event])
  }
}
