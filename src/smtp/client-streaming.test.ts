import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { createServer } from 'node:tls'
import { dotStuffed } from '#protocol/dot-stuffing.ts'
import { mtaCertificate } from '#test/real-mta.ts'
import { playServer } from '#test/smtp-dialogue.ts'
import { startSmtpServer, until } from '#test/smtp-server.ts'
import { connectSmtp } from './client.ts'
import type { SmtpTimeouts } from './client-timeouts.ts'
import { ClientWire } from './client-wire.ts'
import type { SmtpConnection, Transaction } from './smtp-connection.ts'

const UNTIL_CONTENT = `
  s: 220 mx.test ESMTP
  c: EHLO client.test
  s: 250-mx.test
  s: 250 PIPELINING
  c: MAIL FROM:<a@client.test>
  c: RCPT TO:<b@mx.test>
  c: DATA
  s: 250 ok
  s: 250 ok
  s: 354 go
`

async function open(
  { port }: { port: number },
  timeouts: Partial<SmtpTimeouts> = {},
): Promise<SmtpConnection> {
  const connection = await connectSmtp({
    ...{ host: 'mx.test', address: '127.0.0.1', port, ehloName: 'client.test', tls: 'none', timeouts },
  })
  assert.ok(connection.ok, JSON.stringify(connection))
  return connection
}

/** A content in pieces, and what became of its source. */
interface Source {
  readonly given: { bytes: number; opened: number; closed: number }
  readonly transaction: Transaction
}

function from(pieces: Iterable<Buffer>, overrides: Partial<Transaction> = {}): Source {
  const given = { bytes: 0, opened: 0, closed: 0 }
  async function* source(): AsyncGenerator<Buffer> {
    given.opened++
    try {
      for (const piece of pieces) {
        await turn()
        given.bytes += piece.length
        yield piece
      }
    } finally {
      given.closed++
    }
  }
  const content = { dotStuffed: () => dotStuffed(source()), size: 7, eightBit: false, smtpUtf8: false }
  return { given, transaction: { mailFrom: 'a@client.test', rcptTo: 'b@mx.test', content, ...overrides } }
}

function* blocks(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield Buffer.from(`.${'x'.repeat(61)}\r\n`.repeat(1000))
}

test('a content in pieces arrives whole, and the connection carries another', async (t) => {
  const server = await startSmtpServer(t, { limits: { messageBytes: 30_000_000 } })
  const connection = await open(server)
  const large = from(blocks(400))
  const pieces = ['Subject: x\r', '\n', '\r\n.', '\r\n..a\r\n', '', 'no line end'].map((piece) =>
    Buffer.from(piece),
  )
  for (const { transaction } of [large, from(pieces), from([])]) {
    assert.equal((await connection.transact(transaction)).kind, 'accepted')
  }
  assert.deepEqual(large.given, { bytes: 25_600_000, opened: 1, closed: 1 })
  assert.ok(server.messages[0]?.content.equals(Buffer.concat([...blocks(400)])))
  assert.equal(server.messages[1]?.content.toString(), 'Subject: x\r\n\r\n.\r\n..a\r\nno line end\r\n')
  assert.equal(server.messages[2]?.content.toString(), '')
  await connection.quit()
})

test('the record of the dialogue has its size, not a word of it', async () => {
  await using server = await playServer(`${UNTIL_CONTENT}\nc: secret\nc: .\ns: 250 ok`)
  const said: string[] = []
  const connection = await connectSmtp({
    ...{ host: 'mx.test', address: '127.0.0.1', port: server.port, ehloName: 'client.test', tls: 'none' },
    record: (line) => said.push(line),
  })
  assert.ok(connection.ok)
  await connection.transact(from([Buffer.from('secret\r\n')]).transaction)
  assert.deepEqual(said.slice(-2), ['c: (content, 7 bytes)', 's: 250 ok'])
})

test('the source is asked no faster than the peer takes it, and closed when it takes no more', async () => {
  await using deaf = await playServer(`${UNTIL_CONTENT}\ns: (deaf)\nc: (quiet)`)
  const { given, transaction } = from(blocks(1000))
  const stuck = await (await open(deaf, { blockMs: 100 })).transact(transaction)
  assert.ok(stuck.kind === 'lost' && stuck.phase === 'content' && !stuck.afterFinalDot, JSON.stringify(stuck))
  assert.equal(stuck.error.reason, 'timeout')
  // What the buffers of two sockets hold, of 64 MB.
  assert.ok(given.bytes < 20_000_000, `${given.bytes}`)
  assert.equal(given.closed, 1)
})

