import assert from 'node:assert/strict'
import type { SmtpParameters } from '#smtp/handler.ts'
import { openDeliveryWorld } from '#test/delivery-world.ts'
import { checkInvariants, countRows, eventsIn } from '#test/outbound.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { onBothEngines } from '#test/stores.ts'

/** RFC 6531: what needs SMTPUTF8 goes to hosts that offer it, and to no others. */

const PLAIN = Buffer.from('To: jane@one.example\r\nSubject: x\r\n\r\nx\r\n')
const INTERNATIONAL = Buffer.from('To: jäne@one.example\r\nSubject: x\r\n\r\nx\r\n')
const EIGHT_BIT = Buffer.from('To: jane@one.example\r\nSubject: x\r\n\r\nGrüße\r\n')

onBothEngines(
  'a host with SMTPUTF8 gets international addresses, and hears of them on MAIL',
  async (t, open) => {
    const heard: SmtpParameters[] = []
    const peer = await startSmtpServer(t, {
      handler: {
        mail: (_, _from, parameters) => {
          heard.push(parameters)
          return undefined
        },
      },
    })
    await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
    for (const [recipient, content, keywords] of [
      ['jäne@one.example', PLAIN, ['SIZE', 'SMTPUTF8']],
      ['"jä ne"@one.example', INTERNATIONAL, ['SIZE', 'BODY', 'SMTPUTF8']],
      ['jane@one.example', INTERNATIONAL, ['SIZE', 'BODY', 'SMTPUTF8']],
      ['jane@one.example', EIGHT_BIT, ['SIZE', 'BODY']],
      ['jane@one.example', PLAIN, ['SIZE']],
    ] as const) {
      const [id = ''] = await world.send(recipient, { content })
      assert.equal((await world.settled(id)).state, 'delivered')
      const message = peer.messages.at(-1)
      assert.deepEqual([message?.to, message?.content], [[recipient], content])
      assert.deepEqual([...(heard.at(-1)?.keys() ?? [])], keywords)
    }
    await checkInvariants(open.store)
  },
)

onBothEngines(
  'a host without SMTPUTF8 never sees them: bounced for good, with the reason, and nobody is suppressed',
  async (t, open) => {
    const peer = await startSmtpServer(t, { features: { smtpUtf8: false } })
    await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
    for (const [recipient, content] of [
      ['jäne@one.example', PLAIN],
      ['jäne@one.example', INTERNATIONAL],
      ['jane@one.example', INTERNATIONAL],
    ] as const) {
      const [id = ''] = await world.send(recipient, { content })
      const row = await world.settled(id)
      assert.deepEqual([row.state, row.attempts, row.last_cause], ['bounced', 1, 'protocol'])
      assert.equal(row.last_reply, '550 5.6.7 The receiving host does not offer SMTPUTF8')
    }
    assert.deepEqual(peer.senders, [])
    assert.deepEqual(
      (await eventsIn(open.store)).map(({ type, detail }) => [
        type,
        detail['enhancedStatus'],
        detail['host'],
      ]),
      Array.from({ length: 3 }, () => ['bounced', '5.6.7', 'mx.one.example']),
    )
    assert.equal(await countRows(open.store, 'suppression'), 0)

    const [plain = ''] = await world.send('jane@one.example', { content: PLAIN })
    assert.equal((await world.settled(plain)).state, 'delivered', 'the connection is as good as before')
    assert.equal(await countRows(open.store, 'suppression'), 0)
    await checkInvariants(open.store)
  },
)
