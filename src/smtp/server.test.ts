import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { OPENING, playClient, TO_DATA } from '#test/smtp-dialogue.ts'
import { openSocket, startSmtpServer, until } from '#test/smtp-server.ts'
import { createSmtpServer } from './server.ts'

test('RFC 1870: a message of the limit is kept, a larger one read to its end and refused', async (t) => {
  const server = await startSmtpServer(t, { limits: { messageBytes: 10 } })
  await playClient(
    server.port,
    `${TO_DATA}
      c: 12345678
      c: .
      s: 250 2.0.0 Kept
      c: MAIL FROM:<a@client.test>
      c: RCPT TO:<b@mx.test>
      c: DATA
      c: ..2345678
      c: .
      s: 250 …
      s: 250 …
      s: 354 …
      s: 250 2.0.0 Kept
      c: MAIL FROM:<a@client.test>
      c: RCPT TO:<b@mx.test>
      c: DATA
      c: 123456789
      c: MAIL FROM:<smuggled@client.test>
      c: .
      s: 250 …
      s: 250 …
      s: 354 …
      s: 552 5.3.4 Message too big; the limit is 10 bytes
      c: NOOP
      s: 250 2.0.0 Ok
    `,
  )
  assert.equal(server.messages.length, 2)
  assert.deepEqual(server.aborted, ['too-large'])
  assert.deepEqual(new Set(server.senders), new Set(['a@client.test']))
})

test('a content that goes on for too long is cut off', async (t) => {
  const server = await startSmtpServer(t, { limits: { messageBytes: 10 } })
  const socket = await openSocket(t, server)
  let said = ''
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  socket.write('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\n')
  socket.write(Buffer.alloc(3 * 1024 * 1024, 'x'))
  await once(socket, 'end')
  assert.match(said, /552 5\.3\.4 [^\n]*\n$/)
  assert.deepEqual(server.aborted, ['too-large'])
})

test('RFC 5321 §4.5.3.1.10: a thousand recipients too many are no errors, those behind them are', async (t) => {
  const server = await startSmtpServer(t, { limits: { recipients: 1, errors: 2 } })
  const many = (times: number, line: string) => `${line}\n`.repeat(times)
  await playClient(
    server.port,
    `${OPENING}
      c: MAIL FROM:<a@client.test>
      s: 250 …
      ${many(1001, 'c: RCPT TO:<b@mx.test>')}
      s: 250 …
      ${many(1000, 's: 452 4.5.3 Too many recipients')}
      c: RSET
      s: 250 …
      c: MAIL FROM:<a@client.test>
      s: 250 …
      ${many(2000, 'c: RCPT TO:<b@mx.test>')}
      s: 250 …
      ${many(1002, 's: 452 4.5.3 Too many recipients')}
      s: 421 4.7.0 Too many errors, closing connection
      s: (close)
    `,
  )
})

test('RFC 5321 §4.5.3.1: lines over the limits are refused, and the session goes on', async (t) => {
  const server = await startSmtpServer(t, { limits: { textLineBytes: 1000 } })
  const long = 'x'.repeat(998)
  await playClient(
    server.port,
    `${OPENING}
      c: NOOP ${'x'.repeat(505)}
      s: 250 2.0.0 Ok
      c: NOOP ${'x'.repeat(506)}
      s: 500 5.5.2 Line too long
      c: NOOP ${'x'.repeat(20_000)}
      s: 500 5.5.2 Line too long
      c: MAIL FROM:<a@client.test> ${' '.repeat(1900)}SIZE=1
      s: 250 2.1.0 Ok
      c: RCPT TO:<b@mx.test> ${' '.repeat(2050)}
      s: 500 5.5.2 Line too long
      c: RCPT TO:<b@mx.test>
      c: DATA
      c: ${long}
      c: .
      s: 250 …
      s: 354 …
      s: 250 2.0.0 Kept
      c: MAIL FROM:<a@client.test>
      c: RCPT TO:<b@mx.test>
      c: DATA
      c: ${long}x
      c: .
      s: 250 …
      s: 250 …
      s: 354 …
      s: 500 5.6.0 Message refused: it has a line that is too long
    `,
  )
  assert.equal(server.messages.length, 1)
})

