import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { SPEND, spendWrite } from './allowance.ts'
import { type Suppression } from './suppression.ts'

/** Who changes an entry, for the audit log. */
export interface ChangedBy {
  readonly tokenId: string
}

/** Absent fields stay as they are; null means no expiry, and no note. */
export interface SuppressionChange {
  readonly expiresAt?: number | null
  readonly note?: string | null
}

/** `limit-reached`: of complaints, ten a day may be taken back, which shortening one is too. */
export type NotChanged = 'unknown' | 'read-only' | 'limit-reached'

const active = '(expires_at is null or expires_at > $3)'

const removeOther = statement(
  'suppression.remove',
  `delete from suppression
   where account_id = $1 and id = $2 and read_only = 0 and ${active} and reason <> 'complaint'`,
)
const removeComplaint = statement(
  'suppression.remove-complaint',
  `delete from suppression
   where account_id = $1 and id = $2 and read_only = 0 and ${active} and reason = 'complaint'`,
)

// What changes is chosen by flags, so that one statement serves every set of fields.
const set = `expires_at = case when cast($4 as integer) = 1 then cast($5 as bigint) else expires_at end,
     note = case when cast($6 as integer) = 1 then $7 else note end`
const changeOther = statement(
  'suppression.change',
  `update suppression set ${set}
   where account_id = $1 and id = $2 and read_only = 0 and ${active}
     and (reason <> 'complaint' or cast($4 as integer) = 0 or cast($5 as bigint) is null)`,
)
const shortenComplaint = statement(
  'suppression.shorten-complaint',
  `update suppression set ${set}
   where account_id = $1 and id = $2 and read_only = 0 and ${active} and reason = 'complaint'`,
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
    write: ({ reason }, at) => ({
      statement: reason === 'complaint' ? removeComplaint : removeOther,
      params: [accountId, id, at],
    }),
    takesBack: ({ reason }) => reason === 'complaint',
  })
  return typeof outcome === 'string' ? outcome : 'removed'
}

/** The entry as it is now. */
export async function changeSuppression(
  world: World,
  accountId: string,
  { id, by, change }: { readonly id: string; readonly by: ChangedBy; readonly change: SuppressionChange },
): Promise<Suppression | NotChanged> {
  const { expiresAt, note } = change
  const shortens = ({ reason }: Suppression) => reason === 'complaint' && typeof expiresAt === 'number'
  const outcome = await changeEntry(world, accountId, {
    id,
    by,
    change: 'shortened',
    write: (entry, at) => ({
      statement: shortens(entry) ? shortenComplaint : changeOther,
      params: [
        ...[accountId, id, at],
        ...[expiresAt === undefined ? 0 : 1, expiresAt ?? null],
        ...[note === undefined ? 0 : 1, note ?? null],
      ],
    }),
    takesBack: shortens,
  })
  if (typeof outcome === 'string') return outcome
  return {
    ...outcome,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(note !== undefined && { note }),
  }
}

interface Attempt {
  readonly id: string
  readonly by: ChangedBy
  readonly change: 'deleted' | 'shortened'
  readonly write: (entry: Suppression, at: number) => Write
  /** Whether it undoes a complaint, which is limited and recorded. */
  readonly takesBack: (entry: Suppression) => boolean
}

/** Out: the entry as it was, or why nothing was done. */
async function changeEntry(
  { store, clock, activeEntry }: World,
  accountId: string,
  { id, by, change, write, takesBack }: Attempt,
): Promise<Suppression | NotChanged> {
  for (;;) {
    const entry = await activeEntry(accountId, id)
    if (!entry) return 'unknown'
    if (entry.readOnly) return 'read-only'
    const at = clock()
    const writes: Write[] = [{ ...write(entry, at), rows: 1 }]
    if (takesBack(entry)) {
      const record = [newId(), accountId, by.tokenId, id, entry.email, change, at]
      writes.unshift(spendWrite(accountId, 'complaint-removal', at))
      writes.push({ statement: recordRemoval, params: record, rows: 1 })
    }
    const committed = await store.commit(writes)
    if (committed.ok) return entry
    if (committed.conflict === SPEND) return 'limit-reached'
    // It changed under our hands: a complaint came in, or it ended.
  }
}
