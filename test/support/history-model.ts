import fc from 'fast-check'
import type { Field, FieldValue, Filter } from '#analytics/history-query.ts'
import type { Address } from '#model/address.ts'
import type { EventDetail, EventType, MailEvent } from '#model/event.ts'
import type { Routed } from '#model/routing.ts'
import type { SomeDomain } from './history-world.ts'

/** Mail and what should be told of it, worked out without history: by a second reading of the same pages. */
export interface ModelRow {
  readonly fields: Readonly<Record<Exclude<Field, 'isLastEvent' | TimeName>, FieldValue>>
  readonly at: number
  /** Place in the order in which events happened, and among the recipients of one. */
  readonly order: number
  readonly ordinal: number
  last: 0 | 1
}

type TimeName = keyof typeof INTERVALS

const INTERVALS = {
  date: 86_400_000,
  datetimeHour: 3_600_000,
  datetimeFifteenMinutes: 900_000,
  datetimeFiveMinutes: 300_000,
  datetimeMinute: 60_000,
  datetime: 1000,
} as const

export const TIMES = Object.keys(INTERVALS) as readonly TimeName[]
export const FLAGS = ['isSpam', 'isNDR', 'isLastEvent'] as const
export const WORDS = [
  ...(['status', 'type', 'eventType', 'sendingDomain', 'errorCause', 'action', 'ruleMatched'] as const),
  ...(['arc', 'dkim', 'dmarc', 'spf', 'zoneTag'] as const),
]
export const TEXTS = ['from', 'to', 'envelopeTo', 'subject', 'messageId', 'sessionId', 'errorDetail'] as const

const ADDRESSES = ['a@x.example', 'B@X.example', 'ünï@x.example', 'c_d@y.example', "e'%@y.example"] as const
const SUBJECTS = ['Hello', 'HELLO %', 'a_b', '[x]*?', 'Ünïcode', '', 'a\\b', 'nul\u0000 half \ud800'] as const
const REPLIES = ['550 5.1.1 no such user', '452 full', ''] as const

const ENDS = {
  nothing: [],
  delivered: ['delivered'],
  putOff: ['deferred', 'deferred', 'delivered'],
  waiting: ['deferred'],
  bounced: ['deferred', 'bounced'],
  failed: ['failed'],
  cancelled: ['held', 'released', 'dropped'],
  bouncedLate: ['delivered', 'bounced'],
  complained: ['delivered', 'complained'],
} as const satisfies Record<string, readonly EventType[]>

const sentMail = fc.record({
  kind: fc.constant('sent'),
  domain: fc.nat(1),
  reply: fc.boolean(),
  recipients: fc.uniqueArray(
    fc.tuple(fc.constantFrom(...ADDRESSES), fc.constantFrom(...(Object.keys(ENDS) as (keyof typeof ENDS)[]))),
    { minLength: 1, maxLength: 3, selector: ([address]) => address },
  ),
  subject: fc.constantFrom(...SUBJECTS),
  cause: fc.constantFrom('recipient-unknown', 'other', 'expired'),
  reply2: fc.constantFrom(...REPLIES),
})

const result = fc.constantFrom('pass', 'fail', 'none')

const routedMail = fc.record({
  kind: fc.constant('routed'),
  domain: fc.nat(1),
  recipient: fc.constantFrom('Info', 'sales'),
  from: fc.constantFrom(...ADDRESSES, ''),
  rule: fc.constantFrom('r1', 'r2', null),
  results: fc.option(fc.record({ spf: result, dkim: result, dmarc: result, arc: result }), {
    nil: undefined,
  }),
  isSpam: fc.boolean(),
  isNdr: fc.boolean(),
  subject: fc.constantFrom(...SUBJECTS),
  reason: fc.option(fc.constantFrom(...REPLIES), { nil: undefined }),
  end: fc.constantFrom(
    'dropped',
    'handled',
    'rejected',
    'failed',
    'forwarded',
    'put-off',
    'bounced',
    'expired',
    'late',
  ),
})

const suppressedMail = fc.record({
  kind: fc.constant('suppressed'),
  domain: fc.nat(1),
  recipient: fc.constantFrom(...ADDRESSES),
})