test('RFC 5321 §4.5.3.1.10: recipients beyond the limit are put off, the others get the message', async (t) => {
  const server = await startSmtpServer(t, { limits: { recipients: 2 } })
  await playClient(
    server.port,
    `${OPENING}
      c: MAIL FROM:<a@client.test>
      c: RCPT TO:<1@mx.test>
      c: RCPT TO:<2@mx.test>
      c: RCPT TO:<3@mx.test>
      c: DATA
      c: .
      s: 250 …
      s: 250 …
      s: 250 …
      s: 452 4.5.3 Too many recipients
      s: 354 …
      s: 250 2.0.0 Kept
    `,
  )
  assert.deepEqual(server.messages[0]?.to, ['1@mx.test', '2@mx.test'])
})

test('too many errors, commands, messages or connections: 421', async (t) => {
  const limits = {
    errors: 2,
    commandsBeforeMail: 4,
    messagesPerConnection: 1,
    connections: 3,
    connectionsPerAddress: 2,
  }
  const server = await startSmtpServer(t, { limits })
  const errors = `${OPENING}
    c: X
    s: 500 …
    c: X
    s: 500 …
    c: X
    c: NOOP
    s: 421 4.7.0 Too many errors, closing connection
    s: (close)
  `
  await playClient(server.port, errors)
  const commands = `${OPENING}
    c: NOOP
    c: RSET
    c: NOOP
    c: NOOP
    s: 250 …
    s: 250 …
    s: 250 …
    s: 421 4.7.0 Too many commands without mail, closing connection
    s: (close)
  `
  await playClient(server.port, commands)
  const messages = `${TO_DATA}
    c: .
    s: 250 2.0.0 Kept
    c: MAIL FROM:<a@client.test>
    s: 421 4.7.0 Too many messages in this connection; open another
    s: (close)
  `
  await playClient(server.port, messages)
  await until(() => server.server.connections === 0)
  const held = [await openSocket(t, server), await openSocket(t, server)]
  await playClient(
    server.port,
    `
      s: 421 4.7.0 Too many connections, try again later
      s: (close)
    `,
  )
  for (const socket of held) socket.destroy()
  await until(() => server.server.connections === 0)
  assert.equal(server.closed, 5, 'the handler hears of every session that had a greeting')
  await playClient(server.port, OPENING)
})

test('RFC 5321 §3.1: who speaks before the greeting is refused', async (t) => {
  const server = await startSmtpServer(t, {
    handler: {
      connect: async () => {
        await sleep(50)
        return undefined
      },
    },
  })
  const early = `
    c: EHLO client.test
    c: MAIL FROM:<a@client.test>
    s: 554 5.5.1 Protocol error: you spoke before the greeting
    s: (close)
  `
  await playClient(server.port, early)
  await playClient(server.port, OPENING)
  assert.deepEqual(server.senders, [])
})

test('a handler may refuse at every step, in its own words', async (t) => {
  const server = await startSmtpServer(t, {
    handler: {
      connect: ({ remoteAddress }) =>
        remoteAddress === '127.0.0.1' ? { code: 220, text: 'hello\nin two lines' } : undefined,
      mail: (_, from) => {
        if (from === 'go@away.test') return { code: 421, text: 'Closing' }
        return from === '' ? { code: 550, enhanced: '5.7.1', text: 'No bounces\nhere' } : undefined
      },
      rcpt: async (_, to) =>
        to.startsWith('moved@')
          ? { code: 251, enhanced: '2.1.5', text: 'Will forward' }
          : { code: 450, text: 'Busy' },
      data: ({ envelope }) => ({ code: 451, text: `Not ${envelope.to.join()} from ${envelope.from}` }),
    },
  })
  await playClient(
    server.port,
    `
      s: 220-hello
      s: 220 in two lines
      c: HELO client.test
      s: 250 mx.test greets client.test
      c: MAIL FROM:<>
      s: 550-5.7.1 No bounces
      s: 550 5.7.1 here
      c: MAIL FROM:<a@client.test>
      s: 250 2.1.0 Ok
      c: RCPT TO:<b@mx.test>
      c: RCPT TO:<moved@mx.test>
      c: DATA
      s: 450 Busy
      s: 251 2.1.5 Will forward
      s: 451 Not moved@mx.test from a@client.test
      c: RSET
      c: MAIL FROM:<go@away.test>
      s: 250 …
      s: 421 Closing
      s: (close)
    `,
  )
  const refusing = await startSmtpServer(t, {
    handler: { connect: () => ({ code: 554, text: 'Not you' }) },
  })
  await playClient(
    refusing.port,
    `
      s: 554 Not you
      s: (close)
    `,
  )
})

