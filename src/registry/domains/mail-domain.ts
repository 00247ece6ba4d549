import { type Store, statement, type Write } from '#store/store.ts'
import type { MailService } from './onboarding-records.ts'

/** Off, set up and not seen in DNS yet, in use, switched off by its owner. */
export type MailStatus = 'none' | 'pending' | 'active' | 'disabled'

/** A domain of a zone, its apex or below it, that uses one of the services or did. Times in milliseconds since 1970. */
export interface MailDomain {
  readonly id: string
  readonly zoneId: string
  readonly accountId: string
  readonly name: string
  readonly sending: MailStatus
  readonly routing: MailStatus
  readonly previewEnabled: boolean
  readonly dropSuppressedRecipients: boolean
  readonly createdAt: number
  /** Grows with every change, so that a change can say what it saw. */
  readonly modifiedAt: number
}

/** platform-limits.md: domains per zone, both services together, the apex included. */
export const DOMAINS_PER_ZONE = 30

interface DomainRow {
  readonly id: string
  readonly zone_id: string
  readonly account_id: string
  readonly name: string
  readonly sending: string
  readonly routing: string
  readonly preview_enabled: number
  readonly drop_suppressed_recipients: number
  readonly created_at: number
  readonly modified_at: number
}

const COLUMNS = `id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients, created_at,
  modified_at`
// What counts for the limit is what is set up; what is not keeps its row for its key and its rules.
const IN_USE = `(sending <> 'none' or routing in ('pending', 'active'))`
const ROOM = `(select count(*) from domain where zone_id = $2 and account_id = $3 and ${IN_USE}) < ${DOMAINS_PER_ZONE}`

const domainByName = statement<DomainRow>(
  'domain.of-zone',
  `select ${COLUMNS} from domain where zone_id = $1 and account_id = $2 and name = $3`,
)

const domainById = statement<DomainRow>(
  'domain.by-id',
  `select ${COLUMNS} from domain where id = $1 and zone_id = $2 and account_id = $3`,
)

const domainsOfZone = statement<DomainRow>(
  'domain.all-of-zone',
  `select ${COLUMNS} from domain where zone_id = $1 and account_id = $2 order by length(name), name`,
)

const countDomains = statement<{ readonly domains: number }>(
  'domain.count',
  `select count(*) as domains from domain where zone_id = $1 and account_id = $2 and ${IN_USE}`,
)

// A name may be in two zones of an account, an apex and a subzone. Its keys are in one of them.
const sameName = statement<{ readonly zone: string }>(
  'domain.same-name',
  `select zone.name as zone from domain join zone on zone.id = domain.zone_id
   where domain.name = $1 and domain.account_id = $2 and domain.zone_id <> $3
     and exists (select 1 from dkim_key where dkim_key.domain_id = domain.id) limit 1`,
)

const insertDomain = statement(
  'domain.insert',
  `insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
     created_at, modified_at)
   select $1, $2, $3, $4, $5, $6, 1, 0, cast($7 as bigint), cast($7 as bigint)
   where ${ROOM}
   on conflict (zone_id, name) do nothing`,
)

// The time last seen makes this a compare-and-set: of two changes that read the same row, one begins again.
const updateDomain = statement(
  'domain.update-status',
  `update domain set sending = $4, routing = $5, modified_at = $6
   where id = $1 and account_id = $2 and modified_at = $3`,
)

const reviveDomain = statement(
  'domain.revive',
  `update domain set sending = $5, routing = $6, modified_at = $7
   where id = $1 and zone_id = $2 and account_id = $3 and modified_at = $4 and ${ROOM}`,
)

const updateOptions = statement(
  'domain.update-options',
  `update domain set preview_enabled = $4, drop_suppressed_recipients = $5, modified_at = $6
   where id = $1 and account_id = $2 and modified_at = $3`,
)

/** Names and ids as of the zone's account: of another's they are not found. */
export interface OfZone {
  readonly accountId: string
  readonly zoneId: string
}

