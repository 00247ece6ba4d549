import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import type { Address } from '#model/address.ts'
import { readReturnedMail } from '#protocol/bounce-report.ts'
import { splitAsPython } from '#test/python-lines.ts'
import { composeNotice } from './compose-notice.ts'
import type { Failure } from './failure.ts'
import { headerSection } from './returned-header.ts'

const SENDER = 'app@yourdomain.com' as Address
const BOUNDARY = '--=_0123456789abcdef'
const AT = Date.UTC(2026, 10, 20, 12)

const ORIGINAL = Buffer.from(
  'Received: by posthorn.test with HTTP id 1; Fri, 20 Nov 2026 11:00:00 +0000\r\n' +
    'From: App <app@yourdomain.com>\r\nTo: nobody@example.com\r\nSubject: Your order\r\n' +
    'Message-ID: <1@yourdomain.com>\r\n\r\nThe secret is 4711.\r\n',
)

function failure(more: Partial<Failure> = {}, subject = 'Your order'): Failure {
  return {
    deliveryId: '1'.padStart(32, '0'),
    message: {
      id: '2'.padStart(32, '0'),
      accountId: 'a'.padStart(32, '0'),
      domainId: null,
      headerMessageId: '<1@yourdomain.com>',
      sender: SENDER,
      returnPathDomain: 'cf-bounce.yourdomain.com',
      subject,
      bodyId: '3'.padStart(32, '0'),
      size: 100,
      previewEnabled: true,
      tls: 'policy',
      createdAt: AT - 3_600_000,
    },
    recipient: 'nobody@example.com' as Address,
    end: 'refused',
    cause: 'recipient-unknown',
    attempts: 1,
    at: AT,
    reply: '550 5.1.1 No such user here',
    enhancedStatus: '5.1.1',
    host: 'mx.example.com',
    address: '192.0.2.1',
    ...more,
  }
}

function compose(about: Failure, original: Buffer | undefined = ORIGINAL): Buffer {
  return composeNotice(about, {
    from: 'MAILER-DAEMON@email.posthorn.test' as Address,
    to: SENDER,
    messageId: '<n@email.posthorn.test>',
    host: 'posthorn.test',
    header: original && headerSection(original),
    boundary: BOUNDARY,
  })
}

async function parse(content: Buffer) {
  const email = await PostalMime.parse(content, { attachmentEncoding: 'utf8' })
  // It gives texts with LF, and an empty line at their end.
  const parts = email.attachments.map(({ mimeType, content }) => ({
    mimeType,
    content: typeof content === 'string' ? content.replace(/\n*$/, '\n') : '',
  }))
  return { email, parts, status: parts.find(({ mimeType }) => mimeType.endsWith('delivery-status')) }
}

test('a notice as a reader of mail finds it: who, to whom, what it answers, and its three parts', async () => {
  const { email, parts, status } = await parse(compose(failure()))
  assert.deepEqual(email.from, {
    name: 'Mail Delivery Subsystem',
    address: 'MAILER-DAEMON@email.posthorn.test',
  })
  assert.deepEqual(
    email.to?.map(({ address }) => address),
    [SENDER],
  )
  assert.equal(email.subject, 'Undelivered Mail Returned to Sender')
  assert.deepEqual([email.inReplyTo, email.references], ['<1@yourdomain.com>', '<1@yourdomain.com>'])
  assert.equal(email.date, '2026-11-20T12:00:00.000Z')
  const header = (name: string) => email.headers.find(({ key }) => key === name)?.value
  assert.equal(header('auto-submitted'), 'auto-replied')
  assert.match(header('content-type') ?? '', /^multipart\/report; report-type=delivery-status;/)
  assert.match(email.text ?? '', /Recipient: {2}nobody@example\.com\n/)
  assert.match(email.text ?? '', /The address does not exist\. \(5\.1\.1\)/)
  assert.match(
    email.text ?? '',
    /mx\.example\.com \[192\.0\.2\.1\] said:\n\n {4}550 5\.1\.1 No such user here\n/,
  )
  assert.equal(
    status?.content,
    'Reporting-MTA: dns; posthorn.test\nArrival-Date: Fri, 20 Nov 2026 11:00:00 +0000\n\n' +
      'Final-Recipient: rfc822; nobody@example.com\nAction: failed\nStatus: 5.1.1\n' +
      'Remote-MTA: dns; mx.example.com\nDiagnostic-Code: smtp; 550 5.1.1 No such user here\n' +
      'Last-Attempt-Date: Fri, 20 Nov 2026 12:00:00 +0000\n',
  )
  const returned = parts.find(({ mimeType }) => mimeType === 'text/rfc822-headers')
  assert.equal(returned?.content, withLf(headerSection(ORIGINAL)))
  assert.ok(!compose(failure()).includes('4711'), 'the header alone')
})

