import type { DomainEvent, EventType } from '#model/event.ts'

/** The two halves of the service, as envelopes and subscriptions name them. */
export type EventSource = 'email.sending' | 'email.routing'

/** What those who are told call an event; null is told to nobody. */
const OF_MESSAGES = {
  'email.sending': {
    accepted: null,
    deferred: 'message.deferred',
    held: null,
    released: null,
    delivered: 'message.delivered',
    bounced: 'message.bounced',
    failed: 'message.failed',
    rejected: 'message.rejected',
    // An operator took it out of the queue.
    dropped: 'message.failed',
    handled: null,
    complained: 'message.complained',
  },
  // The original publishes no events of routed mail (newer-facts.md); the words are those of its log.
  'email.routing': {
    accepted: null,
    deferred: 'message.deferred',
    held: null,
    released: null,
    delivered: 'message.forwarded',
    bounced: 'message.bounced',
    failed: 'message.failed',
    rejected: 'message.rejected',
    dropped: 'message.dropped',
    handled: 'message.handled',
    complained: null,
  },
} as const satisfies Record<EventSource, Record<EventType, string | null>>

const OF_DOMAINS = {
  'dns-drifted': 'domain.dns_drifted',
  'dns-restored': 'domain.dns_restored',
  'deliverability-declined': 'domain.deliverability_declined',
  'deliverability-restored': 'domain.deliverability_restored',
} as const satisfies Record<DomainEvent['type'], string>

type NameIn<Source extends EventSource> =
  | Exclude<(typeof OF_MESSAGES)[Source][EventType], null>
  | (typeof OF_DOMAINS)[DomainEvent['type']]

/** As a subscription has it, whose source says the rest: `message.delivered`. */
export type ShortName = NameIn<'email.sending'> | NameIn<'email.routing'>

/** A webhook was paused, told to the account's others. */
export const WEBHOOK_PAUSED = 'cf.email.webhook.paused'

/** As an envelope has it: `cf.email.sending.message.delivered`. */
export type EventName =
  | `cf.email.sending.${NameIn<'email.sending'>}`
  | `cf.email.routing.${NameIn<'email.routing'>}`
  | typeof WEBHOOK_PAUSED

export function messageEventName(source: EventSource, type: EventType): ShortName | null {
  return OF_MESSAGES[source][type]
}

export function domainEventName(type: DomainEvent['type']): ShortName {
  return OF_DOMAINS[type]
}

export function isDomainEventType(type: EventType | DomainEvent['type']): type is DomainEvent['type'] {
  return type in OF_DOMAINS
}

/** What a subscription to the source may ask for. */
export function namesIn(source: EventSource): readonly ShortName[] {
  const ofMessages = Object.values(OF_MESSAGES[source]).filter((name) => name !== null)
  const ofDomains = Object.values(OF_DOMAINS).filter(
    (name) => source === 'email.sending' || !name.startsWith('domain.deliverability_'),
  )
  return [...new Set<ShortName>([...ofMessages, ...ofDomains])]
}

/** The name that an envelope has. */
export function fullName(source: EventSource, name: ShortName): EventName {
  // `name` is one of its source's: `messageEventName` gave it.
  return `cf.${source}.${name}` as EventName
}