/** A message with its time, in ms from the start of three days, and an id that says when it was made or does not. */
export const message = fc.record({
  mail: fc.oneof(
    { arbitrary: sentMail, weight: 3 },
    { arbitrary: routedMail, weight: 3 },
    { arbitrary: suppressedMail, weight: 1 },
  ),
  after: fc.oneof(
    fc.nat(3 * 86_400_000 - 1),
    fc.constantFrom(0, 999, 1000, 1999, 60_000, 3_600_000, 86_400_000 - 1, 86_400_000),
  ),
  gap: fc.constantFrom(0, 1, 400, 70_000, 5_000_000, 40_000_000),
  plainId: fc.boolean(),
  salt: fc.nat(0xffff),
})

type Message = typeof message extends fc.Arbitrary<infer M> ? M : never

interface Happening {
  readonly event: MailEvent
  /** Without what the whole list decides. */
  readonly rows: readonly { readonly fields: Partial<ModelRow['fields']>; readonly counted: boolean }[]
}

/** What happened, in order, and the rows that should come of it. */
export function happenings(messages: readonly Message[], domains: readonly SomeDomain[], start: number) {
  const all = messages.flatMap((one, index) => story(one, index, domains, start))
  const inOrder = all
    .map((happening, index) => ({ happening, index }))
    .sort((one, other) => one.happening.event.at - other.happening.event.at || one.index - other.index)
    .map(({ happening }) => happening)
  const rows: (ModelRow & { counted: boolean })[] = []
  const lastOf = new Map<string, ModelRow>()
  for (const [order, { event, rows: drafts }] of inOrder.entries()) {
    for (const [ordinal, { fields, counted }] of drafts.entries()) {
      const row = {
        ...{ at: event.at, order, ordinal, counted, last: counted ? (1 as const) : (0 as const) },
        fields: { ...NOTHING, ...fields, zoneTag: zoneOf(event, domains), type: event.type },
      }
      if (counted && event.messageId !== null) {
        const key = `${event.messageId} ${row.fields.to}`
        const before = lastOf.get(key)
        if (before) before.last = 0
        lastOf.set(key, row)
      }
      rows.push(row)
    }
  }
  return { events: inOrder.map(({ event }) => event), rows }
}

const NOTHING = {
  ...{ status: '', type: '', eventType: '', sendingDomain: '', errorCause: '', action: '', ruleMatched: '' },
  ...{ arc: '', dkim: '', dmarc: '', spf: '', zoneTag: '', isSpam: 0, isNDR: 0 },
  ...{ from: '', to: '', envelopeTo: '', subject: '', messageId: '', sessionId: '', errorDetail: '' },
} as const

function zoneOf({ domainId }: MailEvent, domains: readonly SomeDomain[]): string {
  return domains.find(({ id }) => id === domainId)?.zoneId ?? ''
}

function idOf({ after, plainId, salt }: Message, index: number, start: number): string {
  const tail = `${salt.toString(16).padStart(4, '0')}${index.toString(16).padStart(4, '0')}`
  if (plainId) return `${'f'.repeat(24)}${tail}`
  return `${(start + after).toString(16).padStart(12, '0')}70008000${'0'.repeat(4)}${tail}`
}

function story(
  one: Message,
  index: number,
  domains: readonly SomeDomain[],
  start: number,
): readonly Happening[] {
  const { mail, after, gap } = one
  const domain = domains[mail.domain]
  if (!domain) return []
  const messageId = idOf(one, index, start)
  const base = {
    accountId: domain.accountId,
    domainId: domain.id,
    messageId,
    terminal: false,
    deliveryId: `${index}`,
  }
  const at = start + after
  switch (mail.kind) {
    case 'suppressed': {
      const sender = `news@${domain.name}`
      const event = { ...base, at, type: 'rejected', messageId: null, deliveryId: null } as const
      const fields = {
        ...ofSent(domain, sender, mail.recipient, ''),
        status: 'rejected',
        errorCause: 'suppressed',
        messageId: '',
        eventType: 'newEmail',
      }
      return [
        {
          event: { ...event, detail: { sender, recipient: mail.recipient, cause: 'suppressed' } },
          rows: [{ fields, counted: true }],
        },
      ]
    }
    case 'sent':
      return sentStory(mail, { base, at, gap, domain })
    default:
      return routedStory(mail, { base, at, gap, domain })
  }
}