test('what we write, we read as a bounce of that message', () => {
  const read = readReturnedMail(compose(failure()))
  assert.ok(read.kind === 'bounce')
  assert.equal(read.original?.messageId, '<1@yourdomain.com>')
  const { recipient, status, replyCode, remoteHost } = read.recipients[0] ?? {}
  assert.deepEqual(
    [recipient, status, replyCode, remoteHost],
    ['nobody@example.com', '5.1.1', 550, 'mx.example.com'],
  )
})

test('expired: the class says that we gave up, the text how often it was tried and what the last trouble was', async () => {
  const late = failure({
    end: 'expired',
    cause: 'recipient-full',
    attempts: 7,
    reply: '452 4.2.2 Mailbox full',
  })
  const { enhancedStatus: _, host: __, address: ___, ...stored } = late
  const { email, status } = await parse(compose({ ...stored, suppression: { forMs: 86_400_000 } }))
  assert.match(email.text ?? '', /in time.*\n\n.*The mailbox is full\. \(4\.2\.2\)/s)
  assert.match(email.text ?? '', /It was tried 7 times until Fri, 20 Nov 2026/)
  assert.match(email.text ?? '', /on your suppression list/)
  assert.match(status?.content ?? '', /\nStatus: 4\.2\.2\n/)
  assert.ok(!status?.content.includes('Remote-MTA'))
  const { reply: _reply, ...never } = stored
  const untried = await parse(compose({ ...never, cause: 'expired', attempts: 0 }))
  assert.match(untried.status?.content ?? '', /\nStatus: 4\.4\.7\n$/)
})

test("the status is the server's own, in the class of the end; without one it follows from the cause", async () => {
  const statusOf = async (more: Partial<Failure>) => {
    const { enhancedStatus: _, ...bare } = failure()
    const { status } = await parse(compose({ ...bare, ...more }))
    return /\nStatus: (\S+)\n/.exec(status?.content ?? '')?.[1]
  }
  assert.equal(await statusOf({ reply: '550 no such user' }), '5.1.1')
  assert.equal(await statusOf({ reply: '550 go away', cause: 'sender-dns' }), '5.7.25')
  assert.equal(await statusOf({ reply: '550 4.2.1 odd' }), '5.2.1')
  assert.equal(await statusOf({ reply: '550 2.0.0 odder', enhancedStatus: '2.0.0' }), '5.1.1')
  assert.equal(
    await statusOf({ reply: '5.1.10 example.com takes no mail', enhancedStatus: '5.1.10' }),
    '5.1.10',
  )
  assert.equal(await statusOf({ reply: '450 5.1.1 later', end: 'expired' }), '4.1.1')
})

test('what no SMTP server said is no SMTP diagnostic', async () => {
  const { status, email } = await parse(compose(failure({ reply: '5.1.2 example.com does not exist' })))
  assert.match(status?.content ?? '', /Diagnostic-Code: x-posthorn; 5\.1\.2 example\.com does not exist/)
  assert.match(email.text ?? '', /This is what happened:\n/)
})

test('RFC 6533: a recipient beyond ASCII makes the notice international', async () => {
  const original = Buffer.from('From: app@yourdomain.com\r\nTo: 用户+x@example.com\r\n\r\nx\r\n')
  const content = compose(
    failure({ recipient: '用户+x@example.com' as Address, reply: '550 用户 unknown' }),
    original,
  )
  const { parts, email } = await parse(content)
  assert.deepEqual(
    parts.map(({ mimeType }) => mimeType),
    ['message/global-delivery-status', 'message/global-headers'],
  )
  assert.match(parts[0]?.content ?? '', /Final-Recipient: utf-8; 用户\\x\{2B\}x@example\.com\n/)
  assert.match(parts[1]?.content ?? '', /To: 用户\+x@example\.com\n/)
  assert.match(email.text ?? '', /550 用户 unknown/)
  const header = content.subarray(0, content.indexOf('\r\n\r\n')).toString('latin1')
  assert.match(header, /^[\x20-\x7e\r\n]+$/, 'its own header stays ASCII: its recipient may need that')
  const read = readReturnedMail(content)
  assert.equal(read.kind === 'bounce' && read.recipients[0]?.recipient, '用户+x@example.com')
})

