import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { arrived, checkAttachment, checkSubmitted, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** Nodemailer as example-smtp-clients.md uses it; only the host and the CA are ours. */
const INVOICE = {
  filename: 'invoice-2026-04.pdf',
  type: 'application/pdf',
  bytes: Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(300 * 1024)]),
}

let instance: Instance
let folder: string

before(async () => {
  instance = await startInstance()
  folder = mkdtempSync(join(tmpdir(), 'posthorn-nodemailer-'))
  writeFileSync(join(folder, INVOICE.filename), INVOICE.bytes)
})
after(async () => {
  await instance[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})
beforeEach(() => emptyInbox(instance))

function nodemailerOptions() {
  const { submission, api_token, ca } = instance.dev
  return {
    host: submission.host,
    port: submission.port,
    secure: true, // implicit TLS
    auth: { user: 'api_token', pass: api_token },
    tls: { ca: readFileSync(ca) },
  }
}

test('Nodemailer: text and HTML', async () => {
  const info = await createTransport(nodemailerOptions()).sendMail({
    from: '"Acme" <welcome@yourdomain.com>',
    to: 'user@example.com',
    cc: '"Jöe, Manager" <manager@example.com>',
    bcc: 'archive@example.com',
    subject: 'Wëlcome to Acme ✓',
    text: 'Thanks for signing up.',
    html: '<h1>Welcome to Acme</h1><p>Thanks for signing up.</p>',
  })
  const copies = await arrived(instance, 3)
  assert.deepEqual(
    copies.map(({ to }) => to),
    ['archive@example.com', 'manager@example.com', 'user@example.com'],
  )
  for (const copy of copies) {
    await checkSubmitted(instance, copy, info.response)
    assert.deepEqual(copy.mail.from, { address: 'welcome@yourdomain.com', name: 'Acme' })
    assert.deepEqual(copy.mail.to, [{ address: 'user@example.com', name: '' }])
    assert.deepEqual(copy.mail.cc, [{ address: 'manager@example.com', name: 'Jöe, Manager' }])
    assert.equal(copy.mail.subject, 'Wëlcome to Acme ✓')
    assert.equal(copy.mail.text?.trimEnd(), 'Thanks for signing up.')
    assert.equal(copy.mail.html?.trimEnd(), '<h1>Welcome to Acme</h1><p>Thanks for signing up.</p>')
    assert.doesNotMatch(copy.raw.toString('latin1'), /archive@/)
  }
})

test('Nodemailer: an attachment of 300 KB', async () => {
  const info = await createTransport(nodemailerOptions()).sendMail({
    from: '"Acme Billing" <billing@yourdomain.com>',
    to: 'customer@example.com',
    subject: 'Your invoice',
    text: 'Please find your invoice attached.',
    attachments: [
      {
        filename: 'invoice-2026-04.pdf',
        path: join(folder, 'invoice-2026-04.pdf'),
        contentType: 'application/pdf',
      },
    ],
  })
  const copy = await theOneArrived(instance)
  await checkSubmitted(instance, copy, info.response)
  assert.equal(copy.mail.text?.trimEnd(), 'Please find your invoice attached.')
  checkAttachment(copy, INVOICE)
})

test('Nodemailer: 50 messages over one pooled connection', async (t) => {
  const relay = await startRelay(instance.dev.submission.port)
  t.after(() => relay.close())
  const transport = createTransport({
    ...nodemailerOptions(),
    port: relay.port,
    pool: true,
    maxConnections: 1,
    maxMessages: 100,
  })
  const numbers = Array.from({ length: 50 }, (_, number) => String(number).padStart(2, '0'))
  const infos = await Promise.all(
    numbers.map((number) =>
      transport.sendMail({
        from: 'welcome@yourdomain.com',
        to: `user${number}@example.com`,
        subject: `Number ${number}`,
        text: `Text ${number}`,
      }),
    ),
  )
  transport.close()
  assert.equal(relay.connections(), 1)
  const copies = await arrived(instance, 50)
  for (const [index, copy] of copies.entries()) {
    const number = numbers[index]
    await checkSubmitted(instance, copy, infos[index]?.response)
    assert.deepEqual(
      [copy.to, copy.mail.subject, copy.mail.text?.trimEnd()],
      [`user${number}@example.com`, `Number ${number}`, `Text ${number}`],
    )
  }
})

test('Nodemailer: a bad token is 535, a foreign domain 550', async () => {
  const options = nodemailerOptions()
  const message = { to: 'user@example.com', subject: 'x', text: 'x' }
  await assert.rejects(
    createTransport({ ...options, auth: { user: 'api_token', pass: 'no-such-token' } }).sendMail({
      ...message,
      from: 'welcome@yourdomain.com',
    }),
    { responseCode: 535, code: 'EAUTH' },
  )
  await assert.rejects(createTransport(options).sendMail({ ...message, from: 'welcome@foreign.example' }), {
    responseCode: 550,
    message: /5\.7\.1 .*foreign\.example/,
  })
})

/** Passes bytes on, and counts who comes. */
async function startRelay(port: number) {
  let connections = 0
  const server = createServer((near) => {
    connections++
    const far = connect(port, 'localhost')
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) {
      socket.on('error', () => {})
      socket.on('close', () => [near, far].map((end) => end.destroy()))
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address() as AddressInfo
  return { port: address.port, connections: () => connections, close: () => server.close() }
}
