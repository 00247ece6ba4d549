import { LRUCache } from 'lru-cache'
import type { Log } from '#observe/log.ts'
import type { Store } from '#store/store.ts'
import { type DiscoverOptions, type Discovery, discoverPolicy, wantsRefresh } from './discover-sts.ts'
import { limitFetches } from './limit-fetches.ts'
import { type CachedPolicy, openStsCache } from './sts-cache.ts'
import type { TlsPolicies, TlsPolicy } from './tls-policy.ts'

/** The policies of recipient domains, found out when they are first asked for. Promise: a policy that was once fetched
 *  stays in force until its max_age, whatever DNS and HTTPS say or fail to say meanwhile (RFC 8461 §5.1), over
 *  restarts; and no stranger's server delays a delivery for longer than our patience. */
export interface OpenTlsPolicies extends TlsPolicies {
  /** Renews the policies in use that are a day old or have lived half their life, so that whoever keeps us from a policy server has to
   *  do so for its whole max_age (RFC 8461 §3.3), and deletes what has expired. To be called every few minutes. */
  refresh(): Promise<void>
  /** Calls off what is being fetched, and lets what is being written come to its end. */
  close(): Promise<void>
}

export interface TlsPoliciesOptions extends Omit<DiscoverOptions, 'signal'> {
  readonly store: Store
  readonly log: Log
  /** For how long a delivery waits for what is not known yet; RFC 8461 §5.1 has it go on without. */
  readonly patienceMs?: number
}

const MINUTE_MS = 60_000
/** How long an answer is believed: the TTL of `_mta-sts` is not told, and between two fetches of which the first failed
 *  RFC 8461 §3.3 wants as much. It does what §5 asks before a delivery fails for good: every attempt looks for a new
 *  policy, unless one has just done so. */
const RECHECK_MS = 5 * MINUTE_MS
const NO_RECORD_MS = 60 * MINUTE_MS
/** A policy that does not last is not fetched more often. */
const SHORTEST_MS = MINUTE_MS
const MOST_FETCHES = 32
const MOST_WAITING = 1000
const MOST_REFRESHED = 8
// Strangers choose domains and policies: bounded by octets.
const MEMORY_OCTETS = 16 * 1024 * 1024

interface Known {
  readonly policy: CachedPolicy | undefined
  /** When to look again. */
  readonly checkAt: number
}

interface Check {
  /** What its askers get: what it finds, or, when that takes too long, what was known before. */
  readonly answer: Promise<CachedPolicy | undefined>
  readonly over: Promise<unknown>
}

