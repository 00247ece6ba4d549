import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readReturnedMail } from './bounce-report.ts'

const ARF = `From: fbl@example.net
To: complaints@example.com
Subject: FW: Hello
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Loop/1.0
Version: 1
Original-Mail-From: <tag@cf-bounce.example.com>
Original-Rcpt-To: <jane@example.net>
Original-Rcpt-To: joe@example.net
Reported-Domain: example.com
Source-IP: 192.0.2.1
Arrival-Date: Thu, 8 Mar 2025 14:00:00 EDT
--b
Content-Type: message/rfc822

Return-Path: <tag@cf-bounce.example.com>
Received: from mail.example.com by mx.example.net
From: Shop <shop@example.com>
To: jane@example.net
Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=
Message-ID: <1@example.com>
CFBL-Feedback-ID: aabbcc
Feedback-ID: 1:2:3

Hello
--b--
`

function complaint(mail: string) {
  const read = readReturnedMail(Buffer.from(mail))
  assert.equal(read.kind, 'complaint')
  return read.reports
}

test('RFC 5965: every field that resolves a complaint, and the header of the message', () => {
  assert.deepEqual(complaint(ARF), [
    {
      feedbackType: 'abuse',
      recipients: ['jane@example.net', 'joe@example.net'],
      originalMailFrom: 'tag@cf-bounce.example.com',
      reportedDomains: ['example.com'],
      sourceIp: '192.0.2.1',
      arrivalDate: 'Thu, 8 Mar 2025 14:00:00 EDT',
      userAgent: 'Loop/1.0',
      original: {
        messageId: '<1@example.com>',
        from: 'shop@example.com',
        to: ['jane@example.net'],
        subject: 'Grüße',
        returnPath: 'tag@cf-bounce.example.com',
        feedbackId: '1:2:3',
        cfblFeedbackId: 'aabbcc',
        envelopeRecipient: undefined,
      },
    },
  ])
})

test('a redacted recipient stays what it is: text without an address', () => {
  const [report] = complaint(ARF.replaceAll(/^Original-Rcpt-To: .*$/gm, 'Original-Rcpt-To: redacted'))
  assert.deepEqual(report?.recipients, ['redacted', 'redacted'])
  const [none] = complaint(ARF.replaceAll(/^Original-Rcpt-To: .*\n/gm, ''))
  assert.deepEqual(none?.recipients, [])
})

for (const [written, read] of [
  ['ABUSE', 'abuse'],
  ['opt-out', 'opt-out'],
  ['not-spam', 'not-spam'],
  ['auth-failure', 'auth-failure'],
  ['fraud', 'fraud'],
  ['virus', 'virus'],
  ['miscategorized', 'other'],
] as const) {
  test(`Feedback-Type: ${written} is ${read}`, () => {
    assert.equal(
      complaint(ARF.replace('Feedback-Type: abuse', `Feedback-Type: ${written}`))[0]?.feedbackType,
      read,
    )
  })
}

test('several reports in one message, each with the header that follows it', () => {
  const part = ARF.slice(ARF.indexOf('--b\nContent-Type: message/feedback-report'), ARF.indexOf('--b--'))
  const reports = complaint(ARF.replace('--b--', `${part.replaceAll('<1@', '<2@')}--b--`))
  assert.deepEqual(
    reports.map(({ original }) => original?.messageId),
    ['<1@example.com>', '<2@example.com>'],
  )
})

test('the header alone will do (text/rfc822-headers), encoded or not', () => {
  assert.equal(
    complaint(ARF.replace('message/rfc822', 'text/rfc822-headers'))[0]?.original?.messageId,
    '<1@example.com>',
  )
  const [head = '', body = ''] = ARF.split('Content-Type: message/rfc822\n\n')
  const source = Buffer.from(body.replace('--b--\n', '')).toString('base64')
  const encoded = `${head}Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n${source}\n--b--\n`
  assert.equal(complaint(encoded)[0]?.original?.cfblFeedbackId, 'aabbcc')
})

test("Microsoft's reports have no report part: the recipient is in a field of the message", () => {
  const [report] = complaint(`From: staff@hotmail.com
Subject: complaint about message from 192.0.2.222
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: message/rfc822

X-HmXmrOriginalRecipient: jane@example.net
From: shop@example.com
Message-ID: <1@example.com>

Hello
--b--
`)
  assert.deepEqual(
    [report?.recipients, report?.sourceIp, report?.original?.messageId],
    [['jane@example.net'], '192.0.2.222', '<1@example.com>'],
  )
})

test('Amazon tells of complaints in JSON', () => {
  const event = {
    notificationType: 'Complaint',
    complaint: {
      complainedRecipients: [{ emailAddress: 'jane@example.net' }],
      complaintFeedbackType: 'abuse',
    },
    mail: { source: 'tag@cf-bounce.example.com', commonHeaders: { messageId: '<1@example.com>' } },
  }
  const wrapped = JSON.stringify({ Type: 'Notification', Message: JSON.stringify(event) }, undefined, 2)
  const [report] = complaint(
    `From: no-reply@sns.amazonaws.com\nSubject: AWS Notification Message\n\n${wrapped}\n\n--\nbye\n`,
  )
  assert.deepEqual(
    [report?.feedbackType, report?.recipients, report?.original?.returnPath],
    ['abuse', ['jane@example.net'], 'tag@cf-bounce.example.com'],
  )
})

test('somebody else cannot complain in the words of Microsoft', () => {
  const mail = 'From: eve@example.org\nSubject: complaint about message from 192.0.2.1\n\nHello\n'
  assert.equal(readReturnedMail(Buffer.from(mail)).kind, 'other')
})
