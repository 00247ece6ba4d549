import type { OriginDomain, OutboxEvent } from '#analytics/outbox-event.ts'
import type { Address } from '#model/address.ts'
import type { EventDetail, MailEvent } from '#model/event.ts'
import type { SomeDomain } from '#test/history-world.ts'

const random = seeded(42)

/** Mulberry32: the same traffic in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function pick<T>(list: readonly T[]): T {
  const one = list[Math.floor(random() * list.length)]
  if (one === undefined) throw new Error('an empty list')
  return one
}

/** The earlier ones are the more likely. */
function skewed<T>(list: readonly T[]): T {
  return list[Math.floor(random() * random() * list.length)] ?? pick(list)
}

/** A UUIDv7 of a time. */
function idAt(at: number): string {
  const digits = (many: number) =>
    Array.from({ length: many }, () => Math.floor(random() * 16).toString(16)).join('')
  return `${at.toString(16).padStart(12, '0')}7${digits(3)}8${digits(15)}`
}

export const RULES = Array.from({ length: 100 }, () => idAt(0))
const CAUSES = [
  ...(['recipient-unknown', 'content-spam', 'sender-blocked', 'recipient-full'] as const),
  ...(['policy', 'relay-denied', 'recipient-disabled', 'other'] as const),
]
const PROVIDERS = ['gmail.example', 'outlook.example', 'yahoo.example', 'gmx.example', 'corp.example']
const DIALOGUE = [
  'c: EHLO a',
  's: 250-b 250 PIPELINING',
  'c: MAIL FROM:<x>',
  's: 250 ok',
  'c: DATA',
  's: 354 go on',
]

/** What one message makes, each with how long after the first it comes, in ms. */
type Story = readonly { readonly after: number; readonly event: Omit<MailEvent, 'at' | 'accountId'> }[]

function sent(domains: readonly SomeDomain[], at: number): Story {
  const domain = skewed(domains)
  const sender = `${pick(['news', 'billing', 'hello', 'noreply'])}@${domain.name}`
  const many = random() < 0.05 ? 3 : 1
  const recipients = Array.from(
    { length: many },
    () => `user${Math.floor(random() * 500_000)}@${skewed(PROVIDERS)}`,
  )
  const subject = `Your order ${Math.floor(random() * 1e6)} is on its way`
  const same = { domainId: domain.id, messageId: idAt(at) }
  const first = { ...same, type: 'accepted', deliveryId: null, terminal: false } as const
  return [
    { after: 0, event: { ...first, detail: { sender, recipients, subject, size: 5000 } } },
    ...recipients.flatMap((recipient): Story => {
      const delivery = { ...same, deliveryId: idAt(at) }
      const detail: EventDetail = {
        ...{
          sender,
          recipient,
          subject,
          attempt: 1,
          host: 'mx.example',
          address: '192.0.2.1',
          durationMs: 420,
        },
        ...{
          tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
          dialogue: DIALOGUE,
          smtpStatus: 250,
          smtpReply: '250 2.0.0 ok',
        },
      }
      const luck = random()
      const put = {
        ...delivery,
        type: 'deferred',
        terminal: false,
        detail: { ...detail, cause: 'greylisted' },
      } as const
      const gone = { ...delivery, type: 'delivered', terminal: true, detail } as const
      if (luck < 0.9) return [{ after: 400, event: gone }]
      if (luck < 0.95)
        return [
          { after: 400, event: put },
          { after: 600_000, event: gone },
        ]
      const refused = {
        ...detail,
        cause: skewed(CAUSES),
        smtpReply: '550 5.1.1 no such user',
        smtpStatus: 550,
      }
      const type = luck < 0.99 ? 'bounced' : 'failed'
      return [{ after: 500, event: { ...delivery, type, terminal: true, detail: refused } }]
    }),
  ]
}

function routed(domains: readonly SomeDomain[], at: number): Story {
  const domain = skewed(domains)
  const recipient = `${pick(['info', 'sales', 'support', 'jobs'])}@${domain.name}` as Address
  const luck = random()
  const type =
    luck < 0.8
      ? 'delivered'
      : luck < 0.9
        ? 'handled'
        : luck < 0.95
          ? 'dropped'
          : luck < 0.99
            ? 'rejected'
            : 'bounced'
  const action = type === 'handled' ? 'worker' : type === 'dropped' ? 'drop' : 'forward'
  return [
    {
      after: 0,
      event: {
        ...{ type, terminal: true, domainId: domain.id, messageId: idAt(at), deliveryId: idAt(at) },
        detail: {
          sender: `someone${Math.floor(random() * 100_000)}@${skewed(PROVIDERS)}`,
          ...{ recipient, subject: `Question ${Math.floor(random() * 1e6)}`, size: 20_000 },
          ...(action === 'forward' &&
            type !== 'rejected' && { attempt: 1, smtpReply: '250 ok', host: 'mx.example' }),
          routed: {
            ...{ ruleId: skewed(RULES), action, recipient, sessionId: idAt(at), remoteAddress: '192.0.2.7' },
            spf: skewed(['pass', 'softfail', 'fail', 'none', 'neutral']),
            dkim: skewed(['pass', 'none', 'fail']),
            dmarc: skewed(['pass', 'none', 'fail']),
            arc: skewed(['none', 'pass', 'fail']),
            ...{ isSpam: random() < 0.05, isNdr: random() < 0.02 },
          },
        },
      },
    },
  ]
}

/** Events of many messages of five domains' sent and routed mail, the same in every run, in the order of time. Each story begins so long after the one before. */
export function* traffic(
  domains: readonly SomeDomain[],
  from: number,
  gapMs: number,
): Generator<MailEvent, never, undefined> {
  const accountId = domains[0]?.accountId ?? ''
  // Events that come equally long after their message come in its order.
  const queues = new Map<number, MailEvent[]>()
  for (let clock = from; ; clock += gapMs) {
    const at = Math.floor(clock)
    const story = random() < 0.6 ? sent(domains, at) : routed(domains, at)
    for (const { after, event } of story) {
      queues.getOrInsert(after, []).push({ ...event, at: at + after, accountId })
    }
    for (;;) {
      const due = [...queues.values()].filter((queue) => (queue[0]?.at ?? Infinity) <= at)
      const [first] = due.sort((one, other) => (one[0]?.at ?? 0) - (other[0]?.at ?? 0))
      const next = first?.shift()
      if (!next) break
      yield next
    }
  }
}

/** As a projector reads it. */
export function fromOutbox(
  event: MailEvent,
  seq: number,
  origins: ReadonlyMap<string, OriginDomain>,
): OutboxEvent {
  const { at, accountId, messageId, deliveryId, terminal, type, detail } = event
  return {
    ...{ seq, id: idAt(at), at, accountId, messageId, deliveryId, terminal, type, detail },
    domain: origins.get(event.domainId ?? ''),
    detailJson: JSON.stringify(detail),
  }
}
