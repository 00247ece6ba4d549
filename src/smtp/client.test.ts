import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { type PlayedServer, playServer } from '#test/smtp-dialogue.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { type ConnectOptions, connectSmtp } from './client.ts'
import type { SmtpConnection, Transaction } from './smtp-connection.ts'

const OPENING = `
  s: 220 mx.test ESMTP
  c: EHLO client.test
  s: 250-mx.test
  s: 250-PIPELINING
  s: 250-SIZE 1000000
  s: 250 8BITMIME
`
const STEPWISE_OPENING = `
  s: 220 mx.test
  c: EHLO client.test
  s: 250 mx.test
`
const ENVELOPE = `
  c: MAIL FROM:<a@client.test> SIZE=7
  c: RCPT TO:<b@mx.test>
  c: DATA
`
const CONTENT = `
  c: hello
  c: .
`

async function tryConnect({ port }: { port: number }, options: Partial<ConnectOptions> = {}) {
  return connectSmtp({
    host: 'mx.test',
    address: '127.0.0.1',
    port,
    ehloName: 'client.test',
    tls: 'none',
    ...options,
  })
}

async function open(server: PlayedServer, options: Partial<ConnectOptions> = {}): Promise<SmtpConnection> {
  const connection = await tryConnect(server, options)
  assert.ok(connection.ok, JSON.stringify(connection))
  return connection
}

function hello(overrides: Partial<Transaction> = {}): Transaction {
  const content = Buffer.from('hello\r\n')
  return {
    mailFrom: 'a@client.test',
    rcptTo: 'b@mx.test',
    content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
    ...overrides,
  }
}

test('RFC 2920: MAIL, RCPT and DATA in one go, transaction after transaction, over one connection', async () => {
  await using server = await playServer(`${OPENING}
    ${ENVELOPE}
    s: 250 2.1.0 ok
    s: 250 2.1.5 ok
    s: 354 go
    ${CONTENT}
    s: 250 2.0.0 kept as 1
    ${ENVELOPE}
    s: 250 2.1.0 ok
    s: 250 2.1.5 ok
    s: 354 go
    ${CONTENT}
    s: 250-2.0.0 kept
    s: 250 2.0.0 as 2
    c: QUIT
    s: 221 bye
    c: (close)
  `)
  const dialogue: string[] = []
  const connection = await open(server, { record: (line) => dialogue.push(line) })
  assert.equal(connection.extensions.get('SIZE'), '1000000')
  const first = await connection.transact(hello())
  assert.deepEqual(first, {
    kind: 'accepted',
    reply: { code: 250, enhanced: '2.0.0', text: 'kept as 1' },
    refused: [],
  })
  const second = await connection.transact(hello())
  assert.ok(second.kind === 'accepted' && second.reply.text === 'kept\nas 2')
  assert.ok(connection.usable)
  await connection.quit()
  assert.equal(connection.usable, false)
  await server.done
  assert.deepEqual(dialogue.slice(6, 15), [
    'c: MAIL FROM:<a@client.test> SIZE=7',
    'c: RCPT TO:<b@mx.test>',
    'c: DATA',
    's: 250 2.1.0 ok',
    's: 250 2.1.5 ok',
    's: 354 go',
    'c: (content, 10 bytes)',
    's: 250 2.0.0 kept as 1',
    'c: MAIL FROM:<a@client.test> SIZE=7',
  ])
})

test('without PIPELINING each command waits for the reply to the one before, and nothing is said that was not offered', async () => {
  await using server = await playServer(`${STEPWISE_OPENING}
    c: MAIL FROM:<a@client.test>
    c: (quiet)
    s: 250 ok
    c: RCPT TO:<1@mx.test>
    c: (quiet)
    s: 550 5.1.1 no
    c: RCPT TO:<2@mx.test>
    c: (quiet)
    s: 250 ok
    c: DATA
    c: (quiet)
    s: 354 go
    ${CONTENT}
    s: 250 kept
    c: MAIL FROM:<a@client.test>
    s: 250 ok
    c: RCPT TO:<b@mx.test>
    s: 450 later
    c: RSET
    c: (quiet)
    s: 250 ok
    c: MAIL FROM:<>
    s: 550 5.7.1 no
    c: (quiet)
  `)
  const connection = await open(server)
  const eightBit = { ...hello().content, eightBit: true }
  const first = await connection.transact(hello({ rcptTo: ['1@mx.test', '2@mx.test'], content: eightBit }))
  assert.deepEqual(first, {
    kind: 'accepted',
    reply: { code: 250, text: 'kept' },
    refused: [{ rcptTo: '1@mx.test', reply: { code: 550, enhanced: '5.1.1', text: 'no' } }],
  })
  const second = await connection.transact(hello())
  assert.ok(second.kind === 'refused' && second.phase === 'rcpt' && second.reply.code === 450)
  const third = await connection.transact(hello({ mailFrom: '' }))
  assert.ok(third.kind === 'refused' && third.phase === 'mail' && third.reply.code === 550)
  await server.done
})