test('a callback that throws is answered 451 4.3.0, reported, and the session goes on', async (t) => {
  let at = ''
  const fail = (where: string) => {
    if (at === where) throw new Error(where)
  }
  const server = await startSmtpServer(t, {
    handler: {
      mail: () => fail('mail') as undefined,
      rcpt: async () => fail('rcpt') as undefined,
      data: () => {
        fail('data')
        return {
          write: () => fail('write'),
          end: async () => {
            fail('end')
            return { code: 250, text: 'Kept' }
          },
          abort: (reason) => {
            at += ` ${reason}`
          },
        }
      },
      close: () => {
        throw new Error('close')
      },
    },
  })
  const broken = 's: 451 4.3.0 Temporary system problem, try again later'
  const message = (mail: string, rcpt: string, data: string, content = '') => `
    c: MAIL FROM:<a@client.test>
    ${mail}
    c: RCPT TO:<b@mx.test>
    ${rcpt}
    c: DATA
    ${data}
    ${content}
  `
  const scripts = {
    mail: message(broken, 's: 503 …', 's: 503 …'),
    rcpt: message('s: 250 …', broken, 's: 554 …'),
    data: message('s: 250 …', 's: 250 …', broken),
    write: message('s: 250 …', 's: 250 …', 's: 354 …', `c: x\nc: QUIT\nc: .\n${broken}`),
    end: message('s: 250 …', 's: 250 …', 's: 354 …', `c: x\nc: .\n${broken}`),
  }
  for (const [where, script] of Object.entries(scripts)) {
    at = where
    await playClient(server.port, `${OPENING}${script}\nc: NOOP\ns: 250 …`)
    assert.equal(at, where === 'write' ? 'write failed' : where)
  }
  await until(() => server.errors.length === 10)
  const messages = server.errors.map((error) => (error instanceof Error ? error.message : ''))
  assert.deepEqual(
    messages.filter((message) => message !== 'close'),
    Object.keys(scripts),
  )
})

test('RFC 6531: the handler hears whether the transaction has SMTPUTF8', async (t) => {
  const seen: boolean[] = []
  const server = await startSmtpServer(t, {
    handler: {
      rcpt: ({ envelope }) => {
        seen.push(envelope.utf8)
        return undefined
      },
    },
  })
  const transaction = (parameter: string) => `
    c: MAIL FROM:<a@client.test>${parameter}
    c: RCPT TO:<b@mx.test>
    s: 250 …
    s: 250 …
  `
  await playClient(
    server.port,
    `${OPENING}
      ${transaction(' SMTPUTF8')}
      c: RSET
      s: 250 …
      ${transaction('')}
    `,
  )
  assert.deepEqual(seen, [true, false])
})

test('several listeners are one server, and each may close alone', async (t) => {
  const server = await startSmtpServer(t)
  const second = await server.server.listen({ host: '127.0.0.1', port: 0 })
  await playClient(second.port, OPENING)
  await second.close()
  await assert.rejects(playClient(second.port, 's: 220 …'))
  await playClient(server.port, OPENING)
  await assert.rejects(server.server.listen({ host: '127.0.0.1', port: server.port }), { code: 'EADDRINUSE' })
})

test('a listener on IPv6 counts connections by /64', async (t) => {
  const server = createSmtpServer({
    hostname: 'mx.test',
    handler: { data: () => ({ code: 550, text: '' }) },
    limits: { connectionsPerAddress: 1 },
  })
  t.after(() => server.close({ graceMs: 0 }))
  const listening = await server.listen({ host: '::1', port: 0 }).catch(() => undefined)
  if (listening === undefined) return t.skip('this machine has no ::1')
  const first = connect({ port: listening.port, host: '::1' })
  await once(first, 'data')
  const second = connect({ port: listening.port, host: '::1' })
  const [reply] = await once(second, 'data')
  assert.match(String(reply), /^421 4\.7\.0 /)
  first.destroy()
  second.destroy()
})
