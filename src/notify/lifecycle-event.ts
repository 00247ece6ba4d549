import type { DomainEvent, EventDetail, EventType } from '#model/event.ts'
import {
  domainEventName,
  type EventName,
  type EventSource,
  fullName,
  isDomainEventType,
  messageEventName,
  type ShortName,
} from './event-names.ts'

/** What is asked of an event from the outbox; the projector's own has more. */
export type TellableEvent = {
  /** 32 hex digits of a UUIDv7. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly accountId: string
  readonly messageId: string | null
  readonly terminal: boolean
  /** Undefined where it concerns none of ours, or one that is gone. */
  readonly domain: { readonly name: string; readonly zoneId: string } | undefined
} & (
  | { readonly type: EventType; readonly detail: EventDetail }
  | { readonly type: DomainEvent['type']; readonly detail: DomainEvent['detail'] }
)

/** What the queue knows of the message that an event is about. */
export interface KnownMessage {
  /** With its angle brackets. */
  readonly headerMessageId: string
  readonly isForward: boolean
  readonly createdAt: number
}

/** An event as it is told, apart from to whom. */
export interface LifecycleEvent {
  readonly id: string
  readonly name: EventName
  readonly at: number
  readonly accountId: string
  readonly source: { readonly type: EventSource | 'email.webhook' } & Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
  /** What has the same is told one after the other. */
  readonly orderKey: string
  /** What subscriptions choose by; absent for what none has. */
  readonly of?: {
    readonly source: EventSource
    readonly name: ShortName
    readonly zoneId: string | undefined
    readonly domain: string
  }
}

/** Undefined for what nobody is told of: steps within the queue, and mail of the service's own. */
export function lifecycleEvent(
  event: TellableEvent,
  message: KnownMessage | undefined,
): LifecycleEvent | undefined {
  return isOfDomain(event) ? ofDomain(event) : ofMessage(event, message)
}

type OfDomain = Extract<TellableEvent, { readonly type: DomainEvent['type'] }>
type OfMessage = Extract<TellableEvent, { readonly type: EventType }>

function isOfDomain(event: TellableEvent): event is OfDomain {
  return isDomainEventType(event.type)
}

function ofDomain(event: OfDomain): LifecycleEvent {
  const { domain, service, problems, figures } = event.detail
  const source = service === 'routing' ? 'email.routing' : 'email.sending'
  const name = domainEventName(event.type)
  const payload = { eventId: uuidOf(event.id), domain, problems, ...(figures && { figures }) }
  return told(event, { source, name, domain, payload, orderKey: `${source} ${domain}` })
}

function ofMessage(event: OfMessage, message: KnownMessage | undefined): LifecycleEvent | undefined {
  const { detail, type } = event
  const isRouted = detail.routed !== undefined || message?.isForward === true
  // The null sender of what is no routed mail: a notice of ours.
  if (!isRouted && (detail.sender ?? '') === '') return undefined
  const source = isRouted ? 'email.routing' : 'email.sending'
  const name = messageEventName(source, type)
  if (name === null) return undefined
  const recipient = detail.routed?.recipient ?? detail.recipient ?? ''
  const domain = event.domain?.name ?? domainPart((isRouted ? recipient : detail.sender) ?? '')
  const messageId = isRouted ? event.messageId : message?.headerMessageId
  const word = name.slice('message.'.length)
  const payload = {
    eventId: uuidOf(event.id),
    // A request that was refused as a whole made no message; who reads events expects an id of each.
    messageId: messageId ?? `<${event.id}@${domain}>`,
    sender: storable(detail.sender ?? ''),
    recipient: storable(recipient),
    ...(type !== 'complained' && { subject: storable(detail.subject ?? '') }),
    terminal: type !== 'deferred',
    delivery: { status: word, ...transport(event, message) },
    ...consequence(name, detail),
    ...(isRouted && { routing: routing(detail) }),
  }
  return told(event, { source, name, domain, payload, orderKey: event.messageId ?? event.id })
}

function told(
  event: TellableEvent,
  what: {
    readonly source: EventSource
    readonly name: ShortName
    readonly domain: string
    readonly payload: Readonly<Record<string, unknown>>
    readonly orderKey: string
  },
): LifecycleEvent {
  const { source, name, domain, payload, orderKey } = what
  const { id, at, accountId } = event
  const zoneId = event.domain?.zoneId
  return {
    ...{ id, at, accountId, name: fullName(source, name) },
    source: { type: source, zoneId: zoneId ?? null, domain },
    ...{ payload, orderKey, of: { source, name, zoneId, domain } },
  }
}

