import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { readReturnedMail } from './bounce-report.ts'

const DAEMON =
  'Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example.net>\nTo: shop@example.com\n'
const ORIGINAL =
  'Received: from a by b\nFrom: shop@example.com\nTo: jane@example.org\nMessage-ID: <1@example.com>\n\nHello\n'

function returned(subject: string, body: string, more = '') {
  const mail = readReturnedMail(Buffer.from(`${DAEMON}${more}Subject: ${subject}\n\n${body}`))
  return 'recipients' in mail ? mail : assert.fail(`it is ${mail.kind}`)
}

/** Each as its host writes it, with two recipients where it can. */
const FORMS: readonly {
  readonly host: string
  readonly subject: string
  readonly more?: string
  readonly body: string
  readonly recipients: readonly (readonly [
    string,
    number | undefined,
    string | undefined,
    string | undefined,
  ])[]
}[] = [
  {
    host: 'Exim',
    subject: 'Mail delivery failed: returning message to sender',
    more: 'X-Failed-Recipients: jane@example.org,\n  joe@example.org\n',
    body: `This message was created automatically by mail delivery software.
The following address(es) failed:

  jane@example.org
    host mx.example.org [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<jane@example.org>:
    550 5.1.1 <jane@example.org>: User unknown
  joe@example.org
    SMTP error from remote mail server after end of data:
    host mx.example.org [192.0.2.1]: 552 5.2.2 Mailbox full

------ This is a copy of the message, including all the headers. ------

${ORIGINAL}`,
    recipients: [
      ['jane@example.org', 550, '5.1.1', 'rcpt'],
      ['joe@example.org', 552, '5.2.2', 'content'],
    ],
  },
  {
    host: 'qmail',
    subject: 'failure notice',
    body: `Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.

<jane@example.org>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 No such user
Giving up on 192.0.2.1.

<joe@example.org>:
Sorry, I couldn't find any host named example.org. (#5.1.2)

--- Below this line is a copy of the message.

${ORIGINAL}`,
    recipients: [
      ['jane@example.org', 550, '5.1.1', 'rcpt'],
      ['joe@example.org', undefined, '5.1.2', undefined],
    ],
  },
  {
    host: 'Gmail before 2016',
    subject: 'Delivery Status Notification (Failure)',
    more: 'X-Failed-Recipients: jane@example.org\n',
    body: `Delivery to the following recipient failed permanently:

     jane@example.org

Technical details of permanent failure:
The error that the other server returned was:
550 5.1.1 <jane@example.org>... User Unknown

----- Original message -----

${ORIGINAL}`,
    recipients: [['jane@example.org', 550, '5.1.1', undefined]],
  },
  {
    host: 'sendmail 5',
    subject: 'Returned mail: User unknown',
    body: `   ----- Transcript of session follows -----
While talking to mx.example.org:
>>> RCPT To:<jane@example.org>
<<< 550 No such user here
550 <jane@example.org>... User unknown
550 example.edu (smtp)... 550 Host unknown
554 <joe@example.edu>... 550 Host unknown

   ----- Unsent message follows -----
${ORIGINAL}`,
    recipients: [
      ['jane@example.org', 550, undefined, 'rcpt'],
      ['joe@example.edu', 554, undefined, undefined],
    ],
  },
  {
    host: 'Exchange 2003',
    subject: 'Undeliverable: Hello',
    body: `Your message

  To:      jane@example.org
  Subject: Hello

did not reach the following recipient(s):

jane@EXAMPLE.ORG on Thu, 29 Apr 2005 23:34:45 +0000
    The recipient name is not recognized
`,
    recipients: [['jane@EXAMPLE.ORG', undefined, undefined, undefined]],
  },
  {
    host: 'DragonFly',
    subject: 'Mail delivery failed',
    body: `There was an error delivering your mail to <jane@example.org>.

mx.example.org [192.0.2.1] did not like our final DATA:
550 5.7.1 No thanks

Message headers follow.

${ORIGINAL}`,
    recipients: [['jane@example.org', 550, '5.7.1', 'content']],
  },
  {
    host: 'OpenSMTPD',
    subject: 'Delivery status notification: error',
    body: `    An error has occurred while attempting to deliver a message for
    the following list of recipients:

jane@example.org: 550 5.2.2 Mailbox Full
joe@example.org: 550 5.1.1 User Unknown

    Below is a copy of the original message:

${ORIGINAL}`,
    recipients: [
      ['jane@example.org', 550, '5.2.2', undefined],
      ['joe@example.org', 550, '5.1.1', undefined],
    ],
  },
  {
    host: 'a carrier in Japan',
    subject: 'Mail System Error - Returned Mail',
    body: `The following recipients did not receive this message:

   <jane@example.jp>

Each of the following recipients was rejected by a remote mail server.

${ORIGINAL}`,
    recipients: [['jane@example.jp', undefined, undefined, undefined]],
  },
  {
    host: 'one that names the recipient in its sentence',
    subject: 'There was an error sending your mail',
    body: `SMTP Server <mx.example.org> rejected recipient <jane@example.org> (Error following RCPT command).
It responded as follows: [550 5.1.1 User unknown]. Ask postmaster@example.net.
`,
    recipients: [['jane@example.org', 550, '5.1.1', 'rcpt']],
  },
]