test('RFC 1870, RFC 6152: SIZE= and BODY=8BITMIME where they are offered', async () => {
  await using server = await playServer(`${OPENING}
    c: MAIL FROM:<> SIZE=7 BODY=8BITMIME
    c: RCPT TO:<"a>b c"@mx.test>
    c: DATA
    s: 552 5.3.4 too big
    s: 503 no
    s: 503 no
  `)
  const connection = await open(server)
  const content = { ...hello().content, eightBit: true }
  const result = await connection.transact(hello({ mailFrom: '', rcptTo: '"a>b c"@mx.test', content }))
  assert.ok(result.kind === 'refused' && result.phase === 'mail' && result.reply.enhanced === '5.3.4')
  assert.ok(connection.usable)
})

test('RFC 2920: refused recipients, refused DATA, and a 354 nobody can use', async () => {
  await using server = await playServer(`${OPENING}
    ${ENVELOPE}
    s: 250 ok
    s: 550 5.1.1 no such mailbox
    s: 503 no recipients
    # the transaction is still open over there
    c: RSET
    ${ENVELOPE}
    s: 250 ok
    s: 250 ok
    s: 451 4.7.1 later
    s: 354 go
    c: .
    s: 554 no recipients
    # the dot ended it
    ${ENVELOPE}
    s: 250 ok
    s: 250 ok
    s: 451 4.3.0 not now
    c: RSET
    ${ENVELOPE}
    s: 250 ok
    s: 250 ok
    s: 250 ok
    s: 354 go
    ${CONTENT}
    s: 554 5.7.1 spam
    ${ENVELOPE}
    s: 451 4.1.8 no
    s: 250 odd
    s: 354 odd
    c: .
    s: 250 odder
    c: (quiet)
  `)
  const connection = await open(server)
  const outcomes: string[] = []
  for (let count = 0; count < 5; count++) {
    const result = await connection.transact(hello())
    outcomes.push(result.kind === 'refused' ? `${result.phase} ${result.reply.code}` : result.kind)
  }
  assert.deepEqual(outcomes, ['rcpt 550', 'rcpt 451', 'data 451', 'content 554', 'mail 451'])
  assert.ok(connection.usable)
  await server.done
})

test('what follows a refused MAIL is heard to its end, however it ends', async () => {
  for (const end of ['s: 421 4.3.2 going', 's: (close)', 's: 503 no\ns: 421 going']) {
    await using server = await playServer(`${OPENING}${ENVELOPE}\ns: 550 5.7.1 not you\n${end}`)
    const connection = await open(server)
    const result = await connection.transact(hello())
    assert.ok(result.kind === 'refused' && result.phase === 'mail' && result.reply.code === 550)
    assert.equal(connection.usable, false)
  }
})

test('RFC 5321 §4.1.1.5: a RSET that is refused is nobody’s refusal of a message', async () => {
  await using server = await playServer(`${OPENING}${ENVELOPE}
    s: 250 ok
    s: 550 no
    s: 503 no
    c: RSET
    ${ENVELOPE}
    s: 500 what?
    s: 503 no
    s: 503 no
    s: 503 no
  `)
  const connection = await open(server)
  await connection.transact(hello())
  const result = await connection.transact(hello())
  assert.ok(result.kind === 'lost' && result.phase === 'mail' && result.error.reason === 'protocol')
  assert.equal(connection.usable, false)
})

// What the peer says before the given phase, when all goes well.
const BEFORE = {
  mail: `${OPENING}${ENVELOPE}`,
  rcpt: `${OPENING}${ENVELOPE}
    s: 250 ok`,
  data: `${OPENING}${ENVELOPE}
    s: 250 ok
    s: 250 ok`,
  content: `${OPENING}${ENVELOPE}
    s: 250 ok
    s: 250 ok
    s: 354 go
    ${CONTENT}`,
}
const PHASES = ['mail', 'rcpt', 'data', 'content'] as const

