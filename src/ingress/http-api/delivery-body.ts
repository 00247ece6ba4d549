import type { DeliveryBody } from '#contract/messages.ts'
import type { DeliveryView } from '#outbound/queue/list-deliveries.ts'

/** A delivery as its account sees it. */
export function deliveryBody(view: DeliveryView): DeliveryBody {
  return {
    id: view.id,
    message_id: view.headerMessageId,
    from: view.sender,
    to: view.recipient,
    subject: view.subject,
    state: view.state,
    attempts: view.attempts,
    next_attempt_at: view.nextAttemptAt === null ? null : iso(view.nextAttemptAt),
    created_at: iso(view.createdAt),
    expires_at: iso(view.expiresAt),
    settled_at: view.settledAt === null ? null : iso(view.settledAt),
    last_reply: view.lastReply,
    last_cause: view.lastCause,
  }
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}
