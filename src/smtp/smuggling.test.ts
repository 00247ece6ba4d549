import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { playClient, TO_DATA } from '#test/smtp-dialogue.ts'
import { type CollectingServer, startSmtpServer } from '#test/smtp-server.ts'

const vectors = join(import.meta.dirname, '../../../shared/suites/smtp/vectors.json')
const absent = existsSync(vectors) ? false : 'the suites are not here'
const eod: string[] = absent === false ? JSON.parse(readFileSync(vectors, 'utf8')).eod : []

const HELLO = 'EHLO client.test\r\n'
const ENVELOPE = 'MAIL FROM:<a@client.test>\r\nRCPT TO:<b@mx.test>\r\nDATA\r\n'

/** Says all of it, cut at the given places, and returns what the server said until it closed. */
async function say(server: CollectingServer, wire: Buffer, cuts: readonly number[]): Promise<string> {
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true })
  const said = new Promise<string>((resolve, reject) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
  await new Promise((resolve) => socket.once('data', resolve))
  const edges = [0, ...cuts.map((cut) => cut % (wire.length + 1)).sort((a, b) => a - b), wire.length]
  for (const [index, edge] of edges.slice(1).entries()) {
    socket.write(wire.subarray(edges[index], edge))
    await turn()
  }
  try {
    return await said
  } finally {
    socket.destroy()
  }
}

for (const end of eod) {
  test(`smuggling by ${JSON.stringify(end)}: refused, or one message`, { skip: absent }, async (t) => {
    const server = await startSmtpServer(t)
    const smuggled = `${ENVELOPE.replace('a@', 'smuggled@')}Subject: smuggled\r\n\r\nx`
    const wire = `${HELLO}${ENVELOPE}Subject: x\r\n\r\nbody${end}${smuggled}\r\n.\r\nQUIT\r\n`
    for (const cuts of [[], Array.from({ length: wire.length }, (_, at) => at)]) {
      const said = await say(server, Buffer.from(wire, 'latin1'), cuts)
      assert.match(said, end.includes('\0') ? /^250 2\.0\.0 Kept/m : /^554 5\.6\.0 /m)
    }
    assert.deepEqual(server.senders, ['a@client.test', 'a@client.test'])
    const kept = server.messages.map(({ content }) => content.toString('latin1'))
    assert.equal(kept.length, end.includes('\0') ? 2 : 0)
    for (const content of kept) assert.ok(content.includes('MAIL FROM:<smuggled@'), 'the content is whole')
    assert.deepEqual(server.aborted, kept.length > 0 ? [] : ['bare-line-end', 'bare-line-end'])
  })
}

for (const end of eod) {
  test(`smuggling by ${JSON.stringify(end)} where bare line ends are accepted: one message, whole`, {
    skip: absent,
  }, async (t) => {
    const server = await startSmtpServer(t, { features: { bareLineEnds: 'accept' } })
    const smuggled = `${ENVELOPE.replace('a@', 'smuggled@')}Subject: smuggled\r\n\r\nx`
    const body = `Subject: x\r\n\r\nbody${end}${smuggled}\r\n`
    const wire = `${HELLO}${ENVELOPE}${body}.\r\nQUIT\r\n`
    for (const cuts of [[], Array.from({ length: wire.length }, (_, at) => at)]) {
      const said = await say(server, Buffer.from(wire, 'latin1'), cuts)
      assert.equal(said.match(/^250 2\.0\.0 Kept/gm)?.length, 1)
    }
    assert.deepEqual(server.senders, ['a@client.test', 'a@client.test'])
    assert.deepEqual(
      server.messages.map(({ content }) => content.toString('latin1')),
      // RFC 5321 §4.5.2, and nothing else: a dot behind a CRLF goes, a dot behind anything else stays.
      Array.from({ length: 2 }, () => body.replaceAll('\r\n.', '\r\n')),
    )
    assert.deepEqual(server.aborted, [])
  })
}

test('a file with LF line ends, as curl uploads it, is taken where bare line ends are accepted', async (t) => {
  const server = await startSmtpServer(t, { features: { bareLineEnds: 'accept' } })
  await playClient(
    server.port,
    String.raw`${TO_DATA}
      c: From: a@client.test\nSubject: x\n\n.\n..\nThanks.\n\
      c: \r\n.\r\n\
      s: 250 2.0.0 Kept
      c: NOOP\n\
      s: 500 5.5.2 Lines end in CRLF; a bare CR or LF is not accepted
      s: (close)
    `,
  )
  const [message] = server.messages
  assert.equal(message?.content.toString(), 'From: a@client.test\nSubject: x\n\n.\n..\nThanks.\n\r\n')
})

test('a content refused for its line ends is read to its end, and the session goes on', async (t) => {
  const server = await startSmtpServer(t)
  await playClient(
    server.port,
    String.raw`
      s: 220 …
      c: HELO client.test
      s: 250 mx.test greets client.test
      c: MAIL FROM:<a@client.test>
      c: RCPT TO:<b@mx.test>
      c: DATA
      s: 250 …
      s: 250 …
      s: 354 …
      c: a\nb
      c: QUIT
      c: .
      s: 554 5.6.0 Message refused: it has a bare CR or LF; lines end in CRLF
      c: MAIL FROM:<a@client.test>
      c: RCPT TO:<b@mx.test>
      c: DATA
      c: fine
      c: .
      s: 250 …
      s: 250 …
      s: 354 …
      s: 250 2.0.0 Kept
    `,
  )
  assert.deepEqual(
    server.messages.map(({ content }) => content.toString()),
    ['fine\r\n'],
  )
})

test('for any content in any chunks, what is kept is what was sent', async (t) => {
  const server = await startSmtpServer(t)
  const word = fc.constantFrom('.', '..', 'a', 'QUIT', '', '\0', 'é', '. ', 'DATA')
  const content = fc.array(word, { minLength: 1, maxLength: 12 }).map((lines) => `${lines.join('\r\n')}\r\n`)
  await fc.assert(
    fc.asyncProperty(
      fc.array(content, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (contents, cuts) => {
        server.messages.length = 0
        const messages = contents.map((text) =>
          Buffer.concat([Buffer.from(ENVELOPE), dotStuff(Buffer.from(text))]),
        )
        await say(server, Buffer.concat([Buffer.from(HELLO), ...messages, Buffer.from('QUIT\r\n')]), cuts)
        assert.deepEqual(
          server.messages.map((message) => message.content.toString()),
          contents,
        )
      },
    ),
    { numRuns: 150 },
  )
})