test('RFC 5321 §3.8: a 421 at any phase is a refusal, and the connection is over', async () => {
  for (const phase of PHASES) {
    await using server = await playServer(`${BEFORE[phase]}\ns: 421 4.3.2 shutting down`)
    const connection = await open(server)
    const result = await connection.transact(hello())
    assert.ok(result.kind === 'refused', JSON.stringify(result))
    assert.deepEqual([result.phase, result.reply.code, result.reply.enhanced], [phase, 421, '4.3.2'])
    assert.equal(connection.usable, false)
    await connection.closed
  }
})

test('a connection lost at any phase says whether the peer may have the message', async () => {
  for (const phase of PHASES) {
    for (const end of ['(close)', '(reset)']) {
      await using server = await playServer(`${BEFORE[phase]}\ns: ${end}`)
      const connection = await open(server)
      const result = await connection.transact(hello())
      assert.ok(result.kind === 'lost', JSON.stringify(result))
      assert.deepEqual([result.phase, result.afterFinalDot], [phase, phase === 'content'])
      assert.match(result.error.reason, /^(?:closed|network)$/)
      assert.equal(connection.usable, false)
      const again = await connection.transact(hello())
      assert.ok(again.kind === 'lost' && again.phase === 'mail' && !again.afterFinalDot)
    }
  }
})

test('RFC 5321 §4.5.3.2: each phase has its time-out', async () => {
  const long = 60_000
  const none = { mailMs: long, rcptMs: long, dataMs: long, finalDotMs: long }
  const settings = { mail: 'mailMs', rcpt: 'rcptMs', data: 'dataMs', content: 'finalDotMs' } as const
  for (const phase of PHASES) {
    await using server = await playServer(`${BEFORE[phase]}\nc: (close)`)
    const connection = await open(server, { timeouts: { ...none, [settings[phase]]: 50 } })
    const result = await connection.transact(hello())
    assert.ok(result.kind === 'lost', JSON.stringify(result))
    assert.deepEqual(
      [result.phase, result.afterFinalDot, result.error.reason],
      [phase, phase === 'content', 'timeout'],
    )
  }
})

test('what is not SMTP is a protocol failure, at any phase', async () => {
  for (const phase of PHASES) {
    const wrong = { mail: '354 go', rcpt: '354 go', data: '250 ok', content: '354 go' }[phase]
    for (const said of [wrong, 'hello', '250-a\ns: 251 b', '999 what', '250 bare\\nline']) {
      await using server = await playServer(`${BEFORE[phase]}\ns: ${said}`)
      const connection = await open(server)
      const result = await connection.transact(hello())
      assert.ok(result.kind === 'lost', `${said}: ${JSON.stringify(result)}`)
      assert.deepEqual([result.phase, result.error.reason, connection.usable], [phase, 'protocol', false])
    }
  }
})

test('a reply that never ends is cut off', async () => {
  const endless = 's: 250-and so on\n'.repeat(130)
  await using server = await playServer(`${BEFORE.content}\n${endless}`)
  const connection = await open(server)
  const result = await connection.transact(hello())
  assert.ok(result.kind === 'lost' && result.error.reason === 'protocol' && result.afterFinalDot)
  await using slow = await playServer(
    `${OPENING}${ENVELOPE}\ns: 250-and\nc: (quiet)\ns: 250-so on\nc: (close)`,
  )
  const dripping = await (await open(slow, { timeouts: { mailMs: 60 } })).transact(hello())
  assert.ok(dripping.kind === 'lost' && dripping.error.reason === 'timeout', 'lines do not extend the time')
})

test('more replies than commands are no acceptance', async () => {
  await using server = await playServer(`${OPENING}${ENVELOPE}
    s: 250 ok
    s: 250 ok
    s: 354 go
    s: 250 kept, or so it says
  `)
  const result = await (await open(server)).transact(hello())
  assert.ok(result.kind === 'lost' && result.phase === 'content' && !result.afterFinalDot)
})

test('a peer that ends an idle connection makes it unusable', async () => {
  await using server = await playServer(`${OPENING}${ENVELOPE}
    s: 250 ok
    s: 250 ok
    s: 354 go
    ${CONTENT}
    s: 250 ok
    s: 421 4.4.2 idle for too long
  `)
  const connection = await open(server)
  assert.equal((await connection.transact(hello())).kind, 'accepted')
  await connection.closed
  assert.equal(connection.usable, false)
  await using closing = await playServer(`${OPENING}\ns: (close)`)
  const second = await open(closing)
  await second.closed
  assert.equal(await second.rset(), false)
  await second.quit()
})