test('8-bit headers of the original come back whole, whatever they are', async () => {
  for (const original of [
    Buffer.from('To: nobody@example.com, 用户@example.com\r\nX-A: ä\r\n\r\n'),
    Buffer.from('To: nobody@example.com\r\nX-A: \xe4\xff\r\n\r\n', 'latin1'),
    Buffer.from(`X-Long: ${'x'.repeat(2000)}\r\n\r\n`),
  ]) {
    for (const recipient of ['nobody@example.com', '用户@example.com']) {
      const content = compose(failure({ recipient: recipient as Address }), original)
      const { attachments } = await PostalMime.parse(content, { attachmentEncoding: 'arraybuffer' })
      const returned = attachments.at(-1)?.content
      assert.ok(returned instanceof ArrayBuffer)
      assert.equal(withLf(Buffer.from(returned)).trimEnd(), withLf(headerSection(original)).trimEnd())
      assertLinesFit(content)
    }
  }
})

test('a very long header comes back as far as it fits, in whole fields', () => {
  const fields = Array.from({ length: 2000 }, (_, i) => `X-${i}: ${'x'.repeat(60)}\r\n ${'y'.repeat(20)}\r\n`)
  const header = headerSection(Buffer.from(`${fields.join('')}\r\nbody`)).toString()
  assert.ok(header.length <= 65_536 && header.length > 60_000)
  assert.ok(fields.join('').startsWith(header))
  assert.match(header, /y\r\n$/)
  assert.equal(headerSection(Buffer.from('X: 1\r\nY: 2\r\n')).toString(), 'X: 1\r\nY: 2\r\n')
})

test("without the original's header there are two parts", async () => {
  const { parts } = await parse(
    composeNotice(failure(), {
      from: 'MAILER-DAEMON@email.posthorn.test' as Address,
      to: SENDER,
      messageId: '<n@email.posthorn.test>',
      host: 'posthorn.test',
      header: undefined,
      boundary: BOUNDARY,
    }),
  )
  assert.deepEqual(
    parts.map(({ mimeType }) => mimeType),
    ['message/delivery-status'],
  )
})

function withLf(octets: Buffer): string {
  return octets.toString('latin1').replaceAll('\r\n', '\n')
}

/** What a stranger, or the customer, may try to break out with. */
const HOSTILE = [
  'x\r\nBcc: victim@example.net',
  'x\r\n\r\nnew body',
  `x\r\n--${BOUNDARY}--\r\n`,
  `--${BOUNDARY}\r\nContent-Type: text/html\r\n\r\n<b>hi</b>`,
  'x\nAction: delivered\nStatus: 2.0.0',
  'x\rAction: delivered',
  'x\u0085Action: delivered\u2028Status: 2.0.0',
  'x\0\x1b[31m\x0bAction: delivered',
  '=?utf-8?q?=0D=0ABcc:_victim@example.net?=',
  'é'.repeat(3000),
  'x'.repeat(100_000),
  '用户 '.repeat(2000),
]

test('nothing that is quoted gets out of its field or part', async () => {
  const clean = await parse(compose(failure()))
  const recipients = ['"a b"@example.com', '"a\\"; x=y"@example.com', '"--x"@example.com', '用户@example.com']
  for (const hostile of HOSTILE) {
    for (const recipient of recipients) {
      const content = compose(
        failure({ recipient: recipient as Address, reply: `550 5.1.1 ${hostile}`, host: hostile }, hostile),
        Buffer.from(`Subject: ${hostile.replaceAll(/[\r\n]/g, ' ')}\r\n\r\nbody`),
      )
      assertLinesFit(content)
      const { email, parts } = await parse(content)
      assert.deepEqual(
        email.headers.map(({ key }) => key),
        clean.email.headers.map(({ key }) => key),
      )
      assert.equal(parts.length, 2)
      assert.equal(email.html, undefined)
      assertStatusFields(parts[0]?.content ?? '')
    }
  }
})

