import type { ServiceNames } from '#model/service.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import { suffixes, ZONE_LABELS } from './hosted-zones.ts'
import { inside } from './zone-contents.ts'

export interface Zone {
  readonly id: string
  readonly name: string
  readonly status: 'pending' | 'active'
  readonly createdAt: number
}

export type ZoneCreation =
  /** `existed` where the account had this zone before; then nothing was changed. */
  | { readonly kind: 'created' | 'existed'; readonly zone: Zone }
  /** Active in another account, or a zone above or below it is (DECISIONS: subzones included). */
  | { readonly kind: 'taken' }
  /** The service's own domain or below it: the service answers for those names. */
  | { readonly kind: 'reserved' }
  /** More labels than any registrable name needs. */
  | { readonly kind: 'too-deep'; readonly labels: number }

interface ZoneRow {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly created_at: number
}

const columns = 'id, name, status, created_at'

const zoneByName = statement<ZoneRow>(
  'zone.by-name',
  `select ${columns} from zone where account_id = $1 and name = $2 order by created_at, id limit 1`,
)

const zoneById = statement<ZoneRow>(
  'zone.by-id',
  `select ${columns} from zone where id = $1 and account_id = $2`,
)

const allZones = statement<ZoneRow>(
  'zone.of-account',
  `select ${columns} from zone where account_id = $1 order by created_at, id`,
)

// Of two creators at the same moment the index of active names lets one through. Names above and below are looked at
// before: two owners would have to prove both within the same millisecond to slip past each other.
const insertZone = statement(
  'zone.insert',
  `insert into zone (id, account_id, name, status, created_at, activated_at)
   select $1, $2, $3, $4, cast($5 as bigint), cast($6 as bigint)
   where not exists (select 1 from zone where account_id = $2 and name = $3)
   on conflict do nothing`,
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

/** Makes a zone, `active` only where the caller has proof of ownership. `name` as `parseDomainName` gives it. */
export async function createZone(
  { store, service, clock }: { store: Store; service: ServiceNames; clock: () => number },
  accountId: string,
  name: string,
  { active }: { readonly active: boolean },
): Promise<ZoneCreation> {
  if (name.split('.').length > ZONE_LABELS) return { kind: 'too-deep', labels: ZONE_LABELS }
  if (inside(name, service.domain)) return { kind: 'reserved' }
  const existing = await store.get(zoneByName, [accountId, name])
  if (existing) return { kind: 'existed', zone: zoneOf(existing) }
  if (active && (await store.get(relatedElsewhere, [accountId, ...suffixes(name)]))) return { kind: 'taken' }

  const now = clock()
  const zone: Zone = { id: newId(), name, status: active ? 'active' : 'pending', createdAt: now }
  const params = [zone.id, accountId, name, zone.status, now, active ? now : null]
  const created = await store.commit([{ statement: insertZone, params, rows: 1 }])
  if (created.ok) return { kind: 'created', zone }
  const winner = await store.get(zoneByName, [accountId, name])
  return winner ? { kind: 'existed', zone: zoneOf(winner) } : { kind: 'taken' }
}

export async function findZone(store: Store, accountId: string, zoneId: string): Promise<Zone | undefined> {
  const row = await store.get(zoneById, [zoneId, accountId])
  return row && zoneOf(row)
}

export async function zonesOf(store: Store, accountId: string): Promise<Zone[]> {
  const rows = await store.all(allZones, [accountId])
  return rows.map(zoneOf)
}

function zoneOf(row: ZoneRow): Zone {
  const { id, name, created_at: createdAt } = row
  return { id, name, status: row.status === 'active' ? 'active' : 'pending', createdAt }
}
