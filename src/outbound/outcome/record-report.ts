import { eventWrite } from '#events/events.ts'
import type { Address } from '#model/address.ts'
import { foldAddress } from '#model/address.ts'
import type { EventDetail } from '#model/event.ts'
import type { QueuedMessage } from '#outbound/queue/claimed-delivery.ts'
import { softBounceWrites, suppressWrite } from '#registry/suppressions/suppressions.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Classified } from './classify.ts'

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
  readonly suppression?: ReportSuppression
}

export type ReportSuppression =
  | NonNullable<Classified['suppression']>
  | { readonly reason: 'complaint'; readonly forMs: null }

/** Writes a report down in one commit: the report, its event and its suppression. `known`: this delivery has one of
 *  that kind already, from another copy of the same mail perhaps, and nothing was written. The delivery's state and what
 *  else is known of it stay as they are (promise 2). */
export async function recordReport(store: Store, report: Report): Promise<'recorded' | 'known'> {
  const { delivery, kind, at } = report
  const { message, recipient } = delivery
  const { sender, subject } = message
  const detail: EventDetail = { sender, recipient, subject, ...report.detail }
  const result = await store.commit([
    {
      statement: insertReport,
      params: [delivery.id, kind, message.id, message.accountId, at, JSON.stringify(detail)],
      rows: 1,
    },
    eventWrite({
      type: kind,
      at,
      accountId: message.accountId,
      domainId: message.domainId,
      messageId: message.id,
      deliveryId: delivery.id,
      terminal: false,
      detail,
    }),
    ...suppressionWrites(report),
  ])
  return result.ok ? 'recorded' : 'known'
}

function suppressionWrites({ delivery, at, suppression }: Report): readonly Write[] {
  if (!suppression) return []
  const { recipient, message } = delivery
  const about = {
    accountId: message.accountId,
    email: recipient,
    emailKey: foldAddress(recipient),
    createdAt: at,
  }
  if (suppression.reason === 'soft_bounce') return softBounceWrites(about)
  const expiresAt = suppression.forMs === null ? null : at + suppression.forMs
  return [suppressWrite({ ...about, reason: suppression.reason, expiresAt })]
}

/** The primary key decides between two copies that come at once. */
const insertReport = statement(
  'outcome.report',
  `insert into report (delivery_id, kind, message_id, account_id, at, detail)
   values ($1, $2, $3, $4, $5, $6) on conflict (delivery_id, kind) do nothing`,
)
