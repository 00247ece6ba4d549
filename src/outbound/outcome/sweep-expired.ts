import { eventWrite } from '#events/events.ts'
import type { Address } from '#model/address.ts'
import type { Cause } from '#model/event.ts'
import type { Log } from '#observe/log.ts'
import { messageById } from '#outbound/queue/message-by-id.ts'
import { settleExpired } from '#outbound/queue/settle-delivery.ts'
import { type Store, statement } from '#store/store.ts'
import { suppressRecipient } from './outcome.ts'

/** A claimed delivery may be in the middle of its last attempt: that long it may still settle by itself. */
const ATTEMPT_GRACE_MS = 15 * 60_000
const BATCH = 200

/** Settles every delivery that passed its end (promise 2). It shares no state with the scheduler: it reads the table
 *  alone, so that nothing the scheduler forgets lives for ever. Out: the number settled. */
export async function sweepExpired(store: Store, bodyRetentionMs: number, log: Log): Promise<number> {
  const rows = await store.all(expired, [BATCH])
  for (const row of rows) {
    const at = row.now
    const message = await messageById(store, row.message_id)
    // Retries that ran out against the recipient's server are a soft bounce; what never reached one is our failure.
    const answered = row.last_cause !== null && RECIPIENT_SIDE.has(row.last_cause)
    const state = answered ? 'bounced' : 'failed'
    const delivery = {
      id: row.id,
      message,
      recipient: row.recipient,
      recipientDomain: row.recipient_domain,
      attempts: row.attempts,
      expiresAt: row.expires_at,
      createdAt: row.created_at,
    }
    const releaseAt = message.previewEnabled ? at + bodyRetentionMs : at
    const result = await store.commit([
      ...settleExpired(delivery, { state, at, reply: row.last_reply, cause: 'expired', releaseAt }),
      eventWrite({
        type: state,
        at,
        accountId: message.accountId,
        domainId: message.domainId,
        messageId: message.id,
        deliveryId: row.id,
        terminal: true,
        detail: {
          sender: message.sender,
          recipient: row.recipient,
          subject: message.subject,
          attempt: row.attempts,
          cause: 'expired',
          ...(row.last_reply !== null && { smtpReply: row.last_reply }),
        },
      }),
      ...(row.last_cause === 'recipient-full' || row.last_cause === 'recipient-rate-limited'
        ? [suppressRecipient(delivery, { reason: 'soft_bounce', forMs: 86_400_000 }, at)]
        : []),
    ])
    if (!result.ok) log.debug({ delivery: row.id, conflict: result.conflict }, 'sweep: settled meanwhile')
  }
  return rows.length
}

const RECIPIENT_SIDE: ReadonlySet<Cause> = new Set([
  'recipient-unknown',
  'recipient-full',
  'recipient-rate-limited',
  'policy',
  'greylisted',
  'other',
])

interface ExpiredRow {
  readonly id: string
  readonly message_id: string
  readonly recipient: Address
  readonly recipient_domain: string
  readonly attempts: number
  readonly expires_at: number
  readonly created_at: number
  readonly last_reply: string | null
  readonly last_cause: Cause | null
  readonly now: number
}

const expired = statement<ExpiredRow>(
  'outcome.expired',
  `select id, message_id, recipient, recipient_domain, attempts, expires_at, created_at, last_reply, last_cause,
     {now} as now from delivery
    where state in ('waiting', 'claimed') and expires_at <= {now}
      and (state = 'waiting' or expires_at <= {now} - ${ATTEMPT_GRACE_MS})
    order by expires_at limit $1`,
)
