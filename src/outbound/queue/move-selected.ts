import type { MailEvent } from '#model/event.ts'
import type { Store, Write } from '#store/store.ts'
import { type SelectedDelivery, selectedDeliveries } from './selected-deliveries.ts'
import type { QueueState, Selection } from './selection.ts'

/** What the operator's hands work with. */
export interface HandsWorld {
  readonly store: Store
  /** The write that records an event, for the set that makes it true. */
  readonly eventWrite: (event: MailEvent) => Write
  readonly now: () => number
}

export interface Moved {
  readonly changed: number
  /** Not all of the selection was looked at: the same call goes on where this one ended. */
  readonly more: boolean
}

/** Rows of one scan: each scan passes over what does not match, so it brings many. */
const READ_AT_ONCE = 5000
/** Deliveries of one commit, behind which mail does not wait for long. */
const COMMIT_AT_ONCE = 200

/** Moves the selected deliveries that are in one of the states `from`, at most `most` of them, batch by batch. `move`
 *  takes a batch out of its state, and says how many of it. */
export async function moveSelected(
  store: Store,
  order: { readonly selection: Selection; readonly from: readonly QueueState[]; readonly most: number },
  move: (batch: readonly SelectedDelivery[]) => Promise<number>,
): Promise<Moved> {
  const { selection, from, most } = order
  let changed = 0
  let left = most
  for (const state of from) {
    if (selection.state !== undefined && selection.state !== state) continue
    for (let full = true; full; ) {
      if (left === 0) return { changed, more: true }
      const limit = Math.min(left, READ_AT_ONCE)
      const rows = await selectedDeliveries(store, selection, state, limit)
      for (let at = 0; at < rows.length; at += COMMIT_AT_ONCE)
        changed += await move(rows.slice(at, at + COMMIT_AT_ONCE))
      left -= rows.length
      full = rows.length === limit
    }
  }
  return { changed, more: false }
}

/** Commits a batch as one set. Where one of it has moved on meanwhile, which undoes the set, the halves are committed on
 *  their own, until those that moved on are alone. Out: how many were moved. */
export async function commitMoves(
  store: Store,
  batch: readonly SelectedDelivery[],
  writesOf: (batch: readonly SelectedDelivery[]) => readonly Write[],
): Promise<number> {
  // In one order, so that two sets cannot each hold the row that the other wants.
  return halve(
    batch.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    async (rows) => (await store.commit(writesOf(rows))).ok,
  )
}

async function halve(
  rows: readonly SelectedDelivery[],
  commit: (rows: readonly SelectedDelivery[]) => Promise<boolean>,
): Promise<number> {
  if (rows.length === 0) return 0
  if (await commit(rows)) return rows.length
  if (rows.length === 1) return 0
  const middle = rows.length >> 1
  return (await halve(rows.slice(0, middle), commit)) + (await halve(rows.slice(middle), commit))
}