export async function findDomainNamed(
  store: Store,
  { accountId, zoneId }: OfZone,
  name: string,
): Promise<MailDomain | undefined> {
  const row = await store.get(domainByName, [zoneId, accountId, name])
  return row && domainOf(row)
}

export async function findMailDomain(
  store: Store,
  { accountId, zoneId }: OfZone,
  id: string,
): Promise<MailDomain | undefined> {
  const row = await store.get(domainById, [id, zoneId, accountId])
  return row && domainOf(row)
}

/** The apex first, then by length and name. */
export async function mailDomainsOf(store: Store, { accountId, zoneId }: OfZone): Promise<MailDomain[]> {
  const rows = await store.all(domainsOfZone, [zoneId, accountId])
  return rows.map(domainOf)
}

export async function countMailDomains(store: Store, { accountId, zoneId }: OfZone): Promise<number> {
  const row = await store.get(countDomains, [zoneId, accountId])
  return row?.domains ?? 0
}

/** The account's other zone in which the name has its keys. */
export async function otherZoneOf(
  store: Store,
  { accountId, zoneId }: OfZone,
  name: string,
): Promise<string | undefined> {
  const row = await store.get(sameName, [name, accountId, zoneId])
  return row?.zone
}

/** Whether the domain counts for the limit of its zone. */
export function isInUse({ sending, routing }: Pick<MailDomain, 'sending' | 'routing'>): boolean {
  return sending !== 'none' || routing === 'pending' || routing === 'active'
}

/** Conflicts where the zone has no room, or somebody else was first. */
export function insertDomainWrite(
  { accountId, zoneId }: OfZone,
  domain: { readonly id: string; readonly name: string; readonly at: number } & Statuses,
): Write {
  const { id, name, sending, routing, at } = domain
  return { statement: insertDomain, params: [id, zoneId, accountId, name, sending, routing, at], rows: 1 }
}

export type Statuses = Pick<MailDomain, 'sending' | 'routing'>

/** Conflicts where the row is no longer as `domain` says, or comes into use and the zone has no room. `at` is after
 *  `domain.modifiedAt`. */
export function statusWrite(domain: MailDomain, { sending, routing }: Statuses, at: number): Write {
  const { id, zoneId, accountId, modifiedAt } = domain
  return !isInUse(domain) && isInUse({ sending, routing })
    ? {
        statement: reviveDomain,
        params: [id, zoneId, accountId, modifiedAt, sending, routing, at],
        rows: 1,
      }
    : { statement: updateDomain, params: [id, accountId, modifiedAt, sending, routing, at], rows: 1 }
}

/** Conflicts where the row is no longer as `domain` says. */
export function optionsWrite(
  domain: MailDomain,
  options: Pick<MailDomain, 'previewEnabled' | 'dropSuppressedRecipients'>,
  at: number,
): Write {
  const { id, accountId, modifiedAt } = domain
  const { previewEnabled, dropSuppressedRecipients } = options
  const params = [id, accountId, modifiedAt, previewEnabled ? 1 : 0, dropSuppressedRecipients ? 1 : 0, at]
  return { statement: updateOptions, params, rows: 1 }
}

/** The domain's status with one service changed. */
export function withStatus(domain: Statuses | undefined, mail: MailService, status: MailStatus): Statuses {
  const { sending = 'none', routing = 'none' } = domain ?? {}
  return { sending, routing, [mail]: status }
}

export function domainOf(row: DomainRow): MailDomain {
  return {
    ...{ id: row.id, zoneId: row.zone_id, accountId: row.account_id, name: row.name },
    ...{ sending: mailStatus(row.sending), routing: mailStatus(row.routing) },
    previewEnabled: row.preview_enabled === 1,
    dropSuppressedRecipients: row.drop_suppressed_recipients === 1,
    ...{ createdAt: row.created_at, modifiedAt: row.modified_at },
  }
}

function mailStatus(text: string): MailStatus {
  return text === 'pending' || text === 'active' || text === 'disabled' ? text : 'none'
}