for (const { host, subject, more, body, recipients } of FORMS) {
  test(`${host}: who failed, and in which words`, () => {
    const mail = returned(subject, body, more)
    assert.equal(mail.kind, 'bounce')
    assert.deepEqual(
      mail.recipients.map((each) => [each.recipient, each.replyCode, each.status, each.phase]),
      recipients,
    )
    for (const { diagnostic } of mail.recipients) assert.ok(diagnostic)
    if (body.includes(ORIGINAL)) assert.equal(mail.original?.messageId, '<1@example.com>')
  })
}

const report = (status: string, text = 'Sorry.') => `MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b

${text}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

${status}
--b
Content-Type: message/rfc822

${ORIGINAL}
--b--
`

const read = (raw: string) => readReturnedMail(Buffer.from(raw))

test('RFC 3464: the strongest action says what the report is', () => {
  const kinds = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'].map((action) => {
    const status = `Final-Recipient: rfc822; jane@example.org\nAction: ${action}\nStatus: 5.0.0\n`
    return read(`${DAEMON}Subject: x\n${report(status)}`).kind
  })
  assert.deepEqual(kinds, ['bounce', 'delay', 'delivered', 'delivered', 'delivered'])
})

test('RFC 3464: the part for people adds what the fields leave out', () => {
  const status = 'Final-Recipient: rfc822; jane@example.org\nAction: failed\nStatus: 5.0.0\n'
  const mail = read(
    `${DAEMON}Subject: x\n${report(status, 'jane@example.org: mailbox full (in reply to end of DATA command)')}`,
  )
  assert.equal(mail.kind, 'bounce')
  assert.equal(mail.recipients[0]?.phase, 'content')
  assert.match(mail.recipients[0]?.notice ?? '', /mailbox full/)
  assert.equal(mail.original?.messageId, '<1@example.com>')
})

test('fields written into the text, quoted-printable, are read as well', () => {
  const body =
    'Technical report:\n\nAction: failed\nFinal-R=\necipient: rfc822; jane@example.org\nStatus: 5.=\n2.2\n'
  const mail = read(
    `${DAEMON}Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n${body}`,
  )
  assert.equal(mail.kind, 'bounce')
  assert.deepEqual([mail.recipients[0]?.recipient, mail.recipients[0]?.status], ['jane@example.org', '5.2.2'])
})

test('a multipart whose boundary never comes, and one in HTML alone, are read', () => {
  const lost = read(
    `${DAEMON}Subject: Undelivered Mail\nContent-Type: multipart/report; boundary=x\n\nCould not deliver:\n\n<jane@example.org>: 550 no\n`,
  )
  assert.equal('recipients' in lost && lost.recipients[0]?.recipient, 'jane@example.org')
  const html = read(
    `${DAEMON}Subject: Undeliverable: x\nContent-Type: text/html\n\n<p>Delivery has failed to these recipients:</p><p>jane@example.org<br>550 5.1.1 not found</p>`,
  )
  assert.equal('recipients' in html && html.recipients[0]?.status, '5.1.1')
})

test('a report wrapped by a filter that says nothing itself is read', () => {
  const status = 'Final-Recipient: rfc822; jane@example.org\nAction: failed\nStatus: 5.1.1\n'
  const wrapped = `${DAEMON}Subject: Returned mail\nContent-Type: multipart/mixed; boundary=o\n\n--o\n\nSorry.\n--o\nContent-Type: message/rfc822\n\n${DAEMON}Subject: x\n${report(status)}\n--o--\n`
  const mail = read(wrapped)
  assert.equal(mail.kind === 'bounce' && mail.recipients[0]?.status, '5.1.1')
})