/** What the other host was and said, where one was asked. */
function transport({ type, at, detail }: OfMessage, message: KnownMessage | undefined) {
  // What comes back later says nothing of how it left.
  if (type === 'complained' || type === 'rejected') return {}
  const { host, smtpReply, smtpStatus, enhancedStatus, durationMs } = detail
  const [, status, enhanced] = /^(\d{3})(?:[ -](\d\.\d{1,3}\.\d{1,3})\b)?/.exec(smtpReply ?? '') ?? []
  const code = smtpStatus === undefined ? status : String(smtpStatus)
  const timeMs = message ? Math.max(0, at - message.createdAt) : durationMs
  return {
    ...(host !== undefined && { provider: providerAt(host) }),
    ...(timeMs !== undefined && { deliveryTimeMs: timeMs }),
    ...(code !== undefined && { smtpStatusCode: code }),
    ...((enhancedStatus ?? enhanced) !== undefined && { smtpEnhancedStatusCode: enhancedStatus ?? enhanced }),
    ...(smtpReply !== undefined && { smtpResponse: storable(smtpReply, MOST_REPLY) }),
  }
}

/** Temporary by nature, however they ended: another day may go better. */
const SOFT = new Set<EventDetail['cause']>([
  'expired',
  'recipient-full',
  'recipient-rate-limited',
  'greylisted',
])

function consequence(name: ShortName, { cause, smtpReply, feedbackType, routed }: EventDetail): object {
  const reason = storable(smtpReply ?? snake(cause ?? 'other'), MOST_REPLY)
  switch (name) {
    case 'message.deferred':
      return { bounce: { type: 'soft', classification: 'temporary_failure', reason } }
    case 'message.bounced':
      return SOFT.has(cause)
        ? { bounce: { type: 'soft', classification: 'temporary_failure', reason } }
        : { bounce: { type: 'hard', classification: 'permanent_failure', reason } }
    case 'message.failed':
      return { failure: { reason: snake(cause ?? routed?.worker?.outcome ?? 'delivery_failed') } }
    case 'message.rejected':
      return { rejection: rejection(cause, routed?.reason ?? smtpReply) }
    case 'message.complained':
      return { complaint: { type: storable(feedbackType ?? 'abuse', 100) } }
    case 'message.delivered':
    case 'message.forwarded':
    case 'message.dropped':
    case 'message.handled':
    case 'domain.dns_drifted':
    case 'domain.dns_restored':
    case 'domain.deliverability_declined':
    case 'domain.deliverability_restored':
      return {}
  }
}

function rejection(cause: EventDetail['cause'], detail: string | undefined): object {
  if (cause === 'suppressed')
    return { reason: 'suppressed', party: 'recipient', detail: 'Recipient is suppressed' }
  return { reason: snake(cause ?? 'policy'), party: 'sender', detail: storable(detail ?? '', MOST_REPLY) }
}

function routing({ routed, recipient }: EventDetail): object | undefined {
  if (!routed) return undefined
  const { action, ruleId, spf, dkim, dmarc, arc, isSpam, isNdr, reason, worker } = routed
  return {
    ...{ action, ruleId, spf, dkim, dmarc, arc, isSpam, isNdr },
    // Of a forward, where it goes.
    ...(recipient !== undefined && recipient !== routed.recipient && { destination: storable(recipient) }),
    ...(reason !== undefined && { reason: storable(reason, MOST_REPLY) }),
    ...(worker && { worker: { scriptName: worker.scriptName, outcome: worker.outcome } }),
  }
}

/** By the names of their MX hosts; the original calls the rest so. */
const PROVIDERS = [
  ['google.com', 'gmail'],
  ['googlemail.com', 'gmail'],
  ['outlook.com', 'outlook'],
  ['mx.microsoft', 'outlook'],
  ['yahoodns.net', 'yahoo'],
  ['icloud.com', 'icloud'],
] as const

function providerAt(host: string): string {
  const name = host.toLowerCase()
  const known = PROVIDERS.find(([suffix]) => name === suffix || name.endsWith(`.${suffix}`))
  return known?.[1] ?? 'external_smtp'
}

/** Whole words of strangers have no bound of their own. */
const MOST_TEXT = 998
const MOST_REPLY = 2000

function storable(text: string, most = MOST_TEXT): string {
  return text.slice(0, most).toWellFormed()
}

/** Our words as the original writes its own. */
function snake(word: string): string {
  return word.replaceAll('-', '_')
}

function domainPart(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}

/** The original shows UUIDs here. */
export function uuidOf(id: string): string {
  return id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** The envelope (newer-facts.md), as the one who is told gets it. */
export function envelopeFor(event: LifecycleEvent, subscriptionId: string): string {
  const { name, source, payload, accountId, at } = event
  return JSON.stringify({
    type: name,
    ...{ source, payload },
    metadata: {
      accountId,
      eventSubscriptionId: subscriptionId,
      eventSchemaVersion: 1,
      eventTimestamp: new Date(at).toISOString(),
    },
  })
}
