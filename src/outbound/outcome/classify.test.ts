import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { classifyReply, type Phase } from './classify.ts'

const cases: [Phase, number, string | undefined, string, string, boolean, string | undefined][] = [
  ['rcpt', 550, '5.1.1', 'The email account does not exist', 'recipient-unknown', true, 'hard_bounce'],
  ['rcpt', 550, undefined, 'No such user here', 'recipient-unknown', true, 'hard_bounce'],
  ['rcpt', 550, undefined, 'User unknown', 'recipient-unknown', true, 'hard_bounce'],
  ['rcpt', 550, '5.2.1', 'mailbox disabled', 'recipient-disabled', true, 'hard_bounce'],
  ['rcpt', 452, '4.2.2', 'over quota', 'recipient-full', false, 'soft_bounce'],
  ['content', 552, '5.2.2', 'mailbox full', 'recipient-full', true, 'soft_bounce'],
  ['rcpt', 550, '5.7.1', 'Message rejected due to policy', 'policy', true, undefined],
  ['mail', 550, '5.7.26', 'unauthenticated, DMARC', 'sender-authentication', true, undefined],
  ['content', 550, undefined, 'Message rejected as spam', 'content-spam', true, undefined],
  ['content', 550, undefined, 'user unknown', 'other', true, undefined],
  ['mail', 550, undefined, 'sender address unknown user', 'sender-refused', true, undefined],
  ['rcpt', 451, '4.7.1', 'Greylisted, try again later', 'greylisted', false, undefined],
  ['rcpt', 421, '4.7.0', 'rate limited', 'sender-rate-limited', false, undefined],
  ['rcpt', 450, '4.1.1', 'user unknown', 'recipient-unknown', false, undefined],
  ['rcpt', 550, undefined, 'Sender account disabled', 'sender-refused', true, undefined],
  ['rcpt', 550, undefined, 'Your IP is blocked; account disabled', 'sender-blocked', true, undefined],
  ['rcpt', 550, undefined, 'sender address unknown', 'sender-refused', true, undefined],
  [
    'rcpt',
    550,
    undefined,
    'Requested action not taken: mailbox unavailable',
    'recipient-refused',
    true,
    'hard_bounce',
  ],
  [
    'rcpt',
    550,
    undefined,
    'Recipient address rejected: User unknown in virtual mailbox table',
    'recipient-unknown',
    true,
    'hard_bounce',
  ],
  ['rcpt', 550, undefined, 'Recipient address rejected: Access denied', 'policy', true, undefined],
  ['data', 451, undefined, 'local error', 'system', false, undefined],
  ['rcpt', 552, undefined, 'exceeded storage allocation', 'recipient-full', true, 'soft_bounce'],
  ['rcpt', 550, '5.0.0', 'mailbox is full', 'recipient-full', true, 'soft_bounce'],
  // The host's own disk, the message's size and limits on the sender are not about the mailbox.
  ['mail', 452, '4.3.1', 'Insufficient disk space', 'system', false, undefined],
  ['mail', 452, undefined, 'insufficient storage', 'system', false, undefined],
  ['rcpt', 452, undefined, 'insufficient system storage', 'system', false, undefined],
  ['rcpt', 552, '5.3.4', 'message too big', 'content-too-large', true, undefined],
  ['rcpt', 451, '4.3.2', 'too many connections', 'sender-rate-limited', false, undefined],
  [
    'rcpt',
    450,
    '4.2.1',
    'the user is receiving mail too quickly',
    'recipient-rate-limited',
    false,
    undefined,
  ],
  // Before RCPT nobody has named the mailbox.
  ['mail', 550, '5.1.1', 'sender unknown', 'sender-refused', true, undefined],
  ['connect', 554, '5.2.1', 'mailbox disabled', 'other', true, undefined],
]

for (const [phase, code, enhanced, text, cause, permanent, reason] of cases) {
  test(`${code} ${enhanced ?? ''} "${text}" at ${phase} is ${cause}`, () => {
    const classified = classifyReply(phase, code, enhanced, text)
    assert.equal(classified.cause, cause)
    assert.equal(classified.permanent, permanent)
    assert.equal(classified.suppression?.reason, reason)
  })
}

test('promise 7: a temporary failure never suppresses as a hard bounce, and no policy failure suppresses at all', () => {
  const phase = fc.constantFrom<Phase>('connect', 'mail', 'rcpt', 'data', 'content')
  fc.assert(
    fc.property(
      phase,
      fc.integer({ min: 400, max: 599 }),
      fc.option(fc.constantFrom('1.1', '2.1', '2.2', '7.1', '4.1', '0.0')),
      fc.string(),
      (phase, code, detail, text) => {
        const enhanced = detail === null ? undefined : `${Math.floor(code / 100)}.${detail}`
        const classified = classifyReply(phase, code, enhanced, text)
        if (code < 500) assert.notEqual(classified.suppression?.reason, 'hard_bounce')
        if (phase === 'connect' || phase === 'mail') assert.equal(classified.suppression, undefined)
        if (classified.class !== 'recipient') assert.equal(classified.suppression, undefined)
        if (classified.cause === 'recipient-full') assert.equal(classified.suppression?.reason, 'soft_bounce')
        assert.ok(!classified.hard || code >= 500)
      },
    ),
  )
})
