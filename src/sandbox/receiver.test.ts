import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { openBodies } from '#bodies/bodies.ts'
import { createSimulator } from '#simulator/simulator.ts'
import { ContentBuffer, memoryBudget } from '#smtp/content-buffer.ts'
import { createSmtpServer } from '#smtp/server.ts'
import { openSqliteStore } from '#store/open-sqlite.ts'
import type { Store } from '#store/store.ts'
import { onBothEngines } from '#test/stores.ts'
import { openInbox } from './inbox.ts'
import { createReceiver } from './receiver.ts'

const ALL = { start: 0, limit: 100 }
const MESSAGE = { from: 'sender@example.com', to: 'anyone@anywhere.example', subject: 'Hello', text: 'Hello' }

/** The sandbox on a socket of its own, with an independent client. */
async function openSandbox(t: TestContext, world: { store: Store; directory: string }, memoryLimit?: number) {
  const inbox = openInbox({ store: world.store, bodies: openBodies(world) })
  const handler = createReceiver({
    inbox,
    simulator: {
      domain: 'simulator.posthorn.test',
      handler: createSimulator({
        keep: async ({ content, ...envelope }) => void (await inbox.add(content, envelope)),
      }),
    },
    ...(memoryLimit !== undefined && { memoryLimit }),
  })
  const server = createSmtpServer({
    hostname: 'sandbox.posthorn.test',
    handler,
    limits: { messageBytes: 40 * 1024 * 1024 },
    onError: (error) => t.diagnostic(String(error)),
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const transport = createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true })
  return {
    inbox,
    send: (message: SendMailOptions) => transport.sendMail(message),
    async [Symbol.asyncDispose]() {
      transport.close()
      await server.close({ graceMs: 1000 })
      await inbox.close()
    },
  }
}

onBothEngines(
  'a message sent by SMTP to anyone at all is in the inbox when its 250 comes',
  async (t, open) => {
    await using sandbox = await openSandbox(t, open)
    const { response } = await sandbox.send({ ...MESSAGE, bcc: 'hidden@anywhere.example' })
    const [kept] = await sandbox.inbox.list(ALL)
    assert.ok(kept)
    assert.equal(response, `250 2.0.0 Kept in the inbox as ${kept.ID}`)
    assert.equal(kept.Subject, 'Hello')
    assert.deepEqual(kept.Envelope, {
      From: 'sender@example.com',
      To: ['anyone@anywhere.example', 'hidden@anywhere.example'],
    })
    assert.deepEqual(kept.Bcc, [{ Name: '', Address: 'hidden@anywhere.example' }])
  },
)

onBothEngines('what arrives is what was sent, octet for octet, 25 MB too', async (t, open) => {
  await using sandbox = await openSandbox(t, open)
  const line = `${'0123456789'.repeat(7)}\r\n`
  for (const size of [0, 100, 25_000_000]) {
    const raw = `Subject: ${size}\r\n\r\n.dot\r\n${line.repeat(Math.ceil(size / line.length))}`
    await sandbox.send({ envelope: { from: '', to: ['to@example.com'] }, raw })
    const [kept] = await sandbox.inbox.list(ALL)
    const stored = await sandbox.inbox.raw(kept?.ID ?? '')
    assert.ok(stored?.equals(Buffer.from(raw)), `${size}: ${stored?.length}`)
  }
})

onBothEngines('simulated recipients are the simulator’s', async (t, open) => {
  await using sandbox = await openSandbox(t, open)
  await assert.rejects(sandbox.send({ ...MESSAGE, to: 'bounce+1@Simulator.posthorn.test' }), {
    responseCode: 550,
  })
  assert.deepEqual(await sandbox.inbox.list(ALL), [])
  await sandbox.send({ ...MESSAGE, to: 'delivered@simulator.posthorn.test' })
  assert.equal((await sandbox.inbox.list(ALL)).length, 1)
})

onBothEngines('simulated and other recipients do not share a transaction: 452 4.5.3', async (t, open) => {
  await using sandbox = await openSandbox(t, open)
  const to = ['first@example.com', 'delivered@simulator.posthorn.test']
  const { accepted, rejectedErrors } = await sandbox.send({ ...MESSAGE, to })
  assert.deepEqual(accepted, ['first@example.com'])
  assert.match(String(rejectedErrors?.[0]?.response), /^452 4\.5\.3 /)
})

onBothEngines(
  'more content at once than there is memory for: 452 4.3.1, and the session goes on',
  async (t, open) => {
    await using sandbox = await openSandbox(t, open, 64 * 1024)
    await assert.rejects(sandbox.send({ ...MESSAGE, text: 'x'.repeat(100_000) }), { responseCode: 452 })
    await sandbox.send(MESSAGE)
    assert.equal((await sandbox.inbox.list(ALL)).length, 1)
  },
)

test('a full disk refuses with 452 4.3.1 and keeps what is there', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-test-'))
  const store = await openSqliteStore({ directory, maxPages: 300 })
  try {
    await using sandbox = await openSandbox(t, { store, directory })
    let [sent, refused] = [0, '']
    for (; refused === '' && sent < 100; sent += refused === '' ? 1 : 0)
      refused = await sandbox.send({ ...MESSAGE, text: 'words '.repeat(5_000) }).then(
        () => '',
        (error: { response?: unknown }) => String(error.response),
      )
    assert.match(refused, /^452 4\.3\.1 /)
    const { total } = await sandbox.inbox.counts()
    assert.equal(total, sent)
    assert.ok(total > 0)
    for (const { ID } of await sandbox.inbox.list(ALL)) {
      const opened = await sandbox.inbox.open(ID)
      assert.ok(typeof opened === 'object')
      assert.equal(opened.Subject, 'Hello')
    }
    assert.equal(sandbox.inbox.activity.refused, 1)
  } finally {
    await store.close()
    rmSync(directory, { recursive: true })
  }
})

test('a content that comes in single octets costs the memory of its octets', () => {
  const budget = memoryBudget(1024 * 1024)
  const gathered = new ContentBuffer(budget)
  for (let i = 0; i < 200_000; i++) assert.ok(gathered.append(Buffer.of(i & 0xff)))
  assert.equal(gathered.content.length, 200_000)
  assert.ok(gathered.content.every((octet, i) => octet === (i & 0xff)))
  gathered.release()
  assert.ok(budget.take(1024 * 1024))
})

test('contents past the budget are refused until another is released', () => {
  const budget = memoryBudget(100_000)
  const [first, second] = [new ContentBuffer(budget), new ContentBuffer(budget)]
  assert.ok(first.append(Buffer.alloc(60_000)))
  assert.ok(!second.append(Buffer.alloc(60_000)))
  first.release()
  assert.ok(second.append(Buffer.alloc(60_000)))
})
