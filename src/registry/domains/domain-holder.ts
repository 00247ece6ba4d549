import { type Store, statement } from '#store/store.ts'
import { briefCache } from './brief-cache.ts'

/** In which account a domain's name is active. */
export interface DomainHolders {
  /** `name` in lower-case A-labels, matched exactly. */
  holder(name: string): Promise<string | undefined>
  forget(name: string): void
}

// Across accounts, because a name is active in one of them at a time: it says which, and nothing else about it.
const holderOfName = statement<{ readonly account_id: string }>(
  'domain.holder',
  `select domain.account_id from domain join zone on zone.id = domain.zone_id
   where domain.name = $1 and zone.status = 'active'
     and (domain.sending in ('active', 'disabled') or domain.routing = 'active')
   order by length(zone.name) desc limit 1`,
)

// Senders choose the names that are asked for.
const HOLDERS_KEPT = 10_000

export function openDomainHolders(world: {
  readonly store: Store
  readonly clock: () => number
}): DomainHolders {
  const holders = briefCache<string | undefined>({ max: HOLDERS_KEPT, clock: world.clock })

  async function read(name: string): Promise<string | undefined> {
    const row = await world.store.get(holderOfName, [name])
    return row?.account_id
  }

  return {
    holder: (name) => holders.get(name, () => read(name)),
    forget: (name) => holders.forget(name),
  }
}
