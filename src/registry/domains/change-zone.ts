import { type Store, statement, type Write } from '#store/store.ts'
import type { NoteZone } from './activate-zone.ts'
import { findZone, type Zone, type ZoneDns, type ZoneType } from './zones.ts'

/** The road that its owner wants. A full zone is hosted: there `dns` is `hosted` or absent. Absent, it stays as it is. */
export interface ZoneWish {
  readonly type?: ZoneType | undefined
  readonly dns?: ZoneDns | undefined
}

export type ZoneChange =
  | { readonly kind: 'changed' | 'unchanged'; readonly zone: Zone }
  /** A full zone stays with us as a whole: it has no records that its owner publishes. */
  | { readonly kind: 'full-is-hosted' }
  | { readonly kind: 'gone' }

// Its serial moves on, because what we answer from it changes. Conflicts where somebody else changed it, also where
// another changed it back: the times of its changes must follow each other.
const changeRoad = statement(
  'zone.change-road',
  `update zone set type = $3, dns = $4, modified_at = $5, records_at = case
     when coalesce(records_at, created_at) + 1000 > cast($5 as bigint) then coalesce(records_at, created_at) + 1000
     else cast($5 as bigint) end
   where id = $1 and account_id = $2 and type = $6 and dns = $7
     and coalesce(modified_at, activated_at, created_at) = cast($8 as bigint)`,
)

// While its owner published them, domains came and went and keys changed: whoever calls this has them written anew.
const forgetServiceRecords = statement(
  'zone.forget-service-records',
  `delete from dns_record where zone_id = $1 and account_id = $2 and locked = 1 and purpose <> 'owner'`,
)

/** Sends a zone's records another way to DNS. Those of its owner stay in our tables, whether we answer from them or not,
 *  and are there again when it comes back. */
export async function changeZone(
  { store, clock }: { readonly store: Store; readonly clock: () => number },
  { zone, wish, note }: { readonly zone: Zone; readonly wish: ZoneWish; readonly note: NoteZone },
): Promise<ZoneChange> {
  for (;;) {
    const before = await findZone(store, zone.accountId, zone.id)
    if (!before) return { kind: 'gone' }
    const type = wish.type ?? before.type
    const dns = wish.dns ?? (type === 'full' ? 'hosted' : before.dns)
    if (type === 'full' && dns === 'manual') return { kind: 'full-is-hosted' }
    if (type === before.type && dns === before.dns) return { kind: 'unchanged', zone: before }
    const at = Math.max(clock(), before.modifiedAt + 1)
    const after: Zone = { ...before, type, dns, modifiedAt: at }
    const set: Write[] = [
      {
        statement: changeRoad,
        params: [zone.id, zone.accountId, type, dns, at, before.type, before.dns, before.modifiedAt],
        rows: 1,
      },
      ...(before.dns === 'manual'
        ? [{ statement: forgetServiceRecords, params: [zone.id, zone.accountId] }]
        : []),
      ...note({ before, after, at }),
    ]
    if (!(await store.commit(set)).ok) continue
    return { kind: 'changed', zone: (await findZone(store, zone.accountId, zone.id)) ?? after }
  }
}