interface Around {
  readonly base: Omit<MailEvent, 'type' | 'detail' | 'at'>
  readonly at: number
  readonly gap: number
  readonly domain: SomeDomain
}

const SENT_WORDS: Partial<Record<EventType, string>> = {
  accepted: 'sent',
  delivered: 'delivered',
  bounced: 'deliveryFailed',
  failed: 'failed',
  dropped: 'failed',
}

function ofSent(domain: SomeDomain, sender: string, to: string, subject: string) {
  return {
    ...{ from: sender, to, envelopeTo: to, subject: kept(subject), sendingDomain: domain.name },
    ...{ arc: 'none', spf: 'pass', dkim: 'fail', dmarc: 'none' },
  }
}

function kept(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed()
}

function sentStory(
  mail: typeof sentMail extends fc.Arbitrary<infer M> ? M : never,
  { base, at, gap, domain }: Around,
): readonly Happening[] {
  const sender = `news@${domain.name}`
  const same = (to: string) => ({
    ...ofSent(domain, sender, to, mail.subject),
    messageId: `<${base.messageId}@${domain.name}>`,
    eventType: mail.reply ? 'reply' : 'newEmail',
  })
  const recipients = mail.recipients.map(([address]) => address)
  const accepted: EventDetail = {
    ...{ sender, recipients, subject: mail.subject },
  }
  const first: Happening = {
    event: {
      ...{ ...base, at, type: 'accepted', deliveryId: null },
      detail: mail.reply ? { ...accepted, worker: { scriptName: 'w', call: 'reply' } } : accepted,
    },
    rows: recipients.map((to) => ({ fields: { ...same(to), status: 'sent' }, counted: true })),
  }
  const later = mail.recipients.flatMap(([recipient, end]) =>
    ENDS[end].map((type, step): Happening => {
      const isOperators = type === 'held' || type === 'released' || type === 'dropped'
      const isTrouble = type === 'deferred' || type === 'bounced' || type === 'failed'
      const detail: EventDetail = {
        ...{ sender, recipient, subject: mail.subject },
        ...(!isOperators && type !== 'complained' && { attempt: step + 1, smtpReply: mail.reply2 }),
        ...(isTrouble && { cause: mail.cause }),
        ...(type === 'complained' && { feedbackType: 'abuse' }),
      }
      const status = SENT_WORDS[type] ?? ''
      return {
        event: {
          ...base,
          at: at + gap * (step + 1),
          type,
          deliveryId: `${base.deliveryId}-${recipient}`,
          detail,
        },
        rows: [
          {
            fields: {
              ...{ ...same(recipient), status, errorCause: isTrouble ? mail.cause : '' },
              errorDetail: isTrouble ? mail.reply2 : type === 'complained' ? 'abuse' : '',
            },
            counted: status !== '',
          },
        ],
      }
    }),
  )
  return [first, ...later]
}

const FORWARD_ENDS = {
  forwarded: ['delivered'],
  'put-off': ['deferred', 'accepted', 'held', 'delivered'],
  bounced: ['bounced'],
  expired: ['accepted', 'deferred', 'failed'],
  late: ['accepted', 'delivered', 'bounced'],
} as const satisfies Record<string, readonly EventType[]>

const FORWARD_WORDS: Partial<Record<EventType, string>> = {
  delivered: 'forwarded',
  bounced: 'deliveryFailed',
  failed: 'deliveryFailed',
}

