import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import type { ComplaintWorld } from '#inbound/feedback/take-complaint.ts'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { openLog } from '#observe/log.ts'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { encodeReturnPath } from '#protocol/return-path.ts'
import { connectSmtp } from '#smtp/client.ts'
import type { SmtpHandler } from '#smtp/handler.ts'
import { newId } from '#store/id.ts'
import { type FeedbackWorld, openFeedbackWorld, RETURN_KEY, signedBy } from '#test/feedback-world.ts'
import { complaintReport, statusReport } from '#test/returned-mail.ts'
import { playClient } from '#test/smtp-dialogue.ts'
import { openTestStore } from '#test/stores.ts'
import { createMxServer, type MxOptions } from './mx-server.ts'

const folder = await mkdtemp(join(tmpdir(), 'posthorn-mx-'))
after(() => rm(folder, { recursive: true }))
const ca = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })

const KEPT = 'someone@remote.example'

interface Door extends FeedbackWorld {
  readonly port: number
}

async function openDoor(
  t: TestContext,
  options: Partial<MxOptions> = {},
  more: Partial<ComplaintWorld> = {},
): Promise<Door> {
  const store = await openTestStore('sqlite')
  const world = await openFeedbackWorld(store, more)
  const server = createMxServer({
    hostname: 'route1.mx.posthorn.test',
    certificate: () => ca.leaf,
    feedback: world.feedback,
    log: openLog('silent'),
    ...options,
  })
  t.after(async () => {
    await server.close({ graceMs: 0 })
    await world[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return Object.assign(world, { port })
}

/** Our own client, over TLS: the reply to the first refusal or to the content. */
async function send(port: number, to: string | string[], content: Buffer, mailFrom = ''): Promise<string> {
  const connection = await connectSmtp({
    host: 'route1.mx.posthorn.test',
    address: '127.0.0.1',
    port,
    ehloName: 'mail.remote.example',
    tls: 'opportunistic',
  })
  assert.ok(connection.ok)
  assert.ok(connection.tls)
  const result = await connection.transact({
    mailFrom,
    rcptTo: to,
    content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
  })
  await connection.quit()
  return result.kind === 'lost' ? 'lost' : `${result.reply.code} ${result.reply.enhanced}`
}

const HELLO = `
  s: 220 route1.mx.posthorn.test Posthorn Email ESMTP Service ready
  c: EHLO mail.remote.example
  s: 250-route1.mx.posthorn.test greets mail.remote.example
  s: 250-SIZE 26214400
  s: 250-8BITMIME
  s: 250-PIPELINING
  s: 250-SMTPUTF8
  s: 250-STARTTLS
  s: 250 ENHANCEDSTATUSCODES
`

test('a bounce comes over TLS to a return path, and is a report', async (t) => {
  const door = await openDoor(t)
  const { returnPath } = await door.delivered(KEPT)
  assert.equal(await send(door.port, returnPath, statusReport({ recipient: KEPT })), '250 2.0.0')
  assert.equal(
    await send(door.port, returnPath.toUpperCase(), statusReport({ recipient: KEPT })),
    '250 2.0.0',
  )
  assert.deepEqual(
    (await door.suppressions()).map(({ reason }) => reason),
    ['hard_bounce'],
  )
  assert.equal((await door.reports()).length, 1)
})

test('a signed complaint comes to the address for complaints', async (t) => {
  const door = await openDoor(t)
  const { returnPath } = await door.delivered(KEPT)
  const report = complaintReport({ fields: `Original-Mail-From: <${returnPath}>\n` })
  const to = 'fbl@cf-bounce.yourdomain.com'
  assert.equal(await send(door.port, to, report), '250 2.0.0')
  assert.deepEqual(await door.suppressions(), [])
  assert.equal(await send(door.port, to, await signedBy('broken.example', report)), '451 4.4.3')
  assert.equal(
    await send(door.port, to, await signedBy('provider.example', report), 'fbl@provider.example'),
    '250 2.0.0',
  )
  assert.deepEqual(
    (await door.suppressions()).map(({ reason }) => reason),
    ['complaint'],
  )
})

test('a delivery that is being settled puts the bounce off', async (t) => {
  const door = await openDoor(t)
  const [sent] = await door.promise([KEPT])
  assert.ok(sent)
  assert.equal(await send(door.port, sent.returnPath, statusReport({ recipient: KEPT })), '451 4.3.2')
})

test('what is no address of ours is refused at RCPT: nothing is relayed', async (t) => {
  const door = await openDoor(t)
  const forged = encodeReturnPath(newId(), { ...RETURN_KEY, key: Buffer.alloc(32, 9) })
  const unknown = [
    `${forged}@cf-bounce.yourdomain.com`,
    `${encodeReturnPath(newId(), RETURN_KEY)}@cf-bounce.yourdomain.com`,
    'postmaster@cf-bounce.yourdomain.com',
    'user%victim.example@cf-bounce.yourdomain.com',
    'victim.example!user@cf-bounce.yourdomain.com',
    '"user@victim.example"@cf-bounce.yourdomain.com',
    'someone@email.posthorn.test',
  ]
  const foreign = [
    'victim@elsewhere.example',
    'someone@yourdomain.com',
    'x@cf-bounce.stranger.example',
    'x@[127.0.0.1]',
    'postmaster',
  ]
  await playClient(
    door.port,
    `${HELLO}
      c: MAIL FROM:<>
      s: 250 2.1.0 Ok
      ${unknown.map((path) => `c: RCPT TO:<${path}>\ns: 550 5.1.1 No such address…`).join('\n')}
      ${foreign.map((path) => `c: RCPT TO:<${path}>\ns: 550 5.7.1 Relaying denied…`).join('\n')}
      c: RCPT TO:<@yourdomain.com:victim@elsewhere.example>
      s: 5…
      c: RCPT TO:<victim@elsewhere.example@cf-bounce.yourdomain.com>
      s: 5…
      c: DATA
      s: 554 5.5.1 No valid recipients
      c: QUIT
      s: 221 …
    `,
  )
})

test('an expired return path is told apart', async (t) => {
  const door = await openDoor(t, {}, { now: () => Date.now() + 61 * 86_400_000 })
  const { returnPath } = await door.delivered(KEPT)
  assert.equal(await send(door.port, returnPath, statusReport({ recipient: KEPT })), '550 5.7.1')
  assert.deepEqual(await door.reports(), [])
})

test('a recipient to whom something comes back is alone in its transaction', async (t) => {
  const taken: string[] = []
  const fallback: SmtpHandler = {
    data: ({ envelope }) => ({
      write: () => {},
      end: async () => {
        taken.push(...envelope.to)
        return { code: 250, enhanced: '2.0.0', text: 'Kept' }
      },
      abort: () => {},
    }),
  }
  const door = await openDoor(t, { fallback })
  const [one, two] = [await door.delivered(KEPT), await door.delivered('other@remote.example')]
  await playClient(
    door.port,
    `${HELLO}
      c: MAIL FROM:<a@remote.example>
      s: 250 …
      c: RCPT TO:<${one.returnPath}>
      s: 250 …
      c: RCPT TO:<${two.returnPath}>
      s: 452 4.5.3 This recipient wants a transaction of its own
      c: RCPT TO:<someone@yourdomain.com>
      s: 452 4.5.3 …
      c: RSET
      s: 250 …
      c: MAIL FROM:<a@remote.example>
      s: 250 …
      c: RCPT TO:<someone@yourdomain.com>
      s: 250 …
      c: RCPT TO:<fbl@cf-bounce.yourdomain.com>
      s: 452 4.5.3 …
      c: RCPT TO:<else@yourdomain.com>
      s: 250 …
      c: DATA
      s: 354 …
      c: Subject: x
      c: .
      s: 250 2.0.0 Kept
      c: MAIL FROM:<>
      s: 250 …
      c: RCPT TO:<${one.returnPath}>
      s: 250 …
      c: DATA
      s: 354 …
      c: Subject: nothing
      c: .
      s: 250 2.0.0 Ok
      c: QUIT
      s: 221 …
    `,
  )
  assert.deepEqual(taken, ['someone@yourdomain.com', 'else@yourdomain.com'])
})

test('the fallback decides about its own mail and hears of no other', async (t) => {
  const heard: string[] = []
  const fallback: SmtpHandler = {
    mail: (_, from) => {
      heard.push(`mail ${from}`)
      return from === 'spammer@remote.example'
        ? { code: 550, enhanced: '5.7.1', text: 'Not from you' }
        : undefined
    },
    rcpt: (_, to) => {
      heard.push(`rcpt ${to}`)
      return to.startsWith('no') ? { code: 550, enhanced: '5.1.1', text: 'Nobody' } : undefined
    },
    data: () => ({ code: 451, enhanced: '4.3.0', text: 'Not now' }),
  }
  const door = await openDoor(t, { fallback })
  const { returnPath } = await door.delivered(KEPT)
  await send(door.port, returnPath, statusReport({ recipient: KEPT }))
  assert.deepEqual(heard, [])
  await playClient(
    door.port,
    `${HELLO}
      c: MAIL FROM:<spammer@remote.example>
      s: 250 …
      c: RCPT TO:<a@yourdomain.com>
      s: 550 5.7.1 Not from you
      c: RSET
      s: 250 …
      c: MAIL FROM:<a@remote.example>
      s: 250 …
      c: RCPT TO:<nobody@yourdomain.com>
      s: 550 5.1.1 Nobody
      c: RCPT TO:<a@yourdomain.com>
      s: 250 …
      c: DATA
      s: 451 4.3.0 Not now
      c: QUIT
      s: 221 …
    `,
  )
  assert.deepEqual(heard, [
    'mail spammer@remote.example',
    'mail a@remote.example',
    'rcpt nobody@yourdomain.com',
    'rcpt a@yourdomain.com',
  ])
})

test('more than thirty hops are a loop (RFC 5321 §6.3)', async (t) => {
  const door = await openDoor(t)
  const { returnPath } = await door.delivered(KEPT)
  const looping = (hops: number) =>
    statusReport({ recipient: KEPT, header: 'Received: from a by b; now\n'.repeat(hops) })
  assert.equal(await send(door.port, returnPath, looping(31)), '554 5.4.6')
  assert.deepEqual(await door.reports(), [])
  assert.equal(await send(door.port, returnPath, looping(30)), '250 2.0.0')
  assert.equal((await door.reports()).length, 1)
})

test('what does not fit into the memory comes again, and leaves room for others', async (t) => {
  const door = await openDoor(t, { memoryLimit: 64 * 1024 })
  const { returnPath } = await door.delivered(KEPT)
  const large = Buffer.concat([statusReport({ recipient: KEPT }), Buffer.alloc(100_000, 'x\r\n')])
  assert.equal(await send(door.port, returnPath, large), '452 4.3.1')
  assert.equal(await send(door.port, returnPath, statusReport({ recipient: KEPT })), '250 2.0.0')
})