export function openTlsPolicies(options: TlsPoliciesOptions): OpenTlsPolicies {
  const { log, now, patienceMs = 5000 } = options
  const cache = openStsCache(options.store)
  const memory = new LRUCache<string, Known>({
    maxSize: MEMORY_OCTETS,
    sizeCalculation: ({ policy }, domain) => 300 + domain.length + (policy?.mx.join(' ').length ?? 0),
  })
  const checks = new Map<string, Check>()
  const writes = new Set<Promise<void>>()
  const stop = new AbortController()
  const fetch = limitFetches(options.fetch, MOST_FETCHES, MOST_WAITING)
  const discovering = { ...options, fetch, signal: stop.signal }

  /** One at a time for each domain. */
  function check(domain: string): Check {
    const running = checks.get(domain)
    if (running) return running
    const recalled = recall(domain)
    const over = recalled.then((kept) => discover(domain, kept)).finally(() => checks.delete(domain))
    const answer = recalled.then((kept) => within(patienceMs, over, kept?.policy))
    const begun = { answer, over }
    checks.set(domain, begun)
    return begun
  }

  /** Undefined where the store could not say. */
  async function recall(domain: string): Promise<Pick<Known, 'policy'> | undefined> {
    try {
      return memory.peek(domain) ?? { policy: await cache.find(domain, now()) }
    } catch (error) {
      log.error({ err: error, domain }, 'mta-sts: the kept policy could not be read')
      return undefined
    }
  }

  /** Out: the policy that counts from now on. */
  async function discover(
    domain: string,
    recalled: Pick<Known, 'policy'> | undefined,
  ): Promise<CachedPolicy | undefined> {
    const kept = recalled?.policy && recalled.policy.expiresAt > now() ? recalled.policy : undefined
    const discovery = await discoverPolicy(domain, kept, discovering).catch((error: unknown): Discovery => {
      log.error({ err: error, domain }, 'mta-sts: a check failed inside')
      return { kind: 'failed', detail: 'a fault of ours' }
    })
    tell(domain, kept, discovery)
    const policy = discovery.kind === 'found' ? discovery.policy : kept
    // A store that could not say is asked again, rather than taken to have nothing.
    if (recalled || policy) memory.set(domain, { policy, checkAt: now() + restMs(discovery, policy) })
    if (discovery.kind === 'found') keep(discovery.policy)
    return policy
  }

  function restMs({ kind }: Discovery, policy: CachedPolicy | undefined): number {
    if (!policy) return kind === 'none' ? NO_RECORD_MS : RECHECK_MS
    return kind === 'found' || kind === 'unchanged'
      ? Math.min(RECHECK_MS, Math.max(SHORTEST_MS, policy.expiresAt - now()))
      : RECHECK_MS
  }

  /** Not waited for: the policy counts at once, whatever keeps the store from taking it. */
  function keep(policy: CachedPolicy): void {
    if (stop.signal.aborted) return
    const write = cache
      .keep(policy)
      .catch((error: unknown) => {
        log.error({ err: error, domain: policy.domain }, 'mta-sts: a policy could not be kept')
      })
      .finally(() => writes.delete(write))
    writes.add(write)
  }

  /** RFC 8461 §3.3: whoever runs this learns when a policy that protects cannot be refreshed. */
  function tell(domain: string, kept: CachedPolicy | undefined, discovery: Discovery): void {
    if (discovery.kind === 'found' || discovery.kind === 'unchanged' || stop.signal.aborted) return
    const detail = discovery.kind === 'failed' ? discovery.detail : 'there is no TXT record'
    if (kept && kept.mode !== 'none')
      log.warn({ domain, detail, expiresAt: kept.expiresAt }, 'mta-sts: a policy could not be refreshed')
    else if (discovery.kind === 'failed') log.debug({ domain, detail }, 'mta-sts: no policy could be had')
  }

  return {
    async policyFor(domain) {
      const name = domain.toLowerCase()
      const known = memory.get(name)
      const policy = known && isFresh(known, now()) ? known.policy : await check(name).answer
      return inForce(policy, now())
    },
    async refresh() {
      const at = now()
      const due = [...memory.entries()].filter(
        ([, known]) =>
          known.policy &&
          known.policy.mode !== 'none' &&
          wantsRefresh(known.policy, at) &&
          !isFresh(known, at),
      )
      // A few at a time, which leaves room for those that a delivery waits for.
      for (let i = 0; i < due.length && !stop.signal.aborted; i += MOST_REFRESHED)
        await Promise.all(due.slice(i, i + MOST_REFRESHED).map(([domain]) => check(domain).over))
      if (!stop.signal.aborted) await cache.sweep(at)
    },
    async close() {
      stop.abort()
      await Promise.all(writes)
    },
  }
}

/** Also not when the clock was set back. */
function isFresh({ checkAt }: Known, at: number): boolean {
  return at < checkAt && checkAt - at <= NO_RECORD_MS
}

function inForce(policy: CachedPolicy | undefined, at: number): TlsPolicy {
  if (!policy || policy.mode === 'none' || policy.expiresAt <= at) return { kind: 'opportunistic' }
  const { mode, mx, id } = policy
  return { kind: 'sts', mode, mx, id }
}

async function within<T>(ms: number, work: Promise<T>, otherwise: T): Promise<T> {
  const late = Promise.withResolvers<T>()
  const timer = setTimeout(() => late.resolve(otherwise), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
