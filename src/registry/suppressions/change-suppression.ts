import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { SPEND, spendWrite } from './allowance.ts'
import type { RecordSuppressions, Suppression } from './suppression.ts'

/** Who changes an entry. */
export interface ChangedBy {
  readonly tokenId: string
  /** What goes into the same commit. */
  readonly record?: RecordSuppressions
}

/** Absent fields stay as they are; null means no expiry, and no note. */
export interface SuppressionChange {
  readonly expiresAt?: number | null
  readonly note?: string | null
}

/** `limit-reached`: of complaints, ten a day may be taken back, which shortening one is too. */
export type NotChanged = 'unknown' | 'read-only' | 'limit-reached'

// Of an entry that somebody else changed since it was read, another look is due: whether it may be changed hangs on its
// reason, and the audit log says what it was.
const asRead = `account_id = $1 and id = $2 and read_only = 0 and (expires_at is null or expires_at > $3)
     and reason = $4 and expires_at is not distinct from cast($5 as bigint) and note is not distinct from $6`

const remove = statement('suppression.remove', `delete from suppression where ${asRead}`)

const change = statement(
  'suppression.change',
  `update suppression set expires_at = cast($7 as bigint), note = $8 where ${asRead}`,
)

const recordRemoval = statement(
  'suppression.record-complaint-removal',
  `insert into complaint_removal (id, account_id, token_id, suppression_id, email, change, at)
   values ($1, $2, $3, $4, $5, $6, $7)`,
)

interface World {
  readonly store: Store
  readonly clock: () => number
  /** The account's active entry of this id. */
  readonly activeEntry: (accountId: string, id: string) => Promise<Suppression | undefined>
}

export async function removeSuppression(
  world: World,
  accountId: string,
  { id, by }: { readonly id: string; readonly by: ChangedBy },
): Promise<'removed' | NotChanged> {
  const outcome = await changeEntry(world, accountId, {
    id,
    by,
    change: 'deleted',
    after: () => undefined,
    takesBack: ({ reason }) => reason === 'complaint',
  })
  return typeof outcome === 'string' ? outcome : 'removed'
}

/** The entry as it is now. */
export async function changeSuppression(
  world: World,
  accountId: string,
  {
    id,
    by,
    change: wanted,
  }: { readonly id: string; readonly by: ChangedBy; readonly change: SuppressionChange },
): Promise<Suppression | NotChanged> {
  const { expiresAt, note } = wanted
  const after = (entry: Suppression): Suppression => ({
    ...entry,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(note !== undefined && { note }),
  })
  const outcome = await changeEntry(world, accountId, {
    id,
    by,
    change: 'shortened',
    after,
    takesBack: ({ reason }) => reason === 'complaint' && typeof expiresAt === 'number',
  })
  return typeof outcome === 'string' ? outcome : after(outcome)
}

interface Attempt {
  readonly id: string
  readonly by: ChangedBy
  readonly change: 'deleted' | 'shortened'
  /** What becomes of it; undefined where it goes. */
  readonly after: (entry: Suppression) => Suppression | undefined
  /** Whether it undoes a complaint, which is limited and recorded. */
  readonly takesBack: (entry: Suppression) => boolean
}

/** Out: the entry as it was, or why nothing was done. */
async function changeEntry(
  { store, clock, activeEntry }: World,
  accountId: string,
  { id, by, change: kind, after: become, takesBack }: Attempt,
): Promise<Suppression | NotChanged> {
  for (;;) {
    const before = await activeEntry(accountId, id)
    if (!before) return 'unknown'
    if (before.readOnly) return 'read-only'
    const at = clock()
    const after = become(before)
    const writes: Write[] = [changeWrite(accountId, { before, after, at })]
    if (takesBack(before)) {
      const record = [newId(), accountId, by.tokenId, id, before.email, kind, at]
      writes.unshift(spendWrite(accountId, 'complaint-removal', at))
      writes.push({ statement: recordRemoval, params: record, rows: 1 })
    }
    const recorded = by.record?.([{ before, ...(after && { after }), at }]) ?? []
    const committed = await store.commit([...writes, ...recorded])
    if (committed.ok) return before
    if (committed.conflict === SPEND) return 'limit-reached'
    // It changed under our hands: a complaint came in, or it ended.
  }
}

function changeWrite(
  accountId: string,
  { before, after, at }: { before: Suppression; after: Suppression | undefined; at: number },
): Write {
  const { id, reason, expiresAt, note } = before
  const read = [accountId, id, at, reason, expiresAt, note]
  return after
    ? { statement: change, params: [...read, after.expiresAt, after.note], rows: 1 }
    : { statement: remove, params: read, rows: 1 }
}
