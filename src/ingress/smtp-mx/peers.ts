import { LRUCache } from 'lru-cache'
import type { Resolver, ReverseLookup, TimedLookup } from '#net/resolver.ts'
import type { Log } from '#observe/log.ts'
import { reversedAddress, reverseName } from '#protocol/reversed-address.ts'
import type { SmtpSession } from '#smtp/handler.ts'
import { type BlockList, openBlockLists } from './block-lists.ts'

/** What DNS says of a peer's address. */
export interface PeerFacts {
  readonly name: PeerName
  /** Labels of the block lists that have it. */
  readonly listedOn: readonly string[]
}

/** The name of the host by its PTR record. It is `confirmed` where it leads back to the address (RFC 8601 §2.7.3 calls
 *  this iprev); a name that does not is worth nothing, anybody may write any into the own reverse zone. */
export type PeerName =
  /** In lower case, and fit for a header. */
  | { readonly kind: 'confirmed'; readonly name: string }
  | { readonly kind: 'unconfirmed' | 'none' | 'temporary-failure' }

export interface MxPeers {
  /** Never rejects, and takes some seconds at most. */
  factsOf(session: Pick<SmtpSession, 'remoteAddress'>): Promise<PeerFacts>
}

/** A resolver that knows no names of addresses gives none; one that knows no times lets answers be believed for one
 *  of ours. */
export type PeerDns = Pick<Resolver, 'addresses'> & Partial<ReverseLookup> & Partial<TimedLookup>

export interface MxPeersOptions {
  readonly dns: PeerDns
  readonly log: Log
  readonly blockLists?: readonly BlockList[]
  readonly lookupMs?: number
  /** Milliseconds. */
  readonly clock?: () => number
}

const LOOKUP_MS = 5000
const BELIEVED_MS = 60_000
const MOST_NAMES = 10_000
/** RFC 7208 §4.6.4 looks at ten; hosts have one. */
const MOST_PTR = 5
// RFC 1123 §2.1, and the underscore that hosts have all the same. What ends in a number is an address.
const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

export function openMxPeers(options: MxPeersOptions): MxPeers {
  const { dns, log, blockLists = [], lookupMs = LOOKUP_MS, clock = Date.now } = options
  const lists = openBlockLists({
    lists: blockLists,
    a: (name) => (dns.a ? dns.a(name) : dns.addresses(name)),
    log,
    lookupMs,
    clock,
  })
  const names = new LRUCache<string, Promise<PeerName>>({
    max: MOST_NAMES,
    ttl: BELIEVED_MS,
    ttlResolution: 0,
    perf: { now: clock },
  })

  function nameOf(address: string): Promise<PeerName> {
    const known = names.get(address)
    if (known) return known
    const asked = look(address)
    names.set(address, asked)
    return asked
  }

  async function look(address: string): Promise<PeerName> {
    const name = await inTime(triedName(address), lookupMs)
    if (name.kind === 'temporary-failure') names.delete(address)
    return name
  }

  /** Nobody may be waiting for it, and a stranger's reverse zone must not end the process. */
  async function triedName(address: string): Promise<PeerName> {
    try {
      return await peerName(address, dns)
    } catch (error) {
      log.error({ err: error, peer: address }, 'mx: the name of a peer could not be looked up')
      return { kind: 'temporary-failure' }
    }
  }

  return {
    async factsOf({ remoteAddress }) {
      const [name, listedOn] = await Promise.all([nameOf(remoteAddress), lists.listedOn(remoteAddress)])
      return { name, listedOn }
    },
  }
}

async function inTime(name: Promise<PeerName>, ms: number): Promise<PeerName> {
  const late = Promise.withResolvers<PeerName>()
  const timer = setTimeout(() => late.resolve({ kind: 'temporary-failure' }), ms)
  try {
    return await Promise.race([name, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function peerName(address: string, dns: PeerDns): Promise<PeerName> {
  const reverse = reverseName(address)
  if (reverse === undefined || dns.ptr === undefined) return { kind: 'none' }
  const answer = await dns.ptr(reverse)
  if (answer.kind === 'temporary-failure') return { kind: 'temporary-failure' }
  if (answer.kind !== 'found') return { kind: 'none' }
  const candidates = answer.records.map((name) => name.toLowerCase()).filter((name) => HOST_NAME.test(name))
  let failed = false
  for (const name of candidates.slice(0, MOST_PTR)) {
    const back = await dns.addresses(name)
    if (back.kind === 'found' && back.records.some((host) => isSame(host.address, address)))
      return { kind: 'confirmed', name }
    failed ||= back.kind === 'temporary-failure'
  }
  return { kind: failed ? 'temporary-failure' : 'unconfirmed' }
}

function isSame(one: string, other: string): boolean {
  return reversedAddress(one) === reversedAddress(other)
}
