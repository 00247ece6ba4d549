import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type Arrived, arrived, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { createNamespace, deployExample } from '#test/example-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { kvOf } from '#test/kv-of.ts'
import { api, eventsOf, rule, SENDER, toMx, verifiedAddress } from '#test/routing-instance.ts'
import { spfSender } from '#test/spf-sender.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** The Workers of example-spam-filtering.md, example-hard-bounce-handling.md and localdev-routing.md as they are
 *  published: mail comes in over SMTP, or by hand as the pages show it, and what becomes of it is in the inbox, in KV and
 *  in the data points. */
let instance: Instance
let wrangler: Wrangler
let suppressions: string

const opened = new AsyncDisposableStack()
after(() => opened.disposeAsync())

before(async () => {
  instance = opened.use(await startInstance())
  wrangler = opened.use(await openWrangler(instance))
  await spfSender(instance, 'vendor.net')
  const destinations = ['inbox', 'support-team', 'general'].map((name) => `${name}@example.com`)
  for (const to of [...destinations, 'admin@yourdomain.com']) await verifiedAddress(instance, to)
  // The administrator of that page has an address of the domain itself, which goes on from there.
  await rule(instance, 'admin@yourdomain.com', { type: 'forward', value: ['inbox@example.com'] })
  suppressions = await createNamespace(wrangler, 'SUPPRESSION_LIST')
  const kept = { kv_namespaces: [{ binding: 'SUPPRESSION_LIST', id: suppressions }] }
  await deployExample(wrangler, {
    ...{ name: 'spam-filter', source: 'example-spam-filtering/basic-spam-filter.ts' },
    config: {
      ...{ send_email: [{ name: 'EMAIL' }], addresses: ['spam-filter@yourdomain.com'] },
      analytics_engine_datasets: [{ binding: 'EMAIL_ANALYTICS', dataset: 'spam_checks' }],
    },
  })
  // Neither page asks for a compatibility flag.
  await deployExample(wrangler, {
    ...{ name: 'bounce-handler', source: 'example-hard-bounce-handling/bounce-handler.js' },
    config: {
      ...{ ...kept, send_email: [{ name: 'EMAIL' }], compatibility_flags: [] },
      addresses: ['bounce-handler@yourdomain.com'],
    },
  })
  await deployExample(wrangler, {
    ...{ name: 'suppressed-sender', source: 'example-hard-bounce-handling/suppressed-sender.js' },
    config: kept,
  })
  await deployExample(wrangler, {
    ...{ name: 'email-routing-worker', source: 'localdev-routing/basic-routing-worker.js' },
    config: {
      ...{ compatibility_flags: [] },
      addresses: ['routing-support@yourdomain.com', 'routing@yourdomain.com'],
    },
  })
})
beforeEach(() => emptyInbox(instance))

interface Mail {
  readonly to: string
  readonly subject: string
  readonly from?: string
  /** Of the envelope, where it is another. */
  readonly mailFrom?: string
  readonly body?: string
}

