import type { SigningIdentity } from '#model/draft.ts'
import { type Store, statement } from '#store/store.ts'
import type { DkimKeyRow } from './dkim-key.ts'

/** A domain whose mail comes to our MX. */
export interface RoutedDomain {
  readonly accountId: string
  readonly zoneId: string
  readonly domainId: string
  readonly name: string
  /** Mail for `user+detail` is for `user`. */
  readonly subaddressing: boolean
  readonly previewEnabled: boolean
  /** Of its routing key. */
  readonly signing: SigningIdentity
}

interface RoutedRow extends DkimKeyRow {
  readonly domain_id: string
  readonly domain_account_id: string
  readonly zone_id: string
  readonly name: string
  readonly preview_enabled: number
  readonly subaddressing: number
}

// Across accounts, because a name is active in one of them at a time. Of an apex and a subzone the closer one counts.
const routedByName = statement<RoutedRow>(
  'domain.routed',
  `select domain.id as domain_id, domain.account_id as domain_account_id, domain.zone_id, domain.name,
     domain.preview_enabled, coalesce(setting.support_subaddress, 0) as subaddressing,
     dkim_key.id, dkim_key.account_id, dkim_key.domain_name, dkim_key.selector, dkim_key.public_key,
     dkim_key.private_key
   from domain
     join zone on zone.id = domain.zone_id
     join dkim_key on dkim_key.domain_id = domain.id and dkim_key.mail = 'routing' and dkim_key.state = 'active'
     left join routing_setting setting on setting.zone_id = domain.zone_id
   where domain.name = $1 and zone.status = 'active' and domain.routing = 'active'
   order by length(zone.name) desc limit 1`,
)

/** `name` in lower-case A-labels, matched exactly: each domain is routed on its own. One keyed read for each recipient,
 *  so that a change counts at once. */
export async function findRoutedDomain(
  world: { readonly store: Store; readonly identity: (row: DkimKeyRow) => SigningIdentity },
  name: string,
): Promise<RoutedDomain | undefined> {
  const row = await world.store.get(routedByName, [name])
  if (!row) return undefined
  return {
    accountId: row.domain_account_id,
    zoneId: row.zone_id,
    domainId: row.domain_id,
    name: row.name,
    subaddressing: row.subaddressing === 1,
    previewEnabled: row.preview_enabled === 1,
    signing: world.identity(row),
  }
}
