import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Cloudflare from 'cloudflare'
import { type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'

let instance: Instance
let client: Cloudflare

before(async () => {
  instance = await startInstance()
  // As often as it tries by itself.
  client = sdkClient(instance.dev, { maxRetries: 2 })
})
after(async () => instance[Symbol.asyncDispose]())

const account = () => ({ account_id: instance.dev.account_id })

test('the official SDK sends, unmodified but for its base URL', async () => {
  const result = await client.emailSending.send({
    ...account(),
    from: { address: 'app@yourdomain.com', name: 'The App' },
    to: ['sdk@example.com', { address: 'named@example.com', name: null }],
    cc: 'cc@example.com',
    reply_to: 'help@yourdomain.com',
    subject: 'From the SDK',
    text: 'x',
    html: '<p>x <img src="cid:logo"></p>',
    headers: { 'X-Campaign-ID': 'sdk' },
    attachments: [
      { content: 'aGk=', filename: 'hi.txt', type: 'text/plain', disposition: 'attachment' },
      { content: 'aGk=', filename: 'logo.png', type: 'image/png', disposition: 'inline', content_id: 'logo' },
    ],
  })
  assert.deepEqual(result.delivered.toSorted(), ['cc@example.com', 'named@example.com', 'sdk@example.com'])
  assert.deepEqual(result.suppressed_recipients, [])
  assert.equal((await instance.inbox('subject:"From the SDK"', 3)).length, 3)
})

test('the official SDK sends raw MIME', async () => {
  const result = await client.emailSending.sendRaw({
    ...account(),
    from: 'app@yourdomain.com',
    recipients: ['raw@example.com'],
    mime_message:
      'From: app@yourdomain.com\nTo: raw@example.com\nSubject: raw\nContent-Type: text/plain\n\nHello, World!',
  })
  assert.deepEqual(result.delivered, ['raw@example.com'])
  assert.match(
    await instance.raw((await instance.inbox('to:raw@example.com'))[0]?.ID ?? ''),
    /\r\n\r\nHello, World!/,
  )
})

test('the official SDK tells errors apart', async () => {
  const mail = { ...account(), to: 'x@example.com', subject: 's', text: 't' }
  await assert.rejects(
    client.emailSending.send({ ...mail, from: 'a@nowhere.example' }),
    Cloudflare.PermissionDeniedError,
  )
  await assert.rejects(
    client.emailSending.send({ ...mail, from: 'not an address' }),
    Cloudflare.BadRequestError,
  )
  const stranger = sdkClient({ ...instance.dev, api_token: 'x'.repeat(40) })
  await assert.rejects(
    stranger.emailSending.send({ ...mail, from: 'a@yourdomain.com' }),
    Cloudflare.AuthenticationError,
  )
})
