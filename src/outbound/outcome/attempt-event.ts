import { eventWrite } from '#events/events.ts'
import type { EventDetail, EventType } from '#model/event.ts'
import type { ClaimedDelivery, QueuedMessage } from '#outbound/queue/claimed-delivery.ts'
import type { Write } from '#store/store.ts'

/** What the engine saw of one attempt, for the event and the timeline. */
export interface AttemptReport {
  readonly host?: string
  readonly address?: string
  readonly tls?: string
  readonly tlsPolicy?: string
  readonly tlsFailure?: string
  /** What was said, `c: …` and `s: …`. */
  readonly dialogue?: readonly string[]
  /** The deciding reply, or a sentence for what came instead of one. */
  readonly reply?: string
  readonly smtpStatus?: number
  readonly enhancedStatus?: string
  /** The connection broke between the final dot and its reply: another attempt may be a second copy. */
  readonly perhapsTaken?: boolean
  readonly durationMs?: number
}

/** What an event tells of an attempt: the story, never the content. */
export function attemptEvent(
  type: EventType,
  delivery: Omit<ClaimedDelivery, 'claimToken' | 'probe'>,
  attempt: AttemptReport,
  at: number,
  more: EventDetail = {},
): Write {
  const { reply, ...seen } = attempt
  return eventWrite({
    type,
    at,
    accountId: delivery.message.accountId,
    domainId: delivery.message.domainId,
    messageId: delivery.message.id,
    deliveryId: delivery.id,
    terminal: type !== 'deferred',
    detail: {
      sender: delivery.message.sender,
      recipient: delivery.recipient,
      subject: delivery.message.subject,
      attempt: delivery.attempts + 1,
      ...seen,
      ...(reply !== undefined && { smtpReply: reply }),
      ...forwardedDetail(delivery.message),
      ...more,
    },
  })
}

/** What each event of a forwarded message tells of how it came in. */
export function forwardedDetail({
  forwarding,
  headerMessageId,
}: Pick<QueuedMessage, 'forwarding' | 'headerMessageId'>): EventDetail {
  if (!forwarding) return {}
  return { ...(headerMessageId !== '' && { headerMessageId }), routed: forwarding.routed }
}