const letter = ({ to, subject, from = SENDER, body = 'Hello.\r\n' }: Mail): string =>
  [
    ...[`From: <${from}>`, `To: ${to}@yourdomain.com`, `Subject: ${subject}`],
    ...['Message-ID: <17@pass.posthorn.test>', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', '', body],
  ].join('\r\n')

const write = (mail: Mail): Promise<string> =>
  toMx(instance, {
    ...{ from: mail.mailFrom ?? mail.from ?? SENDER, to: `${mail.to}@yourdomain.com` },
    content: letter(mail),
  })

const TAKEN = '250 2.0.0 Ok'

const field = ({ mail }: Arrived, name: string) => mail.headers.find(({ key }) => key === name)?.value

test('spam filter: what is no spam goes on with its score', async () => {
  const to = 'spam-filter'
  const taken: readonly [mail: Mail, score: string, reasons: string | undefined][] = [
    // A field without a value is left out.
    [{ to, subject: 'A letter' }, '0', undefined],
    [{ to, subject: 'Limited time' }, '1', 'Spam keyword: limited time'],
    [{ to, subject: 'LISTEN TO ME' }, '1', 'Excessive capitalization'],
    [
      { to, subject: 'Lottery winner', from: 'jo@vendor.net' },
      '0',
      'Spam keyword: winner, Spam keyword: lottery',
    ],
    [{ to, subject: 'An invoice', from: 'jo@vendor.net' }, '-2', undefined],
  ]
  for (const [mail, score, reasons] of taken) {
    assert.equal(await write(mail), TAKEN)
    const copy = await theOneArrived(instance)
    assert.equal(copy.to, 'inbox@example.com')
    assert.deepEqual([field(copy, 'x-spam-score'), field(copy, 'x-spam-reasons')], [score, reasons])
    assert.match(field(copy, 'x-spam-check-time') ?? '', /^\d+$/)
    assert.ok(copy.raw.toString().endsWith(letter(mail)), 'octet for octet')
    await emptyInbox(instance)
  }
})

test('spam filter: spam is refused in the session with its first reason', async () => {
  const to = 'spam-filter'
  const refused: readonly [mail: Mail, reason: string][] = [
    [{ to, subject: 'Buy now, act fast' }, 'Spam keyword: buy now'],
    [{ to, subject: 'YOUR PRIZE IS WAITING!!!' }, 'Excessive capitalization'],
    [{ to, subject: 'Urgent', from: 'noreply@pass.posthorn.test' }, 'Spam keyword: urgent'],
  ]
  for (const [mail, reason] of refused)
    assert.equal(await write(mail), `550 5.7.1 Message rejected: ${reason}`)
  await arrived(instance, 0)
  const ends = eventsOf(instance, 'spam-filter@yourdomain.com').flatMap(({ type, detail }) =>
    type === 'rejected' ? [detail.routed?.reason] : [],
  )
  assert.deepEqual(
    ends,
    refused.map(([, reason]) => `Message rejected: ${reason}`),
  )
})

test('spam filter: each check is a data point with both of its indexes', async () => {
  const { api: base, api_token, account_id } = instance.dev
  const sql = `SELECT blob1 AS what, blob4 AS verdict, index1 AS detected, index2 AS range, sum(double1) AS n FROM spam_checks
    GROUP BY what, verdict, detected, range ORDER BY range`
  const response = await fetch(`${base}/accounts/${account_id}/analytics_engine/sql`, {
    ...{ method: 'POST', body: sql, headers: { authorization: `Bearer ${api_token}` } },
  })
  const text = await response.text()
  assert.equal(response.status, 200, text)
  const point = (verdict: string, range: string, n: number) => ({
    ...{ what: 'spam_check_completed', verdict, n },
    ...{ detected: `spam_detected:${verdict === 'spam'}`, range: `score_range:${range}` },
  })
  const { data }: { data: unknown } = JSON.parse(text)
  assert.deepEqual(data, [
    point('legitimate', 'neutral', 2),
    point('spam', 'spam', 3),
    point('legitimate', 'suspicious', 2),
    point('legitimate', 'trusted', 1),
  ])
})

/** The body of the page's example. */
const BOUNCE = `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  nonexistent@example.com
    SMTP error from remote mail server after RCPT TO:<nonexistent@example.com>:
    host mx.example.com [192.168.1.1]: 550 5.1.1 User unknown

------ This is a copy of the message, including all the headers. ------

Return-path: <sender@yourdomain.com>
From: sender@yourdomain.com
To: nonexistent@example.com
Subject: Welcome to our service
Message-ID: <original123@yourdomain.com>

Welcome! Thanks for signing up.
`

/** What the handler keeps of a bounced address, with its metadata. */
async function suppressed(address: string) {
  const text = await kvOf(instance, suppressions).value(address)
  assert.ok(text !== undefined, `${address} in KV`)
  const path = `/accounts/${instance.dev.account_id}/storage/kv/namespaces/${suppressions}/metadata/${address}`
  const metadata = await api<Record<string, string>>(instance, 'GET', path)
  const { timestamp, ...value }: Record<string, string> = JSON.parse(text)
  assert.ok(Math.abs(Date.parse(timestamp ?? '') - Date.now()) < 60_000)
  assert.deepEqual(metadata, { bounceType: 'hard', addedDate: timestamp })
  return value
}

const UNKNOWN = { type: 'hard_bounce', reason: '5.1.1 User unknown', status: 'suppressed' }

test('hard bounces: a notice over SMTP, from the null sender, is read and kept', async () => {
  const to = 'bounce-handler'
  const from = 'mailer-daemon@pass.posthorn.test'
  const subject = 'Mail delivery failed: returning message to sender'
  const body = BOUNCE.replaceAll('\n', '\r\n')
  assert.equal(await write({ to, subject, from, mailFrom: '', body }), TAKEN)
  assert.deepEqual(await suppressed('nonexistent@example.com'), UNKNOWN)
  const [event, ...others] = eventsOf(instance, 'bounce-handler@yourdomain.com')
  assert.deepEqual([event?.type, event?.detail.routed?.isNdr, others], ['handled', true, []])
  await arrived(instance, 0)
})

test('hard bounces: the same by hand, as the page shows it', async () => {
  const content = `From: Mail Delivery Subsystem <mailer-daemon@example.com>
To: bounce-handler@yourdomain.com
Subject: Mail delivery failed: returning message to sender
Date: Wed, 28 Aug 2024 10:30:00 +0000
Message-ID: <bounce123@example.com>

${BOUNCE.replaceAll('nonexistent@example.com', 'gone@example.com')}`
  const path = '/cdn-cgi/handler/email?from=mailer-daemon@example.com&to=bounce-handler@yourdomain.com'
  const headers = { 'content-type': 'application/json' }
  const { status, text } = await instance.askWorker('bounce-handler', path, { headers, body: content })
  assert.deepEqual([status, text], [200, 'Worker successfully processed email\n'])
  assert.deepEqual(await suppressed('gone@example.com'), UNKNOWN)
})

test('hard bounces: soft ones, and what is no bounce, go on to the administrator', async () => {
  const to = 'bounce-handler'
  const ordinary: readonly Mail[] = [
    { to, subject: 'A letter' },
    { to, subject: 'Returned mail', body: 'For: jo@example.com\r\nReason: 4.2.2 mailbox is full\r\n' },
  ]
  for (const mail of ordinary) {
    assert.equal(await write(mail), TAKEN)
    const { to: reader, mail: copy } = await theOneArrived(instance)
    assert.deepEqual([reader, copy.subject], ['inbox@example.com', mail.subject])
    await emptyInbox(instance)
  }
  assert.deepEqual(
    (await kvOf(instance, suppressions).keys()).map(({ name }) => name),
    ['gone@example.com', 'nonexistent@example.com'],
  )
})

test('hard bounces: what was kept keeps the next message from being sent', async () => {
  const ask = async (to: string) => (await instance.askWorker('suppressed-sender', `/?to=${to}`)).text
  assert.deepEqual(JSON.parse(await ask('gone@example.com')), { success: false, reason: 'suppressed' })
  assert.equal(await ask('somebody@example.com'), '"would send"')
})

test('local routing: mail over SMTP goes by its recipient', async () => {
  const ways = [
    ['routing-support', 'support-team@example.com'],
    ['routing', 'general@example.com'],
  ] as const
  for (const [to, destination] of ways) {
    assert.equal(await write({ to, subject: 'A letter' }), TAKEN)
    assert.equal((await theOneArrived(instance)).to, destination)
    await emptyInbox(instance)
  }
})

/** The page's own message, its line breaks restored. */
const BY_HAND = `Received: from smtp.example.com (127.0.0.1)
        by cloudflare-email.com (unknown) id 4fwwffRXOpyR
        for <recipient@example.com>; Tue, 27 Aug 2024 15:50:20 +0000
From: "John" <sender@example.com>
Reply-To: sender@example.com
To: recipient@example.com
Subject: Testing Email Workers Local Dev
Content-Type: text/html; charset="windows-1252"
X-Mailer: Curl
Date: Tue, 27 Aug 2024 08:49:44 -0700
Message-ID: <6114391943504294873000@ZSH-GHOSTTY>

Hi there`

test('local routing: the page’s message by hand, and what the Worker logs of it', async () => {
  const path = '/cdn-cgi/handler/email?from=sender@example.com&to=recipient@example.com'
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const ask = (more: string, body: string) =>
    instance.askWorker('email-routing-worker', `${path}${more}`, { headers, body })
  const { status, text } = await ask('', BY_HAND)
  assert.deepEqual([status, text], [200, 'Worker successfully processed email\n'])
  const copy = await theOneArrived(instance)
  assert.deepEqual([copy.to, copy.mail.subject], ['general@example.com', 'Testing Email Workers Local Dev'])
  assert.equal(copy.mail.html?.trim(), 'Hi there')

  const { outcome, forwards, replies, logs } = JSON.parse((await ask('&format=json', BY_HAND)).text)
  assert.deepEqual([outcome, replies], ['ok', []])
  assert.deepEqual(
    forwards.map(({ recipient }: { recipient: string }) => recipient),
    ['general@example.com'],
  )
  assert.equal(logs[0].message[0], 'Received email:')
  const { html, ...rest } = logs[0].message[1]
  assert.equal(html.trim(), 'Hi there')
  assert.deepEqual(rest, {
    ...{ from: 'sender@example.com', to: 'recipient@example.com' },
    subject: 'Testing Email Workers Local Dev',
  })

  const nameless = await ask('', BY_HAND.replace(/\nMessage-ID: .*/, ''))
  assert.equal(nameless.status, 400)
  assert.match(nameless.text, /message id/i)
})

test('nothing of it went anywhere else', () => assert.equal(wrangler.strayConnections(), 0))
