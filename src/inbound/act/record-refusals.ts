import { LRUCache } from 'lru-cache'
import type { Routed } from '#model/routing.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { RoutedDomain } from '#registry/domains/routed-domain.ts'
import type { Store } from '#store/store.ts'
import type { WayFound } from './find-way.ts'
import { routedEvent } from './routed-event.ts'

/** A recipient that was refused before there was a message. */
export interface RefusedRecipient {
  readonly sessionId: string
  readonly remoteAddress: string
  readonly mailFrom: string
  readonly to: string
  /** What the host was told. */
  readonly reason: string
}

const HOUR_MS = 3_600_000
const MOST_TOLD = 10_000
/** Of one domain: whoever guesses addresses fills no log with it. */
const MOST_OF_DOMAIN = 100

/** Tells the owner of a domain whose mail was refused at RCPT: by a block list, or because nothing takes mail for the
 *  address. Once an hour for each host and recipient, since a host that is refused may well come again at once, and a
 *  hundred times an hour at most. */
export function openRefusalRecords(world: {
  readonly store: Store
  readonly findWay: (to: string) => Promise<WayFound>
  readonly now: () => number
}): (refused: RefusedRecipient) => Promise<void> {
  const { store, findWay, now } = world
  const perf = { now }
  const told = new LRUCache<string, true>({ max: MOST_TOLD, ttl: HOUR_MS, perf })
  const counts = new LRUCache<string, { count: number }>({ max: MOST_TOLD, ttl: HOUR_MS, perf })

  function mayTell(domain: RoutedDomain): boolean {
    const known = counts.get(domain.domainId)
    if (!known) counts.set(domain.domainId, { count: 1 })
    return !known || ++known.count <= MOST_OF_DOMAIN
  }

  return async ({ sessionId, remoteAddress, mailFrom, to, reason }) => {
    const address = parseAddress(to)
    const key = `${remoteAddress} ${to}`
    if (!isAddress(address) || told.has(key)) return
    told.set(key, true)
    const way = await findWay(to)
    const domain = way.kind === 'rule' || way.kind === 'refused' ? way.domain : undefined
    if (!domain || !mayTell(domain)) return
    const routed: Routed = {
      ...(way.kind === 'rule'
        ? { ruleId: way.rule.id, action: way.rule.action.type }
        : ({ ruleId: null, action: 'none' } as const)),
      ...{ recipient: address, isSpam: false, isNdr: mailFrom === '', sessionId, remoteAddress, reason },
    }
    await store.commit([
      routedEvent('rejected', {
        domain,
        routed,
        at: now(),
        mailFrom,
        subject: '',
        headerMessageId: '',
        size: 0,
      }),
    ])
  }
}
