import type { ServiceNames } from '#model/service.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { suffixes } from './hosted-zones.ts'
import { findProof, type OwnershipLookups } from './ownership.ts'
import { inside } from './zone-contents.ts'
import { ZONE_COLUMNS, type Zone, type ZoneRow, zoneOf } from './zones.ts'

/** What is to be in the commit of a change of a zone besides: its line in the audit log. */
export type NoteZone = (change: {
  readonly before?: Zone
  readonly after?: Zone
  readonly at: number
}) => readonly Write[]

export interface ActivationWorld {
  readonly store: Store
  readonly service: ServiceNames
  readonly clock: () => number
  readonly lookups: OwnershipLookups
  readonly note: NoteZone
  /** After the commit that changed it. */
  readonly changed: (zone: Zone) => Promise<void>
}

const duePending = statement<ZoneRow>(
  'zone.due-pending',
  `select ${ZONE_COLUMNS} from zone where status = 'pending' and coalesce(checked_at, 0) <= $1
   order by coalesce(checked_at, 0), id limit 200`,
)

const relatedElsewhere = statement<ZoneRow>(
  'zone.active-related',
  `select ${ZONE_COLUMNS} from zone
   where status = 'active' and account_id <> $1
     and (name in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       or (length(name) > length($2) and substr(name, length(name) - length($2)) = '.' || $2))
   order by length(name), name limit 50`,
)

const noteCheck = statement(
  'zone.note-check',
  'update zone set checked_at = $2, check_detail = $3 where id = $1',
)

// The index of active names lets one of two through that come here at once.
const activate = statement(
  'zone.activate',
  `update zone set status = 'active', activated_at = $2, modified_at = $2, checked_at = $2, check_detail = null
   where id = $1 and status = 'pending'
     and not exists (select 1 from zone other where other.status = 'active' and other.name = zone.name)`,
)

const giveUp = statement(
  'zone.give-up',
  `update zone set status = 'pending', activated_at = null, modified_at = $2, checked_at = $2, check_detail = $3
   where id = $1 and status = 'active'`,
)

/** Looks for proof of a pending zone and activates it where there is one. A name that is active in another account, or
 *  one below it, passes on only when DNS no longer proves it there: a domain that was sold. */
export async function checkZone(world: ActivationWorld, zone: Zone): Promise<Zone> {
  const { store, clock, lookups, service } = world
  if (zone.status === 'active') return zone
  const proof = await findProof(zone, { lookups, service })
  const at = clock()
  if (proof.kind !== 'proven') return noted(store, zone, { at, detail: proof.detail })

  const others = await store.all(relatedElsewhere, [zone.accountId, ...suffixes(zone.name)])
  const gone: Zone[] = []
  for (const other of others.map(zoneOf)) {
    // Who has a name has all below it, and nothing of what is above.
    const below = inside(other.name, zone.name)
    const standing = below ? await findProof(other, { lookups, service }) : undefined
    if (standing?.kind === 'unproven') gone.push(other)
    else return noted(store, zone, { at, detail: HELD })
  }
  const after: Zone = {
    ...{ ...zone, status: 'active', activatedAt: at },
    ...{ modifiedAt: at, checkedAt: at, checkDetail: null },
  }
  const lost = gone.map((before) => ({
    before,
    after: { ...before, status: 'pending', activatedAt: null, modifiedAt: at, checkDetail: LOST } as const,
  }))
  const set: Write[] = [
    ...lost.flatMap(({ before, after: inert }): Write[] => [
      { statement: giveUp, params: [before.id, at, LOST], rows: 1 },
      ...world.note({ before, after: inert, at }),
    ]),
    { statement: activate, params: [zone.id, at], rows: 1 },
    ...world.note({ before: zone, after, at }),
  ]
  const committed = await store.commit(set)
  // Somebody else changed one of them meanwhile: the next look decides.
  if (!committed.ok) return zone
  for (const one of [...gone, after]) await world.changed(one)
  return after
}

const HELD =
  'The name, or one above or below it, is active in another account, and DNS still proves it there: take that proof out of DNS.'
const LOST = 'Another account has proven that it owns the name, and DNS no longer proved it here.'

/** Pending zones whose next look has come, a few at a time: often at first, once a day in the end. Resolves with how
 *  many became active. */
export async function checkPendingZones(world: ActivationWorld): Promise<number> {
  const now = world.clock()
  const rows = await world.store.all(duePending, [now - SOONEST_MS])
  const due = rows.map(zoneOf).filter((zone) => (zone.checkedAt ?? 0) <= now - pauseOf(zone, now))
  let activated = 0
  for (const zone of due.slice(0, AT_ONCE)) {
    if ((await checkZone(world, zone)).status === 'active') activated++
  }
  return activated
}

const AT_ONCE = 20
const SOONEST_MS = 60_000
const LATEST_MS = 86_400_000

/** A tenth of its age. */
function pauseOf(zone: Zone, now: number): number {
  return Math.min(Math.max((now - zone.createdAt) / 10, SOONEST_MS), LATEST_MS)
}

async function noted(
  store: Store,
  zone: Zone,
  { at, detail }: { readonly at: number; readonly detail: string },
): Promise<Zone> {
  await store.commit([{ statement: noteCheck, params: [zone.id, at, detail] }])
  return { ...zone, checkedAt: at, checkDetail: detail }
}
