import { eventWrite } from '#events/events.ts'
import type { Address } from '#model/address.ts'
import type { EventDetail } from '#model/event.ts'
import type { Failure } from '#outbound/notices/failure.ts'
import type { Notices } from '#outbound/notices/notices.ts'
import type { QueuedMessage } from '#outbound/queue/claimed-delivery.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { type Suppressing, suppressionWrites } from './suppression-writes.ts'

/** What came back by mail about a delivery that had left us. */
export interface Report {
  readonly delivery: {
    readonly id: string
    readonly recipient: Address
    readonly message: QueuedMessage
  }
  /** A late bounce, or a complaint. */
  readonly kind: 'bounced' | 'complained'
  readonly at: number
  /** What the report says, beside what is known of the delivery. */
  readonly detail: EventDetail
  readonly suppression?: Suppressing
  /** What the sender is told, where the mail will never arrive: it heard only that it was delivered. */
  readonly failure?: Failure
}

/** Writes a report down in one commit: the report, its event and its suppression. `known`: this delivery has one of
 *  that kind already, from another copy of the same mail perhaps, and nothing was written. The delivery's state and what
 *  else is known of it stay as they are (promise 2). */
export async function recordReport(
  { store, notices }: { readonly store: Store; readonly notices: Notices },
  report: Report,
): Promise<'recorded' | 'known'> {
  const { delivery, kind, at, suppression } = report
  const { message, recipient } = delivery
  const { sender, subject, accountId } = message
  const detail: EventDetail = { sender, recipient, subject, ...report.detail }
  const set: Write[] = [
    {
      statement: insertReport,
      params: [delivery.id, kind, message.id, accountId, at, JSON.stringify(detail)],
      rows: 1,
    },
    eventWrite({
      type: kind,
      at,
      accountId,
      domainId: message.domainId,
      messageId: message.id,
      deliveryId: delivery.id,
      terminal: false,
      detail,
    }),
    ...(suppression ? suppressionWrites({ accountId, recipient, suppression, at }) : []),
  ]
  const result = await (report.failure ? notices.settle(report.failure, set) : store.commit(set))
  return result.ok ? 'recorded' : 'known'
}

/** The primary key decides between two copies that come at once. */
const insertReport = statement(
  'outcome.report',
  `insert into report (delivery_id, kind, message_id, account_id, at, detail)
   values ($1, $2, $3, $4, $5, $6) on conflict (delivery_id, kind) do nothing`,
)