test('no path can end its command', async () => {
  await using server = await playServer(`${OPENING}\nc: (quiet)`)
  const connection = await open(server)
  const bad = [
    'a@b\r\nDATA',
    'a@b\nDATA',
    'a@b\r',
    'a@b>',
    'a>b@c',
    'a b@c',
    '<a@b>',
    'a',
    '@b',
    'a@b> SIZE=1',
    'a@b\0',
  ]
  for (const path of bad) {
    await assert.rejects(connection.transact(hello({ mailFrom: path })), /Not a mailbox/)
    await assert.rejects(connection.transact(hello({ rcptTo: ['ok@mx.test', path] })), /Not a mailbox/)
  }
  await assert.rejects(connection.transact(hello({ rcptTo: '' })), /Not a mailbox/)
  await assert.rejects(connection.transact(hello({ rcptTo: [] })), /recipient/)
  await assert.rejects(tryConnect(server, { ehloName: 'a\r\nb' }), /EHLO/)
  assert.ok(connection.usable)
  await server.done
})

test('RFC 6531: SMTPUTF8 where it is needed, and no message to hosts that lack it', async () => {
  await using lacking = await playServer(`${OPENING}\nc: (quiet)`)
  const refused = await (await open(lacking)).transact(hello({ rcptTo: 'ü@mx.test' }))
  assert.ok(refused.kind === 'refused' && refused.reply.enhanced === '5.6.7')
  await lacking.done
  const server = `
    s: 220 mx.test
    c: EHLO client.test
    s: 250-mx.test
    s: 250 SMTPUTF8
    c: MAIL FROM:<a@client.test> SMTPUTF8
    s: 250 ok
    c: RCPT TO:<\\xc3\\xbc@mx.test>
    s: 550 no
  `
  await using offering = await playServer(server)
  await (await open(offering)).transact(hello({ rcptTo: 'ü@mx.test' }))
  await offering.done
})

test('one transaction at a time', async () => {
  await using server = await playServer(`${OPENING}${ENVELOPE}\nc: (close)`)
  const connection = await open(server)
  const first = connection.transact(hello())
  await assert.rejects(connection.transact(hello()), /under way/)
  await connection.quit()
  assert.equal((await first).kind, 'lost')
})

test('the caller’s signal ends a transaction', async () => {
  await using server = await playServer(`${BEFORE.rcpt}\nc: (close)`)
  const connection = await open(server)
  const controller = new AbortController()
  const running = connection.transact(hello({ signal: controller.signal }))
  setTimeout(() => controller.abort(), 30)
  const result = await running
  assert.ok(result.kind === 'lost' && result.error.reason === 'aborted')
  assert.equal(connection.usable, false)
})

test('25 MB go out as fast as the peer takes them, and arrive', async (t) => {
  const server = await startSmtpServer(t, { limits: { messageBytes: 30_000_000 } })
  const connection = await tryConnect(server)
  assert.ok(connection.ok)
  const content = Buffer.from(`.${'x'.repeat(75)}\r\n`.repeat(320_000))
  const result = await connection.transact(
    hello({
      content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
    }),
  )
  assert.equal(result.kind, 'accepted')
  assert.ok(server.messages[0]?.content.equals(content))
  await connection.quit()
})

test('a peer that stops reading the content, or refuses it half-way', async () => {
  const dotStuffed = dotStuff(Buffer.alloc(30_000_000, 'x'))
  const big = hello({ content: { dotStuffed, size: 7, eightBit: false, smtpUtf8: false } })
  const untilContent = `${OPENING}${ENVELOPE}\ns: 250 ok\ns: 250 ok\ns: 354 go`
  await using deaf = await playServer(`${untilContent}\ns: (deaf)\nc: (quiet)`)
  const stuck = await (await open(deaf, { timeouts: { blockMs: 100 } })).transact(big)
  assert.ok(stuck.kind === 'lost' && stuck.phase === 'content' && !stuck.afterFinalDot, JSON.stringify(stuck))
  assert.equal(stuck.error.reason, 'timeout')
  await using impatient = await playServer(`${untilContent}\ns: (deaf)\ns: 552 5.3.4 too big`)
  const connection = await open(impatient)
  const refused = await connection.transact(big)
  assert.ok(refused.kind === 'refused' && refused.phase === 'content' && refused.reply.code === 552)
  assert.equal(connection.usable, false)
})