test('a peer that refuses it half-way is heard, and the source closed', async () => {
  await using impatient = await playServer(`${UNTIL_CONTENT}\ns: (deaf)\ns: 552 5.3.4 too big`)
  const { given, transaction } = from(blocks(1000))
  const connection = await open(impatient)
  const refused = await connection.transact(transaction)
  assert.ok(refused.kind === 'refused' && refused.phase === 'content' && refused.reply.code === 552)
  assert.equal(connection.usable, false)
  assert.deepEqual([given.opened, given.closed], [1, 1])
})

test('nobody asks for a content that the peer does not want', async () => {
  await using server = await playServer(UNTIL_CONTENT.replace('250 ok\n  s: 354 go', '550 no\n  s: 554 no'))
  const { given, transaction } = from(blocks(1))
  const refused = await (await open(server)).transact(transaction)
  assert.ok(refused.kind === 'refused' && refused.phase === 'rcpt')
  assert.equal(given.opened, 0)
})

test('a source that breaks ends the connection, so that the peer has no message', async (t) => {
  const server = await startSmtpServer(t)
  const connection = await open(server)
  function* breaking(): Generator<Buffer> {
    yield Buffer.from('Subject: half\r\n\r\na line\r\n')
    throw new Error('The disk is gone')
  }
  const { given, transaction } = from(breaking())
  await assert.rejects(connection.transact(transaction), /The disk is gone/)
  assert.equal(connection.usable, false)
  assert.equal(given.closed, 1)
  await connection.closed
  await until(() => server.closed === 1)
  assert.equal(server.aborted.length, 1)
  assert.deepEqual(server.messages, [])
})

test('the caller’s signal ends it half-way', async () => {
  await using deaf = await playServer(`${UNTIL_CONTENT}\ns: (deaf)\nc: (quiet)`)
  const controller = new AbortController()
  const { given, transaction } = from(blocks(1000), { signal: controller.signal })
  const running = (await open(deaf)).transact(transaction)
  setTimeout(() => controller.abort(), 30)
  const result = await running
  assert.ok(result.kind === 'lost' && result.error.reason === 'aborted' && !result.afterFinalDot)
  assert.equal(given.closed, given.opened)
})

const VECTORS = join(import.meta.dirname, '../../../shared/suites/smtp/vectors.json')
const absent = existsSync(VECTORS) ? false : 'the suites are not here'

test('SMTP smuggling: cut between any two pieces, a content stays one message', {
  skip: absent,
}, async (t) => {
  const { eod } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { eod: string[] }
  const server = await startSmtpServer(t, { features: { bareLineEnds: 'accept' } })
  const connection = await open(server)
  for (const end of eod) {
    const text = `Subject: x\r\n\r\nbody${end}MAIL FROM:<smuggled@x>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\nx\r\n`
    const content = Buffer.from(text, 'latin1')
    const start = content.indexOf('body') + 4
    for (let at = start; at <= start + end.length + 1; at++) {
      server.messages.length = 0
      const pieces = [content.subarray(0, at), content.subarray(at, at + 1), content.subarray(at + 1)]
      assert.equal((await connection.transact(from(pieces).transaction)).kind, 'accepted')
      assert.equal(server.messages.length, 1)
    }
  }
  assert.deepEqual(new Set(server.senders), new Set(['a@client.test']))
  await connection.quit()
})

test('over TLS a source that takes its time is not taken for a peer that does', async (t) => {
  const server = createServer(await mtaCertificate(), (socket) => socket.resume())
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const socket = connect(address.port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  const wire = new ClientWire(socket, undefined)
  await wire.upgrade({ rejectUnauthorized: false }, 2000)
  async function* slow(): AsyncGenerator<Buffer> {
    for (let i = 0; i < 10; i++) {
      yield Buffer.alloc(65_536, 'x')
      await sleep(5)
    }
  }
  assert.equal(await wire.sayContent({ dotStuffed: slow, size: 1 }, 2000), 'sent')
})
