import type { ServiceNames } from '#model/service.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { suffixes, ZONE_LABELS } from './hosted-zones.ts'
import { inside } from './zone-contents.ts'

/** Who publishes a zone's records: our name servers, or its owner, who pastes them. */
export type ZoneDns = 'hosted' | 'manual'
/** `full`: the whole zone is delegated to us. `partial`: it stays with another DNS provider, and where it is `hosted`
 *  all the same, names below its own are delegated. */
export type ZoneType = 'full' | 'partial'

export interface Zone {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly status: 'pending' | 'active'
  readonly type: ZoneType
  readonly dns: ZoneDns
  /** Times in milliseconds since 1970. */
  readonly createdAt: number
  readonly modifiedAt: number
  readonly activatedAt: number | null
  /** The last look for proof of ownership, and what it missed, in a sentence. */
  readonly checkedAt: number | null
  readonly checkDetail: string | null
  /** When its records last changed; it only grows, and by a second at least. */
  readonly recordsAt: number
}

export interface ZoneOptions {
  /** Only where the caller has proof of ownership. */
  readonly active: boolean
  /** `full` unless given. */
  readonly type?: ZoneType
  /** `hosted` for a full zone, which cannot be otherwise; `manual` for a partial one unless given. */
  readonly dns?: ZoneDns
}

export type ZoneCreation =
  | { readonly kind: 'created'; readonly zone: Zone }
  /** The account had this zone before, and nothing was changed. */
  | { readonly kind: 'existed'; readonly zone: Zone }
  /** Active in another account, or a zone above or below it is (DECISIONS: subzones included). */
  | { readonly kind: 'taken' }
  /** The service's own domain or below it: the service answers for those names. */
  | { readonly kind: 'reserved' }
  /** More labels than any registrable name needs. */
  | { readonly kind: 'too-deep'; readonly labels: number }
  /** So many wait for proof already, of the account or of the name: each is asked about in DNS again and again. */
  | { readonly kind: 'too-many-pending'; readonly of: 'account' | 'name'; readonly limit: number }

export interface ZoneRow {
  readonly id: string
  readonly account_id: string
  readonly name: string
  readonly status: string
  readonly type: string
  readonly dns: string
  readonly created_at: number
  readonly modified_at: number | null
  readonly activated_at: number | null
  readonly checked_at: number | null
  readonly check_detail: string | null
  readonly records_at: number | null
}

export const ZONE_COLUMNS =
  'id, account_id, name, status, type, dns, created_at, modified_at, activated_at, checked_at, check_detail, records_at'

/** How many may wait for proof at one time: of one account, and of one name in all accounts. */
export const PENDING_ZONES = { account: 100, name: 20 } as const

const zoneByName = statement<ZoneRow>(
  'zone.by-name',
  `select ${ZONE_COLUMNS} from zone where account_id = $1 and name = $2 order by created_at, id limit 1`,
)

const zoneById = statement<ZoneRow>(
  'zone.by-id',
  `select ${ZONE_COLUMNS} from zone where id = $1 and account_id = $2`,
)

const accountById = statement<{ readonly account_id: string }>(
  'zone.account',
  'select account_id from zone where id = $1',
)

const allZones = statement<ZoneRow>(
  'zone.of-account',
  `select ${ZONE_COLUMNS} from zone where account_id = $1 order by created_at, id`,
)

// Of two creators at the same moment the index of active names lets one through. Names above and below are looked at
// before: two owners would have to prove both within the same millisecond to slip past each other.
// Several at once may end up one or two past a limit on pending zones, which harms nobody.
const insertZone = statement(
  'zone.insert',
  `insert into zone (id, account_id, name, status, created_at, activated_at, type, dns)
   select $1, $2, $3, $4, cast($5 as bigint), cast($6 as bigint), $7, $8
   where not exists (select 1 from zone where account_id = $2 and name = $3)
     and ($4 = 'active' or (
       (select count(*) from zone where account_id = $2 and status = 'pending') < ${PENDING_ZONES.account}
       and (select count(*) from zone where name = $3 and status = 'pending') < ${PENDING_ZONES.name}))
   on conflict do nothing`,
)

