import type { DomainEvent, EventDetail, EventType } from '#model/event.ts'

/** An event on its way from the outbox to history and to whoever is told of it, with what is known now of the domain
 *  that it concerns. */
export type OutboxEvent = {
  /** Its place in the outbox; of one message a later event has a higher one. */
  readonly seq: number
  readonly id: string
  readonly at: number
  readonly accountId: string
  readonly messageId: string | null
  readonly deliveryId: string | null
  readonly terminal: boolean
  /** Undefined where it concerns none of ours, or one that is gone. */
  readonly domain: OriginDomain | undefined
  /** `detail` as it was written. */
  readonly detailJson: string
} & (
  | { readonly type: EventType; readonly detail: EventDetail }
  | { readonly type: DomainEvent['type']; readonly detail: DomainEvent['detail'] }
)

export interface OriginDomain {
  readonly id: string
  readonly name: string
  readonly zoneId: string
  /** What the last look at DNS said of its sending: a status word and the codes of what was wrong. */
  readonly check: { readonly status: string; readonly problems: readonly string[] } | undefined
}
