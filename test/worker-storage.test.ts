import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Arrived, arrived, emptyInbox } from '#test/arrived.ts'
import { checkSigned } from '#test/check-signed.ts'
import { dmarcSender } from '#test/dmarc-sender.ts'
import { deployExample } from '#test/example-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { kvOf } from '#test/kv-of.ts'
import { api, toMx, verifiedAddress } from '#test/routing-instance.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** The Workers of example-storage-and-queues.md as they are published: mail comes in over SMTP, and what becomes of it is
 *  in KV, in the queue, in the data points and in the inbox. */
let instance: Instance
let wrangler: Wrangler
const kv: Record<string, ReturnType<typeof kvOf>> = {}

const CUSTOMER = 'ada@customers.example'
const account = () => `/accounts/${instance.dev.account_id}`

before(async () => {
  instance = await startInstance()
  wrangler = await openWrangler(instance)
  await dmarcSender(instance, 'customers.example')
  for (const destination of ['general@example.com', 'support-team@example.com'])
    await verifiedAddress(instance, destination)
  // Those were asked to verify themselves.
  await arrived(instance, 2)
  const ids: Record<string, string> = {}
  for (const title of ['EMAILS', 'SUPPORT_TICKETS', 'EMAIL_STORAGE', 'DESK_TICKETS', 'SALES_LEADS']) {
    const path = `${account()}/storage/kv/namespaces`
    const { id } = await api<{ id: string }>(instance, 'POST', path, { title })
    ids[title] = id
    kv[title] = kvOf(instance, id)
  }
  await deployExample(wrangler, {
    ...{ name: 'store-emails', source: 'example-storage-and-queues/store-emails.ts' },
    config: {
      kv_namespaces: ['EMAILS', 'SUPPORT_TICKETS'].map((binding) => ({ binding, id: ids[binding] })),
      addresses: ['support@yourdomain.com', 'hello@yourdomain.com'],
    },
  })
  await deployExample(wrangler, {
    ...{ name: 'email-queue', source: 'example-storage-and-queues/queue-based-processing.ts' },
    config: {
      send_email: [{ name: 'EMAIL' }],
      kv_namespaces: [
        { binding: 'EMAIL_STORAGE', id: ids['EMAIL_STORAGE'] },
        { binding: 'SUPPORT_TICKETS', id: ids['DESK_TICKETS'] },
        { binding: 'SALES_LEADS', id: ids['SALES_LEADS'] },
      ],
      queues: {
        producers: [{ binding: 'EMAIL_QUEUE', queue: 'email-processing' }],
        consumers: [{ queue: 'email-processing', max_batch_size: 10, max_batch_timeout: 1 }],
      },
      analytics_engine_datasets: [{ binding: 'EMAIL_ANALYTICS', dataset: 'email_processing' }],
      addresses: ['support-desk', 'sales', 'billing', 'office'].map((name) => `${name}@yourdomain.com`),
    },
  })
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})
beforeEach(() => emptyInbox(instance))

let written = 0

/** Somebody writes to one of the addresses, and is answered 250. */
async function write(to: string, subject: string) {
  const messageId = `<${++written}@customers.example>`
  const content = [
    ...[`From: Ada <${CUSTOMER}>`, `To: ${to}@yourdomain.com`, `Subject: ${subject}`],
    ...[
      `Message-ID: ${messageId}`,
      'Date: Sat, 21 Nov 2026 10:00:00 +0000',
      '',
      `Hello, this is ${subject}.`,
      '',
    ],
  ].join('\r\n')
  const reply = await toMx(instance, { from: CUSTOMER, to: `${to}@yourdomain.com`, content })
  assert.match(reply, /^250 /)
  return { messageId, content }
}

/** What is read, once it is right; or what it was last. */
async function eventually<T>(read: () => Promise<T>, isRight: (value: T) => boolean): Promise<T> {
  const end = Date.now() + 20_000
  for (;;) {
    const value = await read()
    if (isRight(value) || Date.now() > end) return value
    await sleep(50)
  }
}

type Stored = Readonly<Record<string, unknown>>

/** The values of a namespace that are right, once there are `count` of them. */
async function values(
  title: string,
  count: number,
  isRight: (value: Stored) => boolean = () => true,
): Promise<Stored[]> {
  const namespace = kv[title]
  assert.ok(namespace)
  const all = async () => {
    const keys = await namespace.keys()
    const texts = await Promise.all(keys.map(({ name }) => namespace.value(name)))
    return texts.flatMap((text): Stored[] => (text === undefined ? [] : [JSON.parse(text)]))
  }
  const found = await eventually(all, (values) => values.filter(isRight).length >= count)
  const right = found.filter(isRight)
  assert.equal(right.length, count, `${title}: ${JSON.stringify(found)}`)
  return right
}

function by(copies: readonly Arrived[], to: string, subject: string): Arrived {
  const copy = copies.find(({ to: recipient, mail }) => recipient === to && mail.subject === subject)
  assert.ok(copy, `${to}: ${subject} in ${copies.map(({ mail }) => mail.subject).join(', ')}`)
  return copy
}

/** An answer to who wrote, in the thread of what was written. */
async function checkThreaded(copy: Arrived, from: string, messageId: string): Promise<void> {
  assert.equal(copy.to, CUSTOMER)
  assert.equal(copy.mail.from?.address, from)
  assert.deepEqual([copy.mail.inReplyTo, copy.mail.references], [messageId, messageId])
  await checkSigned(instance, copy)
}

