import type { DeliveryBody, TimelineEvent } from '#contract/messages.ts'

/** A recipient and how far the message has come to them. */
export interface Recipient {
  /** Of the delivery. */
  readonly id: string
  readonly to: string
  readonly state: string
  readonly attempts: number
  readonly nextAttemptAt: string | null
  readonly reply: string | null
  readonly cause: string | null
  /** Whether anything can still be done about it. */
  readonly isOpen: boolean
}

/** As the queue has them. */
export function recipientsOf(deliveries: readonly DeliveryBody[]): readonly Recipient[] {
  return deliveries.map((delivery) => ({
    id: delivery.id,
    to: delivery.to,
    state: delivery.state,
    attempts: delivery.attempts,
    nextAttemptAt: delivery.next_attempt_at,
    reply: delivery.last_reply,
    cause: delivery.last_cause,
    isOpen: delivery.settled_at === null,
  }))
}

/** Of mail that came in, as its events tell. */
export function recipientsIn(events: readonly TimelineEvent[]): readonly Recipient[] {
  const latest = new Map<string, TimelineEvent>()
  for (const event of events) if (event.delivery_id !== null) latest.set(event.delivery_id, event)
  return [...latest].map(([id, event]) => ({
    id,
    to: event.recipient ?? event.routing?.recipient ?? '',
    state: event.type,
    attempts: event.attempt ?? 0,
    nextAttemptAt: event.retry_at ?? null,
    reply: event.smtp_reply ?? event.routing?.reason ?? null,
    cause: event.cause ?? null,
    isOpen: false,
  }))
}