test('any reply, subject and recipient: lines that fit, the same fields, one recipient that failed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', maxLength: 3000 }),
      fc.string({ unit: 'binary', maxLength: 1000 }),
      fc.boolean(),
      async (reply, subject, hasCode) => {
        const content = compose(failure({ reply: hasCode ? `550 ${reply}` : reply }, subject))
        assertLinesFit(content)
        const { parts } = await parse(content)
        assert.equal(parts.length, 2)
        assertStatusFields(parts[0]?.content ?? '')
        const read = readReturnedMail(content)
        assert.equal(read.kind === 'bounce' && read.recipients[0]?.action, 'failed')
      },
    ),
    { numRuns: 300 },
  )
})

/** CRLF alone, and no line that a server may refuse (RFC 5321 §4.5.3.1.6). */
function assertLinesFit(content: Buffer): void {
  const text = content.toString('latin1')
  assert.ok(!/[^\r]\n|\r(?!\n)|\0/.test(text), 'CRLF alone ends lines')
  for (const line of text.split('\r\n')) assert.ok(line.length <= 998, `a line of ${line.length}`)
}

function assertStatusFields(content: string): void {
  const names = splitAsPython(content)
    .filter((line) => !/^[ \t]/.test(line))
    .map((line) => line.replace(/:.*/, ''))
  assert.deepEqual(
    names.filter((name) => name !== 'Remote-MTA' && name !== 'Diagnostic-Code'),
    ['Reporting-MTA', 'Arrival-Date', '', 'Final-Recipient', 'Action', 'Status', 'Last-Attempt-Date', ''],
  )
  assert.match(content, /\nAction: failed\n/)
}

/** The decisions of the Worker in the specification's "Handle hard bounce emails". */
const WORKER = {
  subjects: ['mail delivery failed', 'undelivered mail returned to sender', 'delivery status notification'],
  recipient: /(?:to|for|recipient):\s*([^\s<]+@[^\s>]+)/i,
  hard: ['user unknown', 'no such user', '5.1.1', '5.1.2', '5.4.1'],
  reason: /reason:\s*(.+)/i,
}

test('the Worker that the specification has for bounces finds recipient, reason and hardness', async () => {
  const { enhancedStatus: _, ...bare } = failure({ reply: '550 unbekannt' })
  const { email } = await parse(compose(bare))
  const text = email.text ?? ''
  assert.ok(WORKER.subjects.some((words) => email.subject?.toLowerCase().includes(words)))
  assert.equal(WORKER.recipient.exec(text)?.[1], 'nobody@example.com')
  assert.ok(WORKER.hard.some((words) => text.toLowerCase().includes(words)))
  assert.equal(WORKER.reason.exec(text)?.[1], 'The address does not exist. (5.1.1)')
  const full = failure({
    end: 'expired',
    cause: 'recipient-full',
    reply: '452 4.2.2 full',
    enhancedStatus: '4.2.2',
  })
  const soft = await parse(compose(full))
  assert.ok(!WORKER.hard.some((words) => soft.email.text?.toLowerCase().includes(words)))
})

const PYTHON = '/usr/bin/python3'

test("Python's email package finds the report, its fields and no defects", {
  skip: spawnSync(PYTHON, ['-c', 'import email']).status === 0 ? false : `${PYTHON} is not here`,
}, () => {
  const script = join(import.meta.dirname, '../../../test/support/read-report.py')
  const read = (content: Buffer) =>
    JSON.parse(execFileSync(PYTHON, [script], { input: content, encoding: 'utf8' })) as {
      readonly type: string
      readonly report: string
      readonly defects: string[]
      readonly parts: string[]
      readonly status: Record<string, string>[]
    }
  for (const reply of ['550 5.1.1 No such user here', ...HOSTILE.map((text) => `550 5.1.1 ${text}`)]) {
    const { type, report, defects, parts, status } = read(compose(failure({ reply }, reply)))
    assert.deepEqual([type, report, defects], ['multipart/report', 'delivery-status', []])
    assert.deepEqual(parts, ['text/plain', 'message/delivery-status', 'text/rfc822-headers'])
    assert.deepEqual(Object.keys(status[0] ?? {}), ['Reporting-MTA', 'Arrival-Date'])
    assert.equal(status[1]?.['Action'], 'failed')
    assert.equal(status[1]['Final-Recipient'], 'rfc822; nobody@example.com')
    assert.equal(status.length, 2)
  }
})