test('store emails: a message to support is kept, has a ticket, an answer with its number, and goes on', async () => {
  const { messageId, content } = await write('support', 'It is broken')
  const [email] = await values('EMAILS', 1)
  assert.ok(email)
  const { id, timestamp, ...rest } = email
  assert.match(String(id), /^email-\d+-[a-z0-9]+$/)
  assert.ok(Math.abs(Date.parse(String(timestamp)) - Date.now()) < 60_000)
  assert.deepEqual(rest, {
    ...{ from: CUSTOMER, to: 'support@yourdomain.com', subject: 'It is broken' },
    ...{ size: content.length, rawContent: content, processed: false },
  })
  const [ticket] = await values('SUPPORT_TICKETS', 1)
  assert.ok(ticket)
  const { id: ticketId, emailId, from, subject, status } = ticket
  assert.deepEqual([emailId, from, subject, status], [id, CUSTOMER, 'It is broken', 'open'])

  const copies = await arrived(instance, 2)
  const answer = by(copies, CUSTOMER, `Support Ticket Created: ${String(ticketId)}`)
  await checkThreaded(answer, 'support@yourdomain.com', messageId)
  assert.match(answer.mail.html ?? '', /<em>Original subject: It is broken<\/em>/)
  const forwarded = by(copies, 'support-team@example.com', 'It is broken')
  assert.ok(forwarded.raw.toString().endsWith(content), 'the message itself is as it came')
})

test('store emails: everything else goes to the general address', async () => {
  const { content } = await write('hello', 'A question')
  const copies = await arrived(instance, 1)
  assert.ok(by(copies, 'general@example.com', 'A question').raw.toString().endsWith(content))
  await values('EMAILS', 1, ({ to }) => to === 'hello@yourdomain.com')
  await values('SUPPORT_TICKETS', 1)
})

const done = (category: string) => (value: Stored) =>
  value['status'] === 'completed' && String(value['to']).startsWith(category)

test('queue-based processing: an urgent message to support', async () => {
  const { messageId, content } = await write('support-desk', 'Urgent: help')
  const [email] = await values('EMAIL_STORAGE', 1, done('support-desk'))
  const [ticket] = await values('DESK_TICKETS', 1)
  assert.ok(email && ticket)
  const { id: ticketId, emailId, priority, category, content: kept } = ticket
  assert.deepEqual([emailId, priority, category, kept], [email['id'], 'urgent', 'support', content])
  assert.deepEqual(
    [email['processed'], email['processingResult']],
    [true, { ticketId, action: 'ticket_created' }],
  )
  const copies = await arrived(instance, 2)
  const answer = by(copies, CUSTOMER, 'Re: Urgent: help')
  await checkThreaded(answer, 'support-desk@yourdomain.com', messageId)
  assert.match(answer.mail.text ?? '', /It has been queued for processing\./)
  const confirmation = by(copies, CUSTOMER, `Support Ticket Created: ${String(ticketId)}`)
  assert.equal(confirmation.mail.from?.address, 'support@yourdomain.com')
  await checkSigned(instance, confirmation)
})

test('queue-based processing: each category has its own end, later for what is less urgent', async () => {
  await write('office', 'An emergency')
  await write('sales', 'An offer')
  await write('billing', 'The sum')
  await write('office', 'Nothing special')
  const [lead] = await values('SALES_LEADS', 1)
  assert.deepEqual([lead?.['contact'], lead?.['status'], lead?.['priority']], [CUSTOMER, 'new', 'high'])
  await values('EMAIL_STORAGE', 1, done('sales'))
  await values('EMAIL_STORAGE', 1, done('billing'))
  // Four answers, and three that the consumer sent.
  const copies = await arrived(instance, 7)
  const sender = (subject: string, from: string) =>
    assert.ok(
      copies.some(({ mail }) => mail.subject === subject && mail.from?.address === from),
      `${subject} from ${from}`,
    )
  sender('Re: An emergency', 'info@yourdomain.com')
  sender('Re: An offer', 'sales@yourdomain.com')
  sender('Re: The sum', 'billing@yourdomain.com')
  // What is not urgent rests for half a minute.
  await values('EMAIL_STORAGE', 1, done('office'))
  const [queue] = await api<{ queue_id: string }[]>(instance, 'GET', `${account()}/queues`)
  const backlog = async () => {
    const path = `${account()}/queues/${queue?.queue_id}/metrics`
    return (await api<{ backlog_count: number }>(instance, 'GET', path)).backlog_count
  }
  assert.equal(await eventually(backlog, (count) => count === 1), 1)
})

test('queue-based processing: what was processed is in the data points', async () => {
  const sql = `SELECT blob4 AS category, blob5 AS priority, sum(double1) AS n FROM email_processing
    WHERE blob1 = 'email_processed' GROUP BY category, priority ORDER BY category`
  const { api: base, api_token } = instance.dev
  const response = await fetch(`${base}${account()}/analytics_engine/sql`, {
    ...{ method: 'POST', body: sql, headers: { authorization: `Bearer ${api_token}` } },
  })
  const answer: { data: unknown } = JSON.parse(await response.text())
  assert.deepEqual(answer.data, [
    { category: 'billing', priority: 'high', n: 1 },
    { category: 'general', priority: 'urgent', n: 1 },
    { category: 'sales', priority: 'high', n: 1 },
    { category: 'support', priority: 'urgent', n: 1 },
  ])
})

test('nothing of it went anywhere else', () => assert.equal(wrangler.strayConnections(), 0))
