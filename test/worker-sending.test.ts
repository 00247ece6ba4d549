import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { arrived, checkAttachment, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { checkSigned } from '#test/check-signed.ts'
import { deployExample } from '#test/example-worker.ts'
import { fetchWorker, postJson, workerUrl } from '#test/fetch-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { api } from '#test/routing-instance.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** The Workers of sending-workers-api.md, start-send-emails.md, example-recipients.md, reference-headers.md and
 *  localdev-sending.md as they are published, deployed and asked over HTTP; what they send is in the inbox. */
let instance: Instance
let wrangler: Wrangler
const at: Record<string, string> = {}

const EMAIL = { send_email: [{ name: 'EMAIL' }] }
const REMOTE = { send_email: [{ name: 'EMAIL', remote: true }] }
const OTHERS_ONLY = {
  send_email: [{ name: 'EMAIL', allowed_sender_addresses: ['support@yourdomain.com'] }],
}
const DEPLOYED: readonly (readonly [name: string, source: string, config: object])[] = [
  ['email-service-tutorial', 'start-send-emails/first-email.ts', REMOTE],
  ['send-method', 'sending-workers-api/send-method.ts', EMAIL],
  ['error-handling', 'sending-workers-api/error-handling.ts', EMAIL],
  ['restricted', 'sending-workers-api/error-handling.ts', OTHERS_ONLY],
  ['legacy', 'sending-workers-api/legacy-email-message.ts', EMAIL],
  ['recipients', 'example-recipients/recipients.ts', EMAIL],
  ['headers', 'reference-headers/headers.ts', EMAIL],
  ['email-sending-worker', 'localdev-sending/basic-sending-worker.js', EMAIL],
]

before(async () => {
  instance = await startInstance()
  wrangler = await openWrangler(instance)
  for (const [name, source, config] of DEPLOYED)
    at[name] = workerUrl(instance, await deployExample(wrangler, { name, source, config }))
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})
beforeEach(() => emptyInbox(instance))

const ask = (name: string, path = '/', init?: RequestInit) => fetchWorker(`${at[name]}${path}`, init)
const said = async (name: string, path?: string) => {
  const { status, text } = await ask(name, path)
  return { status, body: JSON.parse(text) }
}
const MESSAGE_ID = /^<[^<>\s@]+@yourdomain\.com>$/

test('start-send-emails: the first e-mail', async () => {
  const { status, text } = await ask('email-service-tutorial')
  assert.equal(status, 200)
  const copy = await theOneArrived(instance)
  assert.equal(text, `Email sent: ${copy.mail.messageId}`)
  assert.match(copy.mail.messageId ?? '', MESSAGE_ID)
  const { from, to, subject, html, text: plain } = copy.mail
  assert.deepEqual([from?.address, to?.[0]?.address], ['welcome@yourdomain.com', 'recipient@example.com'])
  assert.equal(subject, 'Welcome to our service!')
  assert.equal(html?.trim(), '<h1>Welcome!</h1><p>Thanks for signing up.</p>')
  assert.equal(plain?.trim(), 'Welcome! Thanks for signing up.')
  await checkSigned(instance, copy)
})

test('sending-workers-api: basic usage', async () => {
  const { status, body } = await said('send-method', '/basic-usage')
  assert.equal(status, 200)
  const { mail, to } = await theOneArrived(instance)
  assert.deepEqual(body, { messageId: mail.messageId })
  assert.equal(to, 'recipient@example.com')
})

test("sending-workers-api: the page's placeholder is no base64, and the error names where it stands", async () => {
  const { status, body } = await said('send-method', '/attachments')
  assert.equal(status, 500)
  assert.equal(body.code, 'E_VALIDATION_ERROR')
  assert.match(body.message, /attachments\b.*\bcontent\b.*base64|base64.*attachments\b.*\bcontent\b/i)
  await arrived(instance, 0)
})

test('sending-workers-api: errors', async () => {
  const sent = await said('error-handling')
  const { mail } = await theOneArrived(instance)
  assert.deepEqual(sent, { status: 200, body: { success: true, emailId: mail.messageId } })
  assert.deepEqual(await said('restricted'), {
    status: 400,
    body: { success: false, error: 'Please verify your sender domain first' },
  })

  const suppressions = `/accounts/${instance.dev.account_id}/email/sending/suppressions`
  const { id } = await api<{ id: string }>(instance, 'POST', suppressions, { email: 'user@example.com' })
  const { status, body } = await said('error-handling')
  assert.equal(status, 500)
  assert.equal(body.success, false)
  assert.match(body.error, /user@example\.com/)
  await api(instance, 'DELETE', `${suppressions}/${id}`)
  await arrived(instance, 1)
})

test('sending-workers-api: a raw message of mimetext', async () => {
  const { status, text } = await ask('legacy')
  assert.deepEqual([status, text], [200, 'Legacy email sent'])
  const copy = await theOneArrived(instance)
  assert.equal(copy.to, 'recipient@example.com')
  const { from, subject, html } = copy.mail
  assert.deepEqual(from, { name: 'Sender', address: 'sender@yourdomain.com' })
  assert.equal(subject, 'Legacy Email')
  assert.equal(html?.trim(), '<h1>Hello from legacy API</h1>')
  await checkSigned(instance, copy)
})

test('example-recipients: several', async () => {
  const { body } = await said('recipients', '/multiple-recipients')
  const copies = await arrived(instance, 3)
  const everybody = ['user1@example.com', 'user2@example.com', 'user3@example.com']
  assert.deepEqual(
    copies.map(({ to }) => to),
    everybody,
  )
  for (const { mail } of copies) {
    assert.equal(mail.messageId, body.messageId)
    assert.deepEqual(mail.from, { name: 'Newsletter Team', address: 'newsletter@yourdomain.com' })
    assert.deepEqual(
      mail.to?.map(({ address }) => address),
      everybody,
    )
  }
})

test('example-recipients: Cc and Bcc', async () => {
  assert.equal((await said('recipients', '/cc-and-bcc')).status, 200)
  const copies = await arrived(instance, 3)
  assert.deepEqual(
    copies.map(({ to }) => to),
    ['archive@example.com', 'customer@example.com', 'manager@example.com'],
  )
  for (const { mail, header } of copies) {
    assert.deepEqual(
      [mail.to, mail.cc, mail.replyTo].map((list) => list?.map(({ address }) => address)),
      [['customer@example.com'], ['manager@example.com'], ['support@yourdomain.com']],
    )
    assert.equal(mail.subject, 'Order Confirmation #12345')
    assert.doesNotMatch(header, /^Bcc:|archive@example\.com/im)
  }
})

test('example-recipients: named, and mixed with plain', async () => {
  assert.equal((await said('recipients', '/named-recipients')).status, 200)
  const { mail } = await theOneArrived(instance)
  assert.deepEqual(mail.from, { name: 'Support Team', address: 'support@yourdomain.com' })
  assert.deepEqual(mail.to, [{ name: 'Jane Doe', address: 'jane@example.com' }])

  await emptyInbox(instance)
  assert.equal((await said('recipients', '/mixed-recipients')).status, 200)
  const copies = await arrived(instance, 2)
  for (const copy of copies)
    assert.deepEqual(copy.mail.to, [
      { name: '', address: 'plain@example.com' },
      { name: 'Jane Doe', address: 'jane@example.com' },
    ])
})

test('reference-headers: threading, list management and tracking', async () => {
  assert.equal((await said('headers')).status, 200)
  const copy = await theOneArrived(instance)
  const original = '<original-message-id@yourdomain.com>'
  const values = {
    'in-reply-to': original,
    references: original,
    'list-unsubscribe': '<https://yourdomain.com/unsubscribe?id=abc123>',
    'list-unsubscribe-post': 'List-Unsubscribe=One-Click',
    'x-campaign-id': 'weekly-digest-2026-03',
    'x-user-segment': 'premium',
  }
  for (const [name, value] of Object.entries(values))
    assert.deepEqual(
      copy.mail.headers.filter(({ key }) => key === name).map(({ value }) => value),
      [value],
      name,
    )
  await checkSigned(instance, copy)
})

test('localdev-sending: what the request says is sent', async () => {
  const worker = `${at['email-sending-worker']}/`
  const bytes = randomBytes(200_000)
  const { status, body } = await postJson(worker, {
    to: 'recipient@example.com',
    from: 'sender@yourdomain.com',
    subject: 'Test Email',
    html: '<h1>Hello from Wrangler!</h1>',
    text: 'Hello from Wrangler!',
    attachments: [
      {
        ...{ content: bytes.toString('base64'), filename: 'a.pdf', type: 'application/pdf' },
        disposition: 'attachment',
      },
    ],
  })
  assert.equal(status, 200)
  const copy = await theOneArrived(instance)
  assert.deepEqual(body, { success: true, id: copy.mail.messageId })
  assert.equal(copy.mail.text?.trim(), 'Hello from Wrangler!')
  checkAttachment(copy, { filename: 'a.pdf', type: 'application/pdf', bytes })
})

test('localdev-sending: what cannot be sent says which field', async () => {
  const worker = `${at['email-sending-worker']}/`
  assert.deepEqual(await fetchWorker(worker), {
    ...{ status: 405, contentType: 'text/plain;charset=UTF-8', text: 'Method not allowed' },
  })
  const refused = async (body: object) => {
    const answer = await postJson(worker, body)
    assert.equal(answer.status, 500)
    // The test states the shape that the page documents.
    const { success, error } = answer.body as { success: boolean; error: string }
    assert.equal(success, false)
    return error
  }
  const mail = { to: 'a@example.com', from: 'sender@yourdomain.com', subject: 'x', text: 'x' }
  assert.match(await refused({ ...mail, to: undefined }), /\bto\b/)
  assert.match(await refused({ ...mail, from: 'nobody' }), /\bfrom\b/)
  assert.match(await refused({ ...mail, from: 'a@elsewhere.example' }), /elsewhere\.example/)
  assert.match(await refused({ ...mail, reply_to: 'b@yourdomain.com' }), /replyTo/)
  await arrived(instance, 0)
})

test('nothing of it went anywhere else', () => assert.equal(wrangler.strayConnections(), 0))
