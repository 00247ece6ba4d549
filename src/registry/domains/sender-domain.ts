import type { SigningIdentity } from '#model/draft.ts'
import { returnPathDomain, type ServiceNames } from '#model/service.ts'
import { type Store, statement } from '#store/store.ts'
import { briefCache } from './brief-cache.ts'
import { type DkimKeyRow, findDomainKey } from './dkim-key.ts'
import type { MailService } from './onboarding-records.ts'

/** What an account may do with a sender's domain. */
export type SenderDomain =
  /** Onboarded nowhere. */
  | { readonly kind: 'unknown' }
  /** Onboarded here but not active yet, or active in another account only. */
  | { readonly kind: 'unverified' }
  | { readonly kind: 'disabled'; readonly domainId: string }
  | {
      /** `routing-only` sends to verified destinations of its account. */
      readonly kind: 'sending' | 'routing-only'
      readonly domainId: string
      readonly zoneId: string
      readonly name: string
      /** `cf-bounce.<domain>`; in the service domain for routing only. */
      readonly returnPathDomain: string
      readonly signing: SigningIdentity
      readonly previewEnabled: boolean
      readonly dropSuppressedRecipients: boolean
    }

interface SenderRow {
  readonly id: string
  readonly zone_id: string
  readonly name: string
  readonly sending: string
  readonly routing: string
  readonly preview_enabled: number
  readonly drop_suppressed_recipients: number
  readonly zone_status: string
}

// An account may hold a name in two of its zones, an apex and a subzone: the active and then the closer one counts.
const ownDomain = statement<SenderRow>(
  'domain.of-sender',
  `select domain.id, domain.zone_id, domain.name, domain.sending, domain.routing, domain.preview_enabled,
     domain.drop_suppressed_recipients, zone.status as zone_status
   from domain join zone on zone.id = domain.zone_id
   where domain.name = $1 and domain.account_id = $2
   order by case zone.status when 'active' then 0 else 1 end, length(zone.name) desc limit 1`,
)

// The one look across accounts: that a name is taken, and nothing else about it.
const activeElsewhere = statement<{ readonly found: number }>(
  'domain.active-elsewhere',
  `select 1 as found from domain join zone on zone.id = domain.zone_id
   where domain.name = $1 and domain.account_id <> $2 and zone.status = 'active'
     and (domain.sending = 'active' or domain.routing = 'active') limit 1`,
)

// Strangers choose the names that are asked for.
const SENDERS_KEPT = 10_000

export interface SenderDomains {
  /** `name` in lower-case A-labels, matched exactly: a subdomain is onboarded on its own. */
  senderDomain(accountId: string, name: string): Promise<SenderDomain>
  forget(accountId: string, name: string): void
}

export function openSenderDomains(world: {
  readonly store: Store
  readonly service: ServiceNames
  readonly clock: () => number
  readonly identity: (row: DkimKeyRow) => SigningIdentity
}): SenderDomains {
  const { store, service, identity } = world
  const senders = briefCache<SenderDomain>({ max: SENDERS_KEPT, clock: world.clock })

  async function read(accountId: string, name: string): Promise<SenderDomain> {
    const row = await store.get(ownDomain, [name, accountId])
    const standing = row ? standingOf(row) : 'unknown'
    if (!row || standing === 'unknown') {
      const elsewhere = await store.get(activeElsewhere, [name, accountId])
      return { kind: elsewhere ? 'unverified' : 'unknown' }
    }
    if (standing === 'unverified') return { kind: 'unverified' }
    if (standing === 'disabled') return { kind: 'disabled', domainId: row.id }
    const mail: MailService = standing === 'sending' ? 'sending' : 'routing'
    const key = await findDomainKey(store, { accountId, domainId: row.id, mail })
    if (!key) throw new Error(`domain ${row.id} is active for ${mail} without a key`)
    return {
      kind: standing,
      domainId: row.id,
      zoneId: row.zone_id,
      name: row.name,
      returnPathDomain: standing === 'sending' ? returnPathDomain(name) : service.email,
      signing: identity(key),
      previewEnabled: row.preview_enabled === 1,
      dropSuppressedRecipients: row.drop_suppressed_recipients === 1,
    }
  }

  // A space is in no id, so two keys never meet.
  const key = (accountId: string, name: string) => `${accountId} ${name}`
  return {
    senderDomain: (accountId, name) => senders.get(key(accountId, name), () => read(accountId, name)),
    forget: (accountId, name) => senders.forget(key(accountId, name)),
  }
}

/** What the two columns mean for a sender. Routing keeps working while sending still waits for its records. */
function standingOf(row: SenderRow): SenderDomain['kind'] {
  if (row.zone_status !== 'active') return 'unverified'
  if (row.sending === 'active') return 'sending'
  if (row.sending === 'disabled') return 'disabled'
  if (row.routing === 'active') return 'routing-only'
  if (row.sending === 'pending' || row.routing === 'pending') return 'unverified'
  return 'unknown'
}