test('Amazon tells of bounces in JSON, folded by a host on the way', () => {
  const event = JSON.stringify({
    notificationType: 'Bounce',
    bounce: {
      bounceType: 'Permanent',
      bouncedRecipients: [
        { emailAddress: 'jane@example.org', status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 user unknown' },
      ],
    },
    mail: { commonHeaders: { messageId: '<1@example.com>', to: ['jane@example.org'] } },
  })
  const folded = `${event.slice(0, 120)}\n ${event.slice(120)}\n\n--\nTo stop these …\n`
  const mail = returned('AWS Notification Message', folded)
  assert.deepEqual(mail.recipients, [
    {
      recipient: 'jane@example.org',
      action: 'failed',
      status: '5.1.1',
      replyCode: 550,
      diagnostic: '550 5.1.1 user unknown',
    },
  ])
  assert.equal(mail.original?.messageId, '<1@example.com>')
})

for (const [name, body] of [
  [
    'Exim',
    'The message has not yet been delivered to:\n\n  jane@example.org\n\nNo action is required on your part. Delivery attempts will continue for some time.\n',
  ],
  [
    'OpenSMTPD',
    'A message is delayed for more than 10 minutes for:\n\njane@example.org: Network error\n\n Please note that this is only a temporary failure report.\n',
  ],
  [
    'Postfix',
    'YOU DO NOT NEED TO RESEND YOUR MESSAGE. It will be retried until it is 5 days old.\n\n<jane@example.org>: connect to mx: Connection refused\n',
  ],
] as const) {
  test(`${name}: a notice that it is late`, () => {
    const mail = returned('Warning: message delayed 24 hours', body)
    assert.deepEqual([mail.kind, mail.recipients[0]?.action], ['delay', 'delayed'])
  })
}

for (const [name, raw] of [
  [
    'a vacation answer',
    'From: jane@example.org\nAuto-Submitted: auto-replied\nSubject: Away until May\n\nI am away.\n',
  ],
  [
    'one by its subject',
    'From: jane@example.org\nSubject: Automatic reply: Hello\n\nPlease write to joe@example.org.\n',
  ],
  ['one in German', 'From: jane@example.org\nSubject: Abwesenheitsnotiz\n\nIch bin nicht da.\n'],
  [
    'one from the null sender',
    'Return-Path: <>\nFrom: jane@example.org\nSubject: Out of office: Hello\n\nBack on Monday.\n',
  ],
  [
    'a receipt',
    'From: jane@example.org\nSubject: Read: Hello\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nRead.\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; jane@example.org\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n',
  ],
  [
    'a TLS report',
    'From: tls@example.net\nSubject: Report Domain: example.com Submitter: example.net\nContent-Type: multipart/report; report-type="tlsrpt"; boundary=b\n\n--b\n\nReport.\n--b--\n',
  ],
] as const) {
  test(`${name} is no news of a delivery`, () => {
    assert.equal(read(raw).kind, 'auto-reply')
  })
}

test('a letter is neither', () => {
  assert.equal(
    read('From: jane@example.org\nTo: shop@example.com\nSubject: My order\n\nWhere is it?\n').kind,
    'other',
  )
  assert.equal(read('').kind, 'other')
})

test('whatever comes, it is read without an error', () => {
  const line = fc.oneof(
    fc.constantFrom(
      ...['--b', '--b--', '', 'Content-Type: message/delivery-status', 'Content-Type: message/rfc822'],
      ...[
        'Content-Type: multipart/report; boundary=b',
        'Final-Recipient: rfc822; a@b.example',
        '<a@b.example>:',
      ],
      ...[
        'From: MAILER-DAEMON',
        'Subject: failure notice',
        'X-Failed-Recipients: a@b',
        '550 <a@b>... no',
        '>>> DATA',
      ],
      ...[
        'Content-Type: message/feedback-report',
        'Feedback-Type: abuse',
        '{"notificationType":"Bounce","bounce":1}',
      ],
    ),
    fc.string({ unit: 'binary', maxLength: 80 }),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
      const mail = readReturnedMail(Buffer.from(lines.join(end), 'latin1'))
      if (!('recipients' in mail)) return
      assert.ok(mail.recipients.length <= 100)
      for (const each of mail.recipients) {
        for (const value of Object.values(each)) {
          if (typeof value !== 'string') continue
          assert.ok(value.length <= 2_000)
          assert.ok(!/[\r\n]/.test(value))
        }
      }
    }),
    { numRuns: 500 },
  )
})

const CORPUS = '../shared/suites/bounces'

test('real reports, cut short or with an octet changed anywhere', {
  skip: !existsSync(CORPUS) && `${CORPUS} is absent`,
}, () => {
  const files = readdirSync(CORPUS).filter((name) => name.endsWith('.eml'))
  const file = fc.constantFrom(...files)
  fc.assert(
    fc.property(file, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255), (name, where, octet) => {
      const raw = readFileSync(`${CORPUS}/${name}`)
      const at = Math.floor(where * (raw.length - 1))
      readReturnedMail(raw.subarray(0, at))
      raw[at] = octet
      readReturnedMail(raw)
    }),
    { numRuns: 200 },
  )
})

for (const [name, body] of [
  ['empty parts', '--b\r\n\r\n'.repeat(300_000)],
  [
    'reports',
    '--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n'.repeat(20_000),
  ],
  ['addresses', '<a@b.example>:\r\n'.repeat(100_000)],
  ['one endless line', 'a@'.repeat(1_000_000)],
  ['nested JSON', '{"Message":'.repeat(200_000)],
  ['open tags', '<'.repeat(2_000_000)],
] as const) {
  test(`a bomb of ${name} gives a small answer`, () => {
    const type = name === 'open tags' ? 'text/html' : 'multipart/report; boundary=b'
    const mail = readReturnedMail(
      Buffer.from(`${DAEMON}Subject: failure notice\nContent-Type: ${type}\n\n${body}`),
    )
    assert.ok(JSON.stringify(mail).length < 1_000_000)
  })
}
