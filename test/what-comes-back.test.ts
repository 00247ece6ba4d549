import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { connectSmtp } from '#smtp/client.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { until } from '#test/outbound.ts'
import { statusReport } from '#test/returned-mail.ts'
import { storedEvents } from '#test/stored-events.ts'

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

interface Happened {
  readonly type: string
  readonly terminal: number
  readonly detail: Record<string, unknown>
}

/** Everything that happened to mail for a recipient, oldest first. */
function eventsOf(recipient: string): Happened[] {
  return storedEvents(instance.directory)
    .map(({ type, terminal, detail }) => ({
      ...{ type, terminal },
      detail: JSON.parse(detail) as Record<string, unknown>,
    }))
    .filter(({ detail }) => JSON.stringify(detail).includes(`"${recipient}"`))
}

function storyOf(recipient: string): string[] {
  return eventsOf(recipient).map(({ type, terminal }) => (terminal === 1 ? `${type}, settled` : type))
}

function suppressionOf(recipient: string) {
  using db = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'), { readOnly: true, timeout: 5000 })
  return db.prepare('select reason, expires_at from suppression where email = ?').get(recipient)
}

const send = (to: string | string[]) =>
  instance.send({ to, from: 'app@yourdomain.com', subject: 'Hello', text: 'x' })

/** To the MX door, as the world's servers come: the last reply. */
async function toMx(to: string, content: Buffer): Promise<string> {
  const { host, port } = instance.dev.mx
  const connection = await connectSmtp({
    host,
    address: host,
    port,
    ehloName: 'remote.example',
    tls: 'opportunistic',
  })
  assert.ok(connection.ok && connection.tls)
  const result = await connection.transact({
    mailFrom: '',
    rcptTo: to,
    content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
  })
  await connection.quit()
  return result.kind === 'lost' ? 'lost' : `${result.reply.code} ${result.reply.enhanced}`
}

test('late-bounce@: accepted, delivered, and then bounced by a report, and the address is suppressed', async () => {
  const to = 'late-bounce+1@simulator.posthorn.test'
  const { body } = await send(to)
  assert.deepEqual(body.result?.delivered, [to])
  assert.equal((await instance.inbox(`to:${to}`)).length, 1, 'the message is in the inbox')
  await until('the late bounce', () => storyOf(to).length === 3)
  assert.deepEqual(storyOf(to), ['accepted', 'delivered, settled', 'bounced'])
  const { detail } = eventsOf(to)[2] ?? {}
  assert.deepEqual([detail?.['cause'], detail?.['enhancedStatus']], ['recipient-unknown', '5.1.1'])
  assert.deepEqual({ ...suppressionOf(to) }, { reason: 'hard_bounce', expires_at: null })
  const again = await send(to)
  assert.equal(again.body.errors[0]?.error_chain?.[0]?.name, 'E_RECIPIENT_SUPPRESSED')
})

test('complaint@: accepted, delivered, and then complained about, and the address is suppressed', async () => {
  const to = 'complaint+1@simulator.posthorn.test'
  const { body } = await send(to)
  assert.deepEqual(body.result?.delivered, [to])
  await until('the complaint', () => storyOf(to).length === 3)
  assert.deepEqual(storyOf(to), ['accepted', 'delivered, settled', 'complained'])
  const { detail } = eventsOf(to)[2] ?? {}
  assert.deepEqual([detail?.['feedbackType'], detail?.['host']], ['abuse', 'email.posthorn.test'])
  assert.deepEqual({ ...suppressionOf(to) }, { reason: 'complaint', expires_at: null })
  assert.equal((await send(to)).status, 400)
})

test('one message to several is reported about for each of them', async () => {
  const to = ['late-bounce', 'complaint', 'delivered'].map((name) => `${name}+2@simulator.posthorn.test`)
  await send(to)
  await until('both reports', () => to.map(suppressionOf).filter(Boolean).length === 2)
  assert.deepEqual(
    to.map((each) => suppressionOf(each)?.['reason']),
    ['hard_bounce', 'complaint', undefined],
  )
})

test('a remote server bounces to the return path; a forged one is refused; other mail lands in the inbox', async () => {
  const to = 'someone@remote.example'
  await send(to)
  const [arrived] = await instance.inbox(`to:${to}`)
  assert.ok(arrived)
  const returnPath = await instance.returnPath(arrived.ID)
  const report = statusReport({ recipient: to })
  const first = returnPath.startsWith('a') ? 'b' : 'a'
  assert.equal(await toMx(`${first}${returnPath.slice(1)}`, report), '550 5.1.1')
  await until('its settlement', () => storyOf(to).includes('delivered, settled'))
  assert.equal(await toMx(returnPath, report), '250 2.0.0')
  assert.equal(await toMx(returnPath, report), '250 2.0.0')
  assert.deepEqual(storyOf(to), ['accepted', 'delivered, settled', 'bounced'])
  assert.equal(suppressionOf(to)?.['reason'], 'hard_bounce')
  assert.equal(await toMx('support@yourdomain.com', report), '250 2.0.0')
  assert.equal((await instance.inbox('recipient:support@yourdomain.com')).length, 1)
  assert.equal(
    (await instance.inbox(`recipient:${returnPath}`, 0)).length,
    0,
    'what came back is kept nowhere',
  )
})
