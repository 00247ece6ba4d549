import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { arrived, checkSubmitted, emptyInbox } from '#test/arrived.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { startScriptedPeer } from '#test/scripted-peer.ts'
import { until } from '#test/smtp-server.ts'
import { openSubmission } from '#test/submit-raw.ts'

/** SMTP smuggling over submission: what some receiver might take for the end of the data is not its end here, and is
 *  never said to the next hop. One message in, at most one message out. */
const vectors = join(import.meta.dirname, '../../shared/suites/smtp/vectors.json')
const absent = existsSync(vectors) ? false : 'the suites are not here'
const eod: string[] = absent === false ? JSON.parse(readFileSync(vectors, 'utf8')).eod : []

/** Says header, body, the vector, another transaction behind it, and the true end, all in one write. */
async function smuggle(instance: Instance, end: string, serial: number): Promise<string> {
  using session = await openSubmission(instance.dev)
  await session.ask('MAIL FROM:<app@yourdomain.com>')
  await session.ask(`RCPT TO:<reader${serial}@example.com>`)
  assert.match(await session.ask('DATA'), /^354 /)
  const header = `From: app@yourdomain.com\r\nTo: reader${serial}@example.com\r\nSubject: ${serial}\r\n`
  const smuggled = `MAIL FROM:<smuggled@yourdomain.com>\r\nRCPT TO:<victim${serial}@example.com>\r\nDATA\r\nFrom: smuggled@yourdomain.com\r\nSubject: smuggled\r\n\r\nsmuggled`
  session.write(`${header}\r\nbody${end}${smuggled}\r\n.\r\n`)
  const reply = await session.reply()
  // Had it read more than one message, another reply would come before this one.
  assert.match(await session.ask('QUIT'), /^221 /)
  return reply
}

test('smuggling: one message in, one message in the inbox', { skip: absent }, async (t) => {
  await using instance = await startInstance()
  for (const [serial, end] of eod.entries()) {
    await t.test(JSON.stringify(end), async () => {
      await emptyInbox(instance)
      const reply = await smuggle(instance, end, serial)
      // RFC 5321 §4.5.2 has no way to send NUL on as it is.
      if (end.includes('\0') && reply.startsWith('554 5.6.0 ')) return
      assert.match(reply, /^250 2\.0\.0 Ok </)
      const [copy] = await arrived(instance, 1)
      assert.ok(copy)
      await checkSubmitted(instance, copy, reply)
      assert.equal(copy.to, `reader${serial}@example.com`)
      // Decoded, where it came in an encoding.
      const text = copy.mail.text?.trimEnd() ?? ''
      assert.ok(text.startsWith('body\n') && text.endsWith('\n\nsmuggled'), 'the body is whole')
    })
  }
  // All that was taken has arrived, and nothing arrived late.
  await emptyInbox(instance)
  await smuggle(instance, '\r\nthe last one\r\n', eod.length)
  await arrived(instance, 1)
})

test('smuggling: the next hop hears one end of data for each message, and no bare CR or LF', {
  skip: absent,
}, async (t) => {
  const peer = await startScriptedPeer(t, {})
  await using instance = await startInstance({ POSTHORN_DEV_SINK: `127.0.0.1:${peer.port}` })
  const taken: number[] = []
  for (const [serial, end] of eod.entries()) {
    const reply = await smuggle(instance, end, serial)
    if (reply.startsWith('250')) taken.push(serial)
  }
  assert.ok(taken.length >= eod.filter((end) => !end.includes('\0')).length)
  await until(() => peer.taken.length >= taken.length)
  const recipients = peer.commands.filter((command) => /^RCPT/i.test(command))
  assert.deepEqual(
    recipients.map((command) => /<(.*)>/.exec(command)?.[1] ?? '').sort(),
    taken.map((serial) => `reader${serial}@example.com`).sort(),
  )
  const senders = peer.commands.filter((command) => /^MAIL/i.test(command))
  assert.ok(senders.every((command) => command.includes('@cf-bounce.yourdomain.com>')))
  assert.equal(peer.commands.filter((command) => command === '.').length, taken.length)
  for (const content of peer.taken) {
    assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n/, 'a bare CR or LF')
    assert.doesNotMatch(content, /\r\n\.\r\n/)
  }
})
