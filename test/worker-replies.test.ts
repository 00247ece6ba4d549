import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type Arrived, arrived, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { checkSigned } from '#test/check-signed.ts'
import { dmarcSender } from '#test/dmarc-sender.ts'
import { deployExample } from '#test/example-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { eventsOf, rule, SENDER, toMx, verifiedAddress } from '#test/routing-instance.ts'
import { spfSender } from '#test/spf-sender.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** The Workers that answer, as routing-workers-api-email-handler.md, start-route-emails.md and overview.md publish them:
 *  mail comes in over SMTP from somebody who proves who they are, and the answer is in their inbox. */
let instance: Instance
let wrangler: Wrangler

const opened = new AsyncDisposableStack()
after(() => opened.disposeAsync())

const PAGE = 'routing-workers-api-email-handler'
const ADA = 'ada@customers.example'
/** Their domain says who may send for it, and has no DMARC record. */
const BOB = 'bob@vague.example'

const WORKERS: readonly (readonly [name: string, source: string, addresses: readonly string[]])[] = [
  ['simple-auto-reply', `${PAGE}/simple-auto-reply.ts`, ['hello']],
  ['smart-auto-reply', `${PAGE}/smart-auto-reply.ts`, ['smart-support', 'smart-sales', 'smart']],
  ['reply-rules', `${PAGE}/reply-rules.ts`, ['rules']],
  ['email-processor', 'start-route-emails/email-processor.ts', ['first-support', 'first']],
  ['email-service', 'overview/email-service.ts', ['support', 'welcome-back']],
]

before(async () => {
  instance = opened.use(await startInstance())
  wrangler = opened.use(await openWrangler(instance))
  await dmarcSender(instance, 'customers.example')
  await spfSender(instance, 'vague.example')
  for (const to of ['team@example.com', 'your-team@example.com', 'team@yourdomain.com'])
    await verifiedAddress(instance, to)
  // The page's team has an address of the domain itself, which goes on from there.
  await rule(instance, 'team@yourdomain.com', { type: 'forward', value: ['team@example.com'] })
  for (const [name, source, addresses] of WORKERS) {
    await deployExample(wrangler, {
      ...{ name, source },
      config: {
        addresses: addresses.map((local) => `${local}@yourdomain.com`),
        ...(name === 'email-service' && { send_email: [{ name: 'EMAIL' }] }),
      },
    })
  }
})
beforeEach(() => emptyInbox(instance))

let written = 0

interface Mail {
  readonly subject?: string
  readonly from?: string
  /** Of the envelope, where it is another. */
  readonly mailFrom?: string
  /** Header fields. */
  readonly more?: readonly string[]
}

/** Somebody writes to one of the addresses. Out: the Message-ID, and the answer at the end of DATA. */
async function write(to: string, { subject = 'A question', from = ADA, mailFrom = from, more = [] }: Mail) {
  const messageId = `<${++written}@customers.example>`
  const content = [
    ...[`From: <${from}>`, `To: <${to}@yourdomain.com>`, `Subject: ${subject}`, `Message-ID: ${messageId}`],
    ...[...more, 'Date: Sat, 21 Nov 2026 10:00:00 +0000', '', 'Hello.', ''],
  ].join('\r\n')
  return {
    messageId,
    reply: await toMx(instance, { from: mailFrom, to: `${to}@yourdomain.com`, content }),
  }
}

const TAKEN = '250 2.0.0 Ok'

/** The answer and the copy for the team. */
async function answerAndCopy(team: string, asker = ADA): Promise<readonly [answer: Arrived, copy: Arrived]> {
  const copies = await arrived(instance, 2)
  const answer = copies.find(({ to }) => to === asker)
  const copy = copies.find(({ to }) => to === team)
  assert.ok(answer && copy, copies.map(({ to }) => to).join())
  return [answer, copy]
}

/** From where, to whom, in whose thread; and that a stranger's verifier believes it. */
async function checkAnswer(answer: Arrived, from: string, messageId: string, subject: string): Promise<void> {
  const { mail, header } = answer
  assert.deepEqual(
    [mail.from?.address, mail.to?.map(({ address }) => address), mail.subject],
    [from, [ADA], subject],
  )
  assert.deepEqual([mail.inReplyTo, mail.references], [messageId, messageId])
  assert.match(mail.messageId ?? '', /^<[^<>\s@]+@yourdomain\.com>$/)
  for (const name of ['In-Reply-To', 'References', 'Subject', 'From'])
    assert.equal(header.match(new RegExp(`^${name}:`, 'gim'))?.length, 1, name)
  await checkSigned(instance, answer)
}

/** How the last message's handler ended. */
const lastRun = (to: string) =>
  eventsOf(instance, `${to}@yourdomain.com`).findLast(({ detail }) => detail.routed?.worker)?.detail.routed
    ?.worker

test('simple auto-reply: the answer is in the thread, and the team has the message', async () => {
  const { messageId, reply } = await write('hello', {})
  assert.equal(reply, TAKEN)
  const [answer, copy] = await answerAndCopy('team@example.com')
  await checkAnswer(answer, 'hello@yourdomain.com', messageId, 'Re: A question')
  assert.equal(
    answer.mail.text?.trim(),
    'Thank you for your message. We have received your email and will respond shortly.',
  )
  assert.match(answer.mail.html ?? '', /<h1>Thank you for your message<\/h1>/)
  assert.equal(copy.mail.messageId, messageId)
  const run = lastRun('hello')
  assert.deepEqual(
    [run?.outcome, run?.reply, run?.forwards.map(({ destination }) => destination)],
    ['handled', answer.mail.messageId, ['team@example.com']],
  )
})

