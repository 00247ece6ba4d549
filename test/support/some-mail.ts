import * as fc from 'fast-check'
import type { Cause, MailEvent } from '#model/event.ts'
import type { Routed } from '#model/routing.ts'
import { newId } from '#store/id.ts'
import type { SomeDomain } from './history-world.ts'
import { address } from './suppressions-world.ts'

/** Mail as it may happen: sent to several people and what became of it, refused, and routed in every way. */
export const LOCAL_PARTS = ['a', 'A', 'under_score', '100%', "o'neil", '=cmd', '+plus', 'ü', 'back`tick']
export const DOMAINS = ['example.com', 'xn--bcher-kva.example', 'a-b.example']
export const SUBJECTS = [
  ...['', 'Hello', 'HELLO', '100%_off', '100 off', '=HYPERLINK("http://x.test")', '@SUM(1)', '-1+1'],
  ...['a\\b', 'two\r\nlines', '[x]*?', 'Grüße, ß', '😀 smile', "it's; --", '\tTab', '＝full', 'a\u0000b'],
]
export const CAUSES: readonly Cause[] = ['recipient-unknown', 'recipient-full', 'content-spam', 'dns']
export const RULES = ['1'.repeat(32), 'ab'.repeat(16)]
/** Of mail that comes in, in the headers of its messages: several may have the same. */
export const HEADER_IDS = [
  '<One@mail.example>',
  '<two.2@mail.example>',
  'no brackets',
  `<${'ab'.repeat(16)}@other.example>`,
]
const REPLIES = ['550 5.1.1 No such user', '452 4.2.2 Full_100%', '250 2.0.0 Ok', '=1+1', '']

/** How long ago it was, in ms. */
const AGES = [
  ...[0, 1, 999, 1000, 1001, 60_000, 29 * 60_000, 30 * 60_000, 31 * 60_000, 2 * 3_600_000],
  ...[25 * 3_600_000, 9 * 86_400_000, 29 * 86_400_000 + 1],
]

const recipient = fc
  .tuple(fc.constantFrom(...LOCAL_PARTS), fc.constantFrom(...DOMAINS))
  .map(([local, domain]) => address(`${local}@${domain}`))
const subject = fc.constantFrom(...SUBJECTS)
const reply = fc.constantFrom(...REPLIES)

interface Place {
  readonly domain: SomeDomain
  readonly now: number
}

const sent = fc
  .record({
    local: fc.constantFrom(...LOCAL_PARTS),
    recipients: fc.uniqueArray(recipient, { minLength: 1, maxLength: 3 }),
    subject,
    ends: fc.array(fc.constantFrom('delivered', 'bounced', 'deferred', 'failed', 'complained'), {
      maxLength: 4,
    }),
    cause: fc.constantFrom(...CAUSES),
    reply,
    age: fc.constantFrom(...AGES),
    step: fc.constantFrom(0, 1, 1500),
  })
  .map(({ local, recipients, subject, ends, cause, reply, age, step }) => ({ domain, now }: Place) => {
    const sender = address(`${local}@${domain.name}`)
    const of = { accountId: domain.accountId, domainId: domain.id, messageId: newId() }
    const at = now - age - 10_000
    const accepted: MailEvent = {
      ...{ ...of, type: 'accepted', at, deliveryId: null, terminal: false },
      detail: { sender, recipients, subject, size: 1000 },
    }
    const later = ends.map(
      (type, index): MailEvent => ({
        ...{ ...of, type, at: at + index * step, deliveryId: newId(), terminal: false },
        detail: {
          ...{
            sender,
            recipient: recipients[index % recipients.length] ?? sender,
            subject,
            smtpReply: reply,
          },
          ...(type !== 'delivered' && { cause }),
          attempt: index + 1,
        },
      }),
    )
    return [accepted, ...later]
  })

const refused = fc
  .record({ recipient, subject, age: fc.constantFrom(...AGES) })
  .map(({ recipient, subject, age }) => ({ domain, now }: Place): readonly MailEvent[] => [
    {
      ...{ accountId: domain.accountId, domainId: domain.id, messageId: null, deliveryId: null },
      ...{ type: 'rejected', at: now - age, terminal: true },
      detail: { sender: `a@${domain.name}`, recipient, subject, cause: 'suppressed' },
    },
  ])

const routed = fc
  .record({
    sender: fc.oneof(recipient, fc.constant('')),
    local: fc.constantFrom(...LOCAL_PARTS),
    subject,
    type: fc.constantFrom('delivered', 'bounced', 'rejected', 'dropped', 'handled', 'failed', 'accepted'),
    action: fc.constantFrom<Routed['action']>('forward', 'worker', 'drop', 'none'),
    ruleId: fc.constantFrom(null, ...RULES),
    headerMessageId: fc.constantFrom(undefined, ...HEADER_IDS),
    spf: fc.constantFrom('pass', 'fail', undefined),
    isSpam: fc.boolean(),
    isNdr: fc.boolean(),
    reply,
    age: fc.constantFrom(...AGES),
  })
  .map(
    ({ sender, local, subject, type, action, ruleId, headerMessageId, spf, isSpam, isNdr, reply, age }) =>
      ({ domain, now }: Place): readonly MailEvent[] => [
        {
          ...{ accountId: domain.accountId, domainId: domain.id, messageId: newId(), deliveryId: null },
          ...{ type, at: now - age, terminal: true },
          detail: {
            ...{ sender, subject },
            ...(headerMessageId !== undefined && { headerMessageId }),
            ...(action === 'forward' && { attempt: 1, smtpReply: reply }),
            routed: {
              ...{ ruleId, action, recipient: address(`${local}@${domain.name}`), isSpam, isNdr },
              ...{ sessionId: 's1', remoteAddress: '192.0.2.1', reason: reply },
              ...(spf !== undefined && { spf, dkim: spf, dmarc: spf, arc: 'none' }),
            },
          },
        },
      ],
  )

const someMail = fc.oneof({ arbitrary: sent, weight: 3 }, refused, { arbitrary: routed, weight: 2 })

/** The same for the same seed. Later events of a message come after earlier ones. */
export function mailOf(
  domains: readonly SomeDomain[],
  { now, messages, seed }: { readonly now: number; readonly messages: number; readonly seed: number },
): readonly MailEvent[] {
  return fc.sample(someMail, { numRuns: messages, seed }).flatMap((happen, index) => {
    const domain = domains[index % domains.length]
    return domain ? happen({ domain, now }) : []
  })
}
