import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import { playMx, readMxDialogue } from '#test/mx-dialogue.ts'
import { type MxWorld, openMxDoor, openMxWorld } from '#test/mx-world.ts'
import { playClient } from '#test/smtp-dialogue.ts'
import { until } from '#test/smtp-server.ts'

const folder = join(import.meta.dirname, 'mx')
const vectors = join(import.meta.dirname, '../../shared/suites/smtp/vectors.json')
const absent = existsSync(vectors) ? false : 'the suites are not here'
const eod: string[] = absent === false ? JSON.parse(readFileSync(vectors, 'utf8')).eod : []

let world: MxWorld
before(async () => {
  world = await openMxWorld()
})
after(() => world[Symbol.asyncDispose]())

for (const file of globSync('*.dialogue', { cwd: folder }).sort()) {
  const dialogue = readMxDialogue(readFileSync(join(folder, file), 'utf8'))
  test(`${file}: ${dialogue.name}`, () => playMx(world, dialogue))
}

/** As the player writes bytes. */
function written(text: string): string {
  return text.replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('\0', '\\0')
}

test('smuggling: no end of data but CRLF.CRLF, and what has a bare CR or LF is refused', {
  skip: absent,
}, async (t) => {
  for (const end of eod) {
    await t.test(JSON.stringify(end), async () => {
      await using door = await openMxDoor(world)
      const bare = /\r(?!\n)|(?<!\r)\n/.test(end)
      await playClient(
        door.port,
        `
          s: 220 …
          c: HELO client.example
          s: 250 …
          c: MAIL FROM:<sender@remote.example>
          c: RCPT TO:<info@yourdomain.com>
          c: DATA
          s: 250 …
          s: 250 …
          s: 354 …
          c: Subject: x\\r\\n\\r\\nbody${written(end)}MAIL FROM:<smuggled@remote.example>
          c: RCPT TO:<victim@yourdomain.com>
          c: DATA
          c: smuggled
          c: .
          s: ${bare ? '554 5.6.0 Message refused: it has a bare CR or LF…' : '250 2.0.0 Kept'}
          c: QUIT
          s: 221 …
          s: (close)
        `,
      )
      assert.equal(door.messages.length, bare ? 0 : 1)
      assert.ok(door.messages.every(({ to }) => !to.includes('victim@yourdomain.com')))
    })
  }
})

test('whatever strangers send, the door lives, and the spool is empty when they are gone', async () => {
  await using door = await openMxDoor(world, { spoolDisk: 1_000_000, messageBytes: 700_000, errors: 1000 })
  const piece = fc.constantFrom(
    ...[
      'EHLO a\r\n',
      'HELO a\r\n',
      'MAIL FROM:<>\r\n',
      'MAIL FROM:<a@b.example> SIZE=600000\r\n',
      'RSET\r\n',
    ],
    ...['RCPT TO:<info@yourdomain.com>\r\n', 'RCPT TO:<unknown@yourdomain.com>\r\n', 'RCPT TO:<x@[::1]>\r\n'],
    ...[
      'DATA\r\n',
      '.\r\n',
      '\r\n',
      '\r',
      '\n',
      '\0',
      '.',
      ' ',
      '\xff\xfe',
      'STARTTLS\r\n',
      'BDAT 3\r\n',
      'QUIT\r\n',
    ],
    ...['Subject: x\r\n', `${'x'.repeat(76)}\r\n`.repeat(4000), `${'x'.repeat(300_000)}\r\n`],
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.boolean(), async (pieces, breaksOff) => {
      const socket = connect({ port: door.port, host: '127.0.0.1' })
      socket.on('error', () => {})
      socket.resume()
      const closed = once(socket, 'close')
      for (const text of ['EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<info@yourdomain.com>\r\nDATA\r\n', ...pieces])
        socket.write(text, 'latin1')
      if (breaksOff) socket.destroySoon()
      else socket.end()
      await closed
    }),
    { numRuns: 100 },
  )
  await until(() => door.server.connections === 0)
  await until(() => Object.values(door.held()).every((octets) => octets === 0))
  assert.ok(door.messages.every(({ content, to }) => content.length <= 700_000 && to.length > 0))
})
