import { HOUR_MS, madeAt } from './day.ts'
import { type KeptLabel, type Label, labelOf } from './label.ts'
import type { OutboxEvent } from './outbox-event.ts'
import { type Inherited, type RowDraft, rowsOfEvent } from './read-event.ts'

/** What history has of a message already: one of the rows that its earlier events made. */
export interface Head extends Inherited {
  readonly message: string
  readonly at: number
  readonly seq: number
  readonly ordinal: number
  readonly label: KeptLabel
  readonly isLast: boolean
}

/** A row to be written. */
export interface NewRow extends RowDraft {
  readonly event: OutboxEvent
  readonly ordinal: number
  readonly label: Label
  isLast: boolean
}

/** Everything that a batch changes. */
export interface BatchPlan {
  readonly events: readonly OutboxEvent[]
  readonly rows: readonly NewRow[]
  /** Rows that were the last of their delivery until now. */
  readonly demoted: ReadonlySet<Head>
}

/** Of which messages the plan must know what is there, each with the time before which there is nothing of it. */
export function messagesToLookUp(events: readonly OutboxEvent[]): ReadonlyMap<string, number> {
  const since = new Map<string, number>()
  for (const { messageId, type } of events) {
    // Nothing comes before `accepted`.
    if (messageId === null || type === 'accepted') continue
    // A forward's event has the time at which it came in, a little before its id was made.
    since.set(messageId, madeAt(messageId) - HOUR_MS)
  }
  return since
}

/** Decides what a batch makes of history, in the order of the outbox. `known`: ids of events that history has. */
export function planBatch(
  batch: readonly OutboxEvent[],
  known: ReadonlySet<string>,
  heads: readonly Head[],
): BatchPlan {
  const events = batch.filter(({ id }) => !known.has(id))
  const rows: NewRow[] = []
  const demoted = new Set<Head>()
  const kept = Map.groupBy(heads, ({ message }) => message)
  const made = new Map<string, NewRow[]>()
  for (const event of events) {
    // Of its own account (promise 6): an id says nothing of whose it is.
    const isOwn = ({ words }: Inherited) => words.account_id === event.accountId
    const before = (kept.get(event.messageId ?? '') ?? []).filter(isOwn)
    const here = (made.get(event.messageId ?? '') ?? []).filter(isOwn)
    const drafts = rowsOfEvent(event, inheritedBy(event, [...before, ...here]))
    const added = drafts.map((draft, ordinal) => ({
      ...draft,
      ...{ event, ordinal, label: labelOf(draft.words), isLast: draft.words.status !== '' },
    }))
    rows.push(...added)
    if (event.messageId === null) continue
    for (const { to, isLast } of added) {
      if (!isLast) continue
      for (const head of before) if (head.isLast && head.to === to) demoted.add(head)
      for (const row of here) if (row.to === to) row.isLast = false
    }
    made.getOrInsert(event.messageId, []).push(...added)
  }
  return { events, rows, demoted }
}

/** The row of the same recipient; of a forward, whose recipient in later events is where it goes, the only one. */
function inheritedBy({ detail }: OutboxEvent, earlier: readonly Inherited[]): Inherited | undefined {
  const recipient = 'recipient' in detail ? detail.recipient : undefined
  return earlier.find(({ to }) => to === recipient) ?? earlier[0]
}
