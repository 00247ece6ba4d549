import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Instance, startInstance } from '#test/instance.ts'
import { until } from '#test/outbound.ts'
import { eventsOf, forwardRule, SENDER, toMx } from '#test/routing-instance.ts'
import { startScriptedPeer } from '#test/scripted-peer.ts'

/** SMTP smuggling over the MX door and through a forward: what some receiver might take for the end of the data neither
 *  ends it here nor is said to the next hop. One message in, at most one message out. */
const vectors = join(import.meta.dirname, '../../shared/suites/smtp/vectors.json')
const absent = existsSync(vectors) ? false : 'the suites are not here'
const eod: string[] = absent === false ? JSON.parse(readFileSync(vectors, 'utf8')).eod : []

const TO = 'sales@yourdomain.com'
const DESTINATION = 'inbox@destination.example'

/** Says header, body, the vector, another transaction behind it, and the true end, all in one write. Out: the replies to
 *  that, QUIT's last. */
async function smuggle(instance: Instance, end: string): Promise<readonly string[]> {
  const { host, port } = instance.dev.mx
  const socket = connect({ host, port, noDelay: true })
  let said = ''
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1')
  })
  const commands = ['EHLO mail.pass.posthorn.test', `MAIL FROM:<${SENDER}>`, `RCPT TO:<${TO}>`, 'DATA']
  for (const [i, command] of commands.entries()) {
    await until(`the reply before ${command}`, () => finalLines(said).length > i)
    socket.write(`${command}\r\n`)
  }
  await until('354', () => finalLines(said).length > commands.length)
  assert.match(finalLines(said).at(-1) ?? '', /^354 /)
  const smuggled = `MAIL FROM:<${SENDER}>\r\nRCPT TO:<${TO}>\r\nDATA\r\nFrom: ${SENDER}\r\nSubject: smuggled\r\n\r\nsmuggled`
  socket.write(`From: ${SENDER}\r\nSubject: x\r\n\r\nbody${end}${smuggled}\r\n.\r\nQUIT\r\n`, 'latin1')
  await once(socket, 'end')
  socket.destroy()
  return finalLines(said).slice(commands.length + 1)
}

function finalLines(said: string): readonly string[] {
  return said.split('\r\n').filter((line) => /^\d{3} /.test(line))
}

test('smuggling through a forward: each vector is refused, and nothing of it goes on', {
  skip: absent,
}, async (t) => {
  const peer = await startScriptedPeer(t, {})
  await using instance = await startInstance({ POSTHORN_DEV_SINK: `127.0.0.1:${peer.port}` })
  await forwardRule(instance, TO, DESTINATION)
  await until('the verification mail', () => peer.taken.length === 1)
  for (const end of eod) {
    const [reply, quit, ...more] = await smuggle(instance, end)
    assert.match(reply ?? '', /^554 5\.6\.0 /, JSON.stringify(end))
    assert.match(quit ?? '', /^221 /)
    assert.deepEqual(more, [])
  }
  // In a content that does not stay in memory as well.
  const large = `${'x'.repeat(70)}\r\n`.repeat(6000)
  for (const end of eod) {
    const [reply] = await smuggle(instance, `\r\n${large}${end}${large}`)
    assert.match(reply ?? '', /^554 5\.6\.0 /, JSON.stringify(end))
  }
  assert.match(await toMx(instance, { to: TO, content: `From: ${SENDER}\n\nthe last one\n` }), /^250 /)
  await until('the last one', () => peer.taken.length === 2)
  assert.equal(peer.commands.filter((command) => command === '.').length, 2)
  assert.ok(eventsOf(instance, TO).every(({ type }) => type === 'rejected' || type === 'delivered'))
})

test('dots wherever they may stand in a line go through a forward, small or large, as they came', async (t) => {
  const peer = await startScriptedPeer(t, {})
  await using instance = await startInstance({ POSTHORN_DEV_SINK: `127.0.0.1:${peer.port}` })
  await forwardRule(instance, TO, DESTINATION)
  await until('the verification mail', () => peer.taken.length === 1)
  const lines = ['.', '..', '...', '.x', 'x.', ' .', 'QUIT', 'MAIL FROM:<smuggled@pass.posthorn.test>', '']
  const dots = `${lines.join('\r\n')}\r\n`
  // Of three octets, so that the border of each block of a file falls elsewhere in a line.
  const contents = [dots, dots.repeat(2000), '.\r\n'.repeat(120_000)]
  for (const [i, content] of contents.entries()) {
    const message = Buffer.from(`From: ${SENDER}\r\nSubject: ${i}\r\n\r\n${content}`)
    assert.equal(await toMx(instance, { to: TO, content: message }), '250 2.0.0 Ok')
    const unstuffed = peer.taken[i + 1]?.replaceAll('\r\n.', '\r\n') ?? ''
    assert.ok(unstuffed.endsWith(message.toString('latin1')), `${i}`)
    assert.doesNotMatch(unstuffed, /\r(?!\n)|(?<!\r)\n/, 'a bare CR or LF')
  }
  assert.equal(peer.commands.filter((command) => command === '.').length, 1 + contents.length)
  assert.equal(peer.commands.filter((command) => command.startsWith('RCPT')).length, 1 + contents.length)
})
