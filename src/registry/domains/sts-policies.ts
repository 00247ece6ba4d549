import type { ServiceNames } from '#model/service.ts'
import { type StsPolicy, writeStsPolicy } from '#protocol/mta-sts.ts'
import { type Store, statement } from '#store/store.ts'
import { briefCache } from './brief-cache.ts'
import { policyHost, policyOf, servicePolicy, stsMode } from './mta-sts.ts'

/** The MTA-STS policies that are served, by the hosts where senders look for them. */
export interface StsPolicies {
  /** The text at `host`, in lower-case A-labels; undefined where none of ours is. From memory for 5 s at most. It looks
   *  across accounts, and what it says is public. */
  at(host: string): Promise<string | undefined>
  /** To be called after a change of a domain's routing or its setting. */
  forget(domain: string): void
}

interface PolicyRow {
  readonly mode: string | null
  readonly max_age: number | null
  readonly routing: string
}

// Of a name that two zones of an account hold, the one with a policy counts.
const policyOfName = statement<PolicyRow>(
  'mta-sts.of-name',
  `select mta_sts.mode, mta_sts.max_age, domain.routing from domain
     join zone on zone.id = domain.zone_id
     left join mta_sts on mta_sts.domain_id = domain.id
   where domain.name = $1 and zone.status = 'active'
   order by case when coalesce(mta_sts.mode, 'off') = 'off' then 1 else 0 end,
     case domain.routing when 'active' then 0 else 1 end, length(zone.name) desc limit 1`,
)

// Strangers choose the hosts that are asked for.
const POLICIES_KEPT = 10_000

const HOST = policyHost('')

export function openStsPolicies(world: {
  readonly store: Store
  readonly service: ServiceNames
  readonly clock: () => number
}): StsPolicies {
  const { store, service } = world
  const policies = briefCache<StsPolicy | undefined>({ max: POLICIES_KEPT, clock: world.clock })

  async function read(domain: string): Promise<StsPolicy | undefined> {
    const row = await store.get(policyOfName, [domain])
    if (!row) return undefined
    // Who never set anything here may have pointed their names at the service's own policy (RFC 8461 §8.2).
    if (row.mode === null) return row.routing === 'active' ? servicePolicy(service) : undefined
    const mode = stsMode(row.mode)
    return mode && policyOf(service, { mode, maxAgeSeconds: row.max_age ?? 0 })
  }

  return {
    async at(host) {
      if (!host.startsWith(HOST)) return undefined
      if (host === service.mtaStsPolicy) return writeStsPolicy(servicePolicy(service))
      const domain = host.slice(HOST.length)
      const policy = await policies.get(domain, () => read(domain))
      return policy && writeStsPolicy(policy)
    },
    forget: (domain) => policies.forget(domain),
  }
}
