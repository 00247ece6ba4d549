import type { Fetched, GuardedFetch } from '#net/guarded-fetch.ts'
import type { Resolver } from '#net/resolver.ts'
import { MAX_POLICY_OCTETS, readStsId, readStsPolicy } from '#protocol/mta-sts.ts'
import type { CachedPolicy } from './sts-cache.ts'

/** What a domain says of its MTA-STS policy now (RFC 8461 §3). Only `found` changes what was known. */
export type Discovery =
  | { readonly kind: 'found'; readonly policy: CachedPolicy }
  /** The one we have is the one it announces, and it is young. */
  | { readonly kind: 'unchanged' }
  /** It announces none. That takes nothing away from a policy that we have. */
  | { readonly kind: 'none' }
  /** DNS or its policy server did not say, or not in the form that counts. */
  | { readonly kind: 'failed'; readonly detail: string }

export interface DiscoverOptions {
  readonly resolver: Pick<Resolver, 'txt'>
  readonly fetch: GuardedFetch
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly signal: AbortSignal
}

/** RFC 8461 §3.3 suggests a minute at most. */
const FETCH_MS = 30_000
/** RFC 8461 §3.3 suggests one refresh a day. */
const REFRESH_MS = 24 * 60 * 60_000

export async function discoverPolicy(
  domain: string,
  kept: CachedPolicy | undefined,
  { resolver, fetch, now, signal }: DiscoverOptions,
): Promise<Discovery> {
  const answer = await resolver.txt(`_mta-sts.${domain}`)
  if (answer.kind === 'temporary-failure') return failed(`TXT lookup: ${answer.detail}`)
  const id = answer.kind === 'found' ? readStsId(answer.records) : undefined
  if (id === undefined) return { kind: 'none' }
  if (kept?.id === id && !wantsRefresh(kept, now())) return { kind: 'unchanged' }
  const fetched = await fetch(`https://mta-sts.${domain}/.well-known/mta-sts.txt`, {
    timeoutMs: FETCH_MS,
    maxOctets: MAX_POLICY_OCTETS,
    headers: { accept: 'text/plain', 'user-agent': 'Posthorn' },
    signal,
  })
  const body = bodyOf(fetched)
  if (typeof body === 'string') return failed(body)
  const read = readStsPolicy(body)
  if ('fault' in read) return failed(read.fault)
  const { mode, mx, maxAgeSeconds } = read
  const fetchedAt = now()
  const expiresAt = fetchedAt + maxAgeSeconds * 1000
  return { kind: 'found', policy: { domain, id, mode, mx, fetchedAt, expiresAt } }
}

/** Halfway through its life, and after a day at the latest; at once when the clock was set back. */
export function wantsRefresh({ fetchedAt, expiresAt }: CachedPolicy, at: number): boolean {
  return Math.abs(at - fetchedAt) >= Math.min(REFRESH_MS, (expiresAt - fetchedAt) / 2)
}

/** A string says why there is none. RFC 8461 §3.3: the status is 200 and nothing else; §3.2: the type is text/plain,
 *  since a site may let strangers upload files of other types. */
function bodyOf(fetched: Fetched): Buffer | string {
  if (fetched.kind === 'refused') return fetched.detail
  if (fetched.kind === 'failed') return `${fetched.reason}: ${fetched.detail}`
  if (fetched.status !== 200) return `the policy server answered ${fetched.status}`
  const [type = ''] = (fetched.contentType ?? '').split(';')
  return type.trim().toLowerCase() === 'text/plain' ? fetched.body : 'the policy is not text/plain'
}

function failed(detail: string): Discovery {
  return { kind: 'failed', detail }
}
