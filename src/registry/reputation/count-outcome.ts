import type { Cause, DomainEvent, EventDetail, EventType } from '#model/event.ts'
import { type Figures, NO_FIGURES } from './figures.ts'

/** What is asked of an event from the outbox. */
export interface SettledEvent {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly accountId: string
  readonly messageId: string | null
  readonly deliveryId: string | null
  /** False for what came back after the delivery had settled. */
  readonly terminal: boolean
  /** Undefined where the sender's is gone. */
  readonly domain: { readonly id: string } | undefined
  readonly type: EventType | DomainEvent['type']
  readonly detail: EventDetail | DomainEvent['detail']
}

export interface CountedOutcome extends Figures {
  readonly recipient: string
  /** Who answered, where somebody was asked in the session. */
  readonly host: string | undefined
}

/** What an event adds to the figures of its sender. Undefined for what says nothing of it: steps on the way, what came in
 *  and was passed on, notices of our own, what an operator took out, and the simulator's recipients. */
export function countOutcome(event: SettledEvent, simulator: string): CountedOutcome | undefined {
  const { type, terminal } = event
  if (!isOfMessage(event)) return undefined
  const { sender = '', recipient, routed, cause, host } = event.detail
  if (sender === '' || recipient === undefined || routed || recipient.toLowerCase().endsWith(`@${simulator}`))
    return undefined
  const counted = { ...NO_FIGURES, recipient, host: terminal ? host : undefined }
  switch (type) {
    case 'delivered':
      return { ...counted, settled: 1, delivered: 1 }
    case 'bounced': {
      const hardBounced = isSoft(cause) ? 0 : 1
      return terminal ? { ...counted, settled: 1, hardBounced } : { ...counted, delivered: -1, hardBounced }
    }
    case 'failed':
      return { ...counted, settled: 1 }
    case 'complained':
      return { ...counted, complained: 1 }
    default:
      return undefined
  }
}

function isOfMessage(event: SettledEvent): event is SettledEvent & { readonly detail: EventDetail } {
  return event.messageId !== null && event.deliveryId !== null
}

/** Temporary by nature, however they ended (concept-deliverability.md, Soft bounces). */
const SOFT: ReadonlySet<Cause> = new Set([
  'expired',
  'recipient-full',
  'recipient-rate-limited',
  'greylisted',
])

function isSoft(cause: Cause | undefined): boolean {
  return cause !== undefined && SOFT.has(cause)
}