function routedStory(
  mail: typeof routedMail extends fc.Arbitrary<infer M> ? M : never,
  { base, at, gap, domain }: Around,
): readonly Happening[] {
  const isForward = mail.end in FORWARD_ENDS
  const action = isForward ? 'forward' : mail.end === 'dropped' ? 'drop' : 'worker'
  const recipient = `${mail.recipient}@${domain.name}` as Address
  const routed: Routed = {
    ...{ ruleId: mail.rule, action, recipient, isSpam: mail.isSpam, isNdr: mail.isNdr, sessionId: 's1' },
    ...{
      remoteAddress: '192.0.2.1',
      ...mail.results,
      ...(mail.reason !== undefined && { reason: mail.reason }),
    },
  }
  const same = {
    ...{ from: mail.from, to: recipient, envelopeTo: recipient, subject: kept(mail.subject) },
    ...{ sendingDomain: domain.name, action, ruleMatched: mail.rule ?? '', messageId: base.messageId ?? '' },
    ...{ ...mail.results, isSpam: mail.isSpam ? 1 : 0, isNDR: mail.isNdr ? 1 : 0, sessionId: 's1' },
  }
  const detail = { sender: mail.from, subject: mail.subject, routed }
  if (!isForward) {
    const type = mail.end as 'dropped' | 'handled' | 'rejected' | 'failed'
    const fields = {
      ...{ ...same, eventType: 'incoming', status: type === 'failed' ? 'error' : type },
      errorDetail: type === 'handled' ? '' : (mail.reason ?? ''),
    }
    return [
      { event: { ...base, at, type, detail: { ...detail, recipient } }, rows: [{ fields, counted: true }] },
    ]
  }
  const destination = 'dest@y.example'
  return FORWARD_ENDS[mail.end as keyof typeof FORWARD_ENDS].map((type, step): Happening => {
    // What came back by mail, and an operator's word, say nothing of the routing.
    const isBare = type === 'held' || (mail.end === 'late' && type === 'bounced')
    const status = FORWARD_WORDS[type] ?? ''
    const told: EventDetail =
      type === 'accepted'
        ? { ...detail, recipients: [destination] }
        : isBare
          ? { sender: mail.from, subject: mail.subject, recipient: destination }
          : { ...detail, recipient: destination, attempt: step + 1, smtpReply: '250 2.0.0 ok' }
    const isFine = type === 'accepted' || type === 'delivered'
    const why = isBare ? '' : (mail.reason ?? '250 2.0.0 ok')
    return {
      event: { ...base, at: at + gap * step, type, detail: told },
      rows: [
        {
          fields: { ...same, eventType: 'forward', status, errorDetail: isFine ? '' : why },
          counted: status !== '',
        },
      ],
    }
  })
}

/** The value of a field, as an answer gives it. */
export function valueOf(row: ModelRow, field: Field): FieldValue {
  if (field === 'isLastEvent') return row.last
  if (isTimeName(field)) return row.at - (row.at % INTERVALS[field])
  return row.fields[field]
}

function isTimeName(field: Field): field is TimeName {
  return field in INTERVALS
}

/** Whether a row passes a filter. */
export function passes(row: ModelRow, filter: Filter): boolean {
  if ('and' in filter) return filter.and.every((one) => passes(row, one))
  if ('or' in filter) return filter.or.some((one) => passes(row, one))
  const { field } = filter
  const value = valueOf(row, field)
  if (filter.is === 'contains') return lower(value).includes(lower(filter.text))
  if (filter.is === 'like') return likeness(filter.pattern).test(String(value))
  const same = (other: FieldValue) => comparable(field, value) === comparable(field, other)
  if ('values' in filter) return filter.values.some(same) === (filter.is === 'in')
  const order = compare(value, filter.value)
  const answers = {
    ...{ eq: same(filter.value), neq: !same(filter.value) },
    ...{ gt: order > 0, geq: order >= 0, lt: order < 0, leq: order <= 0 },
  }
  return answers[filter.is]
}

function comparable(field: Field, value: FieldValue): FieldValue {
  if (field === 'from' || field === 'to' || field === 'envelopeTo') return lower(value)
  return field === 'messageId' ? (/^<?([0-9a-f]{32})(@.*)?$/.exec(String(value))?.[1] ?? value) : value
}

function lower(value: FieldValue): string {
  return String(value).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** By the octets of UTF-8. */
export function compare(one: FieldValue, other: FieldValue): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other
  return Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)))
}

function likeness(pattern: string): RegExp {
  const source = pattern.replaceAll(/\\([\s\S])|[\s\S]/gu, (all: string, escaped: string | undefined) => {
    if (escaped !== undefined) return RegExp.escape(escaped)
    return all === '%' ? '[\\s\\S]*' : all === '_' ? '[\\s\\S]' : RegExp.escape(all)
  })
  return new RegExp(`^${source}$`, 'u')
}
