import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readDeliveryStatus } from './delivery-status.ts'

const REPORT = `Reporting-MTA: dns; mx.example.net
Arrival-Date: Thu, 29 Apr 2021 23:34:45 +0900

Final-Recipient: rfc822; <jane@example.com>
Original-Recipient: rfc822;j.doe@example.org
Action: failed
Status: 5.0.0
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550-5.1.1 The account does not
    exist. 550 5.1.1 Really (in reply to RCPT TO command)

Final-Recipient: rfc822; joe@example.com
Action: delayed
Status: 4.4.1
`

test('RFC 3464 §2: one recipient for each group of fields, folds and all', () => {
  assert.deepEqual(readDeliveryStatus(REPORT), [
    {
      recipient: 'jane@example.com',
      originalRecipient: 'j.doe@example.org',
      action: 'failed',
      // The field says "some failure"; the server said which.
      status: '5.1.1',
      replyCode: 550,
      phase: 'rcpt',
      diagnostic: '550-5.1.1 The account does not exist. 550 5.1.1 Really (in reply to RCPT TO command)',
      remoteHost: 'mail.example.com',
    },
    { recipient: 'joe@example.com', action: 'delayed', status: '4.4.1' },
  ])
})

test('line ends and blank lines may be anything', () => {
  assert.deepEqual(readDeliveryStatus(REPORT.replaceAll('\n', '\r\n')), readDeliveryStatus(REPORT))
  const dense = REPORT.replaceAll(/\n\n/g, '\n')
  assert.deepEqual(
    readDeliveryStatus(dense).map(({ recipient, status }) => [recipient, status]),
    [
      ['jane@example.com', '5.1.1'],
      ['joe@example.com', '4.4.1'],
    ],
  )
})

test('fields of a recipient come in any order, in a group of their own too', () => {
  const [amazon] = readDeliveryStatus(
    'Action: failed\nFinal-Recipient: rfc822; a@b.example\nDiagnostic-Code: smtp; 554 no\nStatus: 5.7.1\n',
  )
  assert.deepEqual([amazon?.action, amazon?.replyCode, amazon?.status], ['failed', 554, '5.7.1'])
  const [split] = readDeliveryStatus(
    'Final-Recipient: rfc822; a@b.example\n\nAction: delayed\nStatus: 4.2.2\n',
  )
  assert.deepEqual([split?.recipient, split?.action, split?.status], ['a@b.example', 'delayed', '4.2.2'])
})

for (const [written, read] of [
  ['rfc822; jane@example.com', 'jane@example.com'],
  ['<jane@example.com>', 'jane@example.com'],
  // RFC 6533 §3
  ['utf-8; j\\x{E4}ne@example.com', 'jäne@example.com'],
  // RFC 3461 §4, left by a host that should have decoded it
  ['rfc822; jane+40example.com', 'jane@example.com'],
  ['rfc822; "jane doe"@example.com', '"jane doe"@example.com'],
  ['rfc822; /var/spool/mail/jane', '/var/spool/mail/jane'],
] as const) {
  test(`the recipient of ${written} is ${read}`, () => {
    assert.equal(readDeliveryStatus(`Final-Recipient: ${written}\nAction: failed\n`)[0]?.recipient, read)
  })
}

test('a file or a program behind an address gives way to the address', () => {
  const [only] = readDeliveryStatus(
    'Final-Recipient: rfc822; |/usr/bin/procmail\nOriginal-Recipient: rfc822; jane@example.com\nAction: failed\n',
  )
  assert.equal(only?.recipient, 'jane@example.com')
})

test('any text reads, to one-line texts of bounded length', () => {
  const line = fc.oneof(
    fc.constantFrom(
      'Final-Recipient: rfc822; a@b.c',
      'Action: failed',
      'Status: 5.1.1',
      '',
      '  folded',
      'Action:',
    ),
    fc.string(),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      for (const recipient of readDeliveryStatus(lines.join('\r\n'))) {
        for (const value of Object.values(recipient)) {
          if (typeof value !== 'string') continue
          assert.ok(value.length <= 2_000)
          assert.ok(!/[\r\n]/.test(value))
        }
      }
    }),
  )
})

test('a bomb of recipients or of folds gives a bounded answer', () => {
  const many = 'Final-Recipient: rfc822; a@b.example\nAction: failed\n\n'.repeat(50_000)
  assert.ok(readDeliveryStatus(many).length <= 100)
  const [folded] = readDeliveryStatus(
    `Final-Recipient: rfc822; a@b.c\nDiagnostic-Code: x;${'\n y'.repeat(500_000)}`,
  )
  assert.ok((folded?.diagnostic?.length ?? 0) <= 2_000)
})