const countPending = statement<{ readonly account: number; readonly name: number }>(
  'zone.count-pending',
  `select (select count(*) from zone where account_id = $1 and status = 'pending') as account,
     (select count(*) from zone where name = $2 and status = 'pending') as name`,
)

// Above: the name's own suffixes. Below: names that end in a dot and this name.
const relatedElsewhere = statement<{ readonly id: string }>(
  'zone.related-elsewhere',
  `select id from zone
   where status = 'active' and account_id <> $1
     and (name in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       or (length(name) > length($2) and substr(name, length(name) - length($2)) = '.' || $2))
   limit 1`,
)

/** Makes a zone; `record` gives what is to be in the same commit. `name` as `parseDomainName` gives it. */
export async function createZone(
  { store, service, clock }: { store: Store; service: ServiceNames; clock: () => number },
  accountId: string,
  name: string,
  { active, type = 'full', dns = type === 'full' ? 'hosted' : 'manual' }: ZoneOptions,
  record: (zone: Zone) => readonly Write[] = () => [],
): Promise<ZoneCreation> {
  if (type === 'full' && dns !== 'hosted') throw new Error('a full zone is hosted')
  if (name.split('.').length > ZONE_LABELS) return { kind: 'too-deep', labels: ZONE_LABELS }
  if (inside(name, service.domain)) return { kind: 'reserved' }
  const existing = await store.get(zoneByName, [accountId, name])
  if (existing) return { kind: 'existed', zone: zoneOf(existing) }
  if (active && (await store.get(relatedElsewhere, [accountId, ...suffixes(name)]))) return { kind: 'taken' }

  const now = clock()
  const zone: Zone = {
    ...{ id: newId(), accountId, name, type, dns, status: active ? 'active' : 'pending' },
    ...{ createdAt: now, modifiedAt: now, activatedAt: active ? now : null },
    ...{ checkedAt: null, checkDetail: null, recordsAt: now },
  }
  const params = [zone.id, accountId, name, zone.status, now, zone.activatedAt, type, dns]
  const created = await store.commit([{ statement: insertZone, params, rows: 1 }, ...record(zone)])
  if (created.ok) return { kind: 'created', zone }
  const winner = await store.get(zoneByName, [accountId, name])
  if (winner) return { kind: 'existed', zone: zoneOf(winner) }
  return (active ? undefined : await tooManyPending(store, accountId, name)) ?? { kind: 'taken' }
}

async function tooManyPending(
  store: Store,
  accountId: string,
  name: string,
): Promise<ZoneCreation | undefined> {
  const pending = await store.get(countPending, [accountId, name])
  const of = (['account', 'name'] as const).find((each) => pending && pending[each] >= PENDING_ZONES[each])
  return of && { kind: 'too-many-pending', of, limit: PENDING_ZONES[of] }
}

export async function findZone(store: Store, accountId: string, zoneId: string): Promise<Zone | undefined> {
  const row = await store.get(zoneById, [zoneId, accountId])
  return row && zoneOf(row)
}

/** Across accounts: for choosing whom to ask about, not to be told. */
export async function accountOfZone(store: Store, zoneId: string): Promise<string | undefined> {
  const row = await store.get(accountById, [zoneId])
  return row?.account_id
}

export async function zonesOf(store: Store, accountId: string): Promise<Zone[]> {
  const rows = await store.all(allZones, [accountId])
  return rows.map(zoneOf)
}

export function zoneOf(row: ZoneRow): Zone {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    status: row.status === 'active' ? 'active' : 'pending',
    type: row.type === 'partial' ? 'partial' : 'full',
    dns: row.dns === 'manual' ? 'manual' : 'hosted',
    createdAt: row.created_at,
    modifiedAt: row.modified_at ?? row.activated_at ?? row.created_at,
    activatedAt: row.activated_at,
    checkedAt: row.checked_at,
    checkDetail: row.check_detail,
    recordsAt: row.records_at ?? row.created_at,
  }
}
