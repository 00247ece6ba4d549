import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { dotStuffed } from '#protocol/dot-stuffing.ts'
import { decodeSrs, encodeSrs } from '#protocol/srs.ts'
import { connectSmtp } from '#smtp/client.ts'
import { startExim, withoutExim } from '#test/real-exim.ts'
import type { RealMta } from '#test/real-mta.ts'
import { startPostfix, withoutPostfix } from '#test/real-postfix.ts'

const KEY = { version: 1, key: createHash('sha256').update('key').digest() }
const NOW = Date.now()

const SENDERS = [
  'jane@example.com',
  'bounces+12=ab=example.org@em1.example.com',
  // As many octets as a local part may have, one more, and far more, as senders of bulk have them.
  `${'a'.repeat(64 - 22 - 'example.com'.length)}@example.com`,
  `${'b'.repeat(65 - 22 - 'example.com'.length)}@example.com`,
  '0100019a3c5e7f21-0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0-000000@amazonses.example',
  `${'c'.repeat(64)}@${'d'.repeat(60)}.${'e'.repeat(30)}.example.com`,
  'SRS0=HHHH=TT=a.very.long.subdomain.example.com=firstname.lastname@email.forwarder.example',
  '"john doe"@example.com',
]

const CONTENT = 'From: jane@example.com\r\nSubject: x\r\n\r\n.\r\n..\r\nx\r\n'

async function* inPieces(): AsyncGenerator<Buffer> {
  for (const octet of CONTENT) yield Buffer.from(octet)
}

async function takesRewritten(mta: RealMta): Promise<void> {
  const connection = await connectSmtp({
    ...{
      host: 'mail.example',
      address: '127.0.0.1',
      port: mta.port,
      ehloName: 'email.posthorn.test',
      tls: 'none',
    },
  })
  assert.ok(connection.ok)
  for (const sender of SENDERS) {
    const mailFrom = encodeSrs(sender, { domain: 'email.posthorn.test', key: KEY, now: NOW })
    const result = await connection.transact({
      mailFrom,
      rcptTo: 'jane@destination.example',
      content: {
        dotStuffed: () => dotStuffed(inPieces()),
        size: CONTENT.length,
        eightBit: false,
        smtpUtf8: false,
      },
    })
    assert.equal(result.kind, 'accepted', `${mailFrom}: ${JSON.stringify(result)}`)
  }
  await connection.quit()
  for (let tries = 0; mta.stored().length < SENDERS.length && tries < 200; tries++) {
    await sleep(50)
  }
  const copies = mta.stored()
  const senders = copies.map(({ returnPath }) =>
    decodeSrs(returnPath.replace(/^<|>$/g, '').replace('@email.posthorn.test', ''), [KEY], NOW),
  )
  assert.deepEqual(senders.toSorted(), SENDERS.toSorted(), mta.lastWords())
  for (const { content } of copies) assert.equal(content.toString(), CONTENT)
}

test('Postfix takes rewritten senders, however long, and a content in pieces', {
  skip: withoutPostfix(),
}, async () => {
  await using mta = await startPostfix()
  await takesRewritten(mta)
})

test('Exim takes rewritten senders, however long, and a content in pieces', {
  skip: withoutExim(),
}, async () => {
  await using mta = await startExim()
  await takesRewritten(mta)
})