test('smart auto-reply: each recipient has its own answer, and programs get none', async () => {
  const answers: readonly [to: string, says: RegExp][] = [
    ['smart-support', /assigned ticket #\d+\./],
    ['smart-sales', /A sales representative will contact you within 24 hours\./],
    ['smart', /We will respond within 2 business days\./],
  ]
  for (const [to, says] of answers) {
    const { messageId, reply } = await write(to, {})
    assert.equal(reply, TAKEN)
    const [answer] = await answerAndCopy('team@example.com')
    await checkAnswer(answer, `${to}@yourdomain.com`, messageId, 'Re: A question')
    assert.match(answer.mail.html ?? '', says)
    assert.match(answer.mail.text ?? '', says)
    assert.doesNotMatch(answer.mail.text ?? '', /<h1>/)
    await emptyInbox(instance)
  }
  const programs: readonly Mail[] = [
    { from: 'noreply@customers.example' },
    { subject: 'An automated message' },
  ]
  for (const mail of programs) {
    assert.equal((await write('smart', mail)).reply, TAKEN)
    assert.equal((await theOneArrived(instance)).to, 'team@example.com')
    await emptyInbox(instance)
  }
})

test('get started: support is answered by name, and everything goes to the team', async () => {
  const { messageId, reply } = await write('first-support', {})
  // The page answers from support@, whatever address the mail came to.
  assert.equal(reply, TAKEN)
  const [answer, copy] = await answerAndCopy('your-team@example.com')
  await checkAnswer(answer, 'support@yourdomain.com', messageId, 'Re: A question')
  assert.equal(answer.mail.from?.name, 'Support Team')
  assert.equal(
    answer.mail.text?.trim(),
    'Thank you for contacting support. Your ticket number is 123.\n\nA member of our support team will get back to you shortly.',
  )
  assert.match(answer.mail.html ?? '', /Your ticket number is <strong>123<\/strong>/)
  assert.equal(copy.mail.messageId, messageId)
  await emptyInbox(instance)
  assert.equal((await write('first', {})).reply, TAKEN)
  assert.equal((await theOneArrived(instance)).to, 'your-team@example.com')
})

test('overview: one Worker sends over its binding, on request and when mail comes in', async () => {
  const { status, text } = await instance.askWorker('email-service', '/')
  assert.deepEqual([status, text], [200, 'Email sent successfully'])
  const welcome = await theOneArrived(instance)
  assert.deepEqual([welcome.to, welcome.mail.subject], ['user@example.com', 'Welcome to our service!'])
  await checkSigned(instance, welcome)
  await emptyInbox(instance)

  // Nobody signed it, so it reaches the team, one more hop away, only if its domain asks for no refusal.
  assert.equal((await write('support', { from: SENDER })).reply, TAKEN)
  const [answer] = await answerAndCopy('team@example.com', SENDER)
  assert.deepEqual(
    [answer.mail.from?.address, answer.mail.subject],
    ['noreply@yourdomain.com', 'We received your message'],
  )
  await checkSigned(instance, answer)
  await emptyInbox(instance)
  assert.equal((await write('welcome-back', { from: SENDER })).reply, TAKEN)
  assert.equal((await theOneArrived(instance)).to, SENDER)
})

const MISMATCHES = ['E_REPLY_RECIPIENT_MISMATCH', 'E_REPLY_SENDER_DOMAIN_MISMATCH'] as const

/** What became of four attempts to reply, as the Worker tells it by its rejection. */
async function attempts(mail: Mail): Promise<readonly string[]> {
  const { reply } = await write('rules', mail)
  assert.match(reply, /^550 5\.7\.1 \[/)
  return JSON.parse(reply.slice('550 5.7.1 '.length))
}

test('the rules of reply(): to the sender, from the domain, once', async () => {
  const [other, elsewhere, first, second] = await attempts({})
  assert.deepEqual([other, elsewhere], MISMATCHES)
  const { mail } = await theOneArrived(instance)
  assert.deepEqual([mail.subject, mail.messageId], ['An answer', first])
  assert.equal(second, 'E_REPLY_ALREADY_SENT')
  assert.equal(lastRun('rules')?.outcome, 'rejected')
})

test('the rules of reply(): a valid DMARC result, of the envelope sender too', async () => {
  const refused = Array.from({ length: 4 }, () => 'E_REPLY_DMARC_NOT_VALID')
  assert.deepEqual(await attempts({ from: BOB }), refused)
  await arrived(instance, 0)
})

test('the rules of reply(): at most 100 entries in References', async () => {
  const references = (count: number) => ({
    more: ['References:', ...Array.from({ length: count }, (_, i) => ` <${i}@customers.example>`)],
  })
  const refused = Array.from({ length: 4 }, () => 'E_REPLY_TOO_MANY_REFERENCES')
  assert.deepEqual(await attempts(references(101)), refused)
  await arrived(instance, 0)
  const [, , first] = await attempts(references(100))
  const { mail } = await theOneArrived(instance)
  assert.equal(mail.messageId, first)
  assert.ok(mail.references?.endsWith(mail.inReplyTo ?? '?'))
})

test('the rules of reply(): neither automatic messages nor the null sender are answered', async () => {
  const refused = Array.from({ length: 4 }, () => 'E_REPLY_NOT_ALLOWED')
  assert.deepEqual(await attempts({ more: ['Auto-Submitted: auto-replied'] }), refused)
  assert.deepEqual(await attempts({ from: BOB, mailFrom: '' }), refused)
  await arrived(instance, 0)
})

test('nothing of it went anywhere else', () => assert.equal(wrangler.strayConnections(), 0))
