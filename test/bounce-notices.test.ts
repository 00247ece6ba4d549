import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import PostalMime from 'postal-mime'
import { type Instance, startInstance } from '#test/instance.ts'
import { until } from '#test/outbound.ts'

let instance: Instance

before(async () => {
  instance = await startInstance({ POSTHORN_RETRY_MS: '100,200,400', POSTHORN_SEND_WAIT_MS: '8000' })
})
after(async () => instance[Symbol.asyncDispose]())

const simulated = (name: string) => `${name}@simulator.posthorn.test`
const noticesTo = (address: string, count = 1) =>
  instance.inbox(`to:${address} from:mailer-daemon@email.posthorn.test`, count)

test('whoever sends to an address that does not exist gets a notice in the inbox', async () => {
  const from = { address: 'orders@yourdomain.com', name: 'Orders' }
  const to = simulated('bounce+notice')
  const { body } = await instance.send({ to, from, subject: 'Your order', text: 'secret 4711' })
  assert.deepEqual(body.result?.permanent_bounces, [to])
  const [notice] = await noticesTo(from.address)
  assert.ok(notice)
  assert.equal(await instance.returnPath(notice.ID), '', 'the null sender')
  const raw = await instance.raw(notice.ID)
  const email = await PostalMime.parse(raw)
  assert.equal(email.inReplyTo, body.result.message_id)
  assert.equal(email.headers.find(({ key }) => key === 'auto-submitted')?.value, 'auto-replied')
  assert.match(email.text ?? '', /The address does not exist\. \(5\.1\.1\)/)
  assert.match(email.text ?? '', /550 5\.1\.1 Simulated: no such mailbox/)
  assert.match(email.text ?? '', /on your suppression list/)
  assert.match(raw, /^DKIM-Signature:.*\r\n d=email\.posthorn\.test; s=cf2024-1;/m)
  assert.ok(!raw.includes('4711'))
})

test('one for each recipient that failed, none for the others', async () => {
  const { body } = await instance.send({
    to: ['bounce+a', 'delivered+a', 'policy+a', 'deferred+a'].map(simulated),
    from: 'several@yourdomain.com',
    subject: 'several',
    text: 'x',
  })
  assert.equal(body.result?.permanent_bounces.length, 2)
  const notices = await noticesTo('several@yourdomain.com', 2)
  const texts = await Promise.all(
    notices.map(async ({ ID }) => (await PostalMime.parse(await instance.raw(ID))).text),
  )
  assert.deepEqual(
    texts.map((text) => /Recipient: {2}(\S+)/.exec(text ?? '')?.[1] ?? '').toSorted(),
    ['bounce+a', 'policy+a'].map(simulated),
  )
})

test('none for a recipient that is suppressed: the request is refused', async () => {
  const { status } = await instance.send({
    to: simulated('suppressed'),
    from: 'nothing@yourdomain.com',
    subject: 'x',
    text: 'x',
  })
  assert.equal(status, 400)
  // Whatever was to come has had its time once another one is there.
  await instance.send({ to: simulated('bounce+b'), from: 'last@yourdomain.com', subject: 'x', text: 'x' })
  await noticesTo('last@yourdomain.com')
  assert.equal((await instance.inbox('to:nothing@yourdomain.com', 0)).length, 0)
})

test('a notice that was promised comes after kill -9, once for each failure', async () => {
  const from = 'killed@yourdomain.com'
  const bounced: string[] = []
  for (let kill = 0; kill < 4; kill++) {
    const answers = Array.from({ length: 10 }, (_, i) => {
      const to = simulated(`bounce+${kill}-${i}`)
      return instance.send({ to, from, subject: 'kill', text: 'x' }).then(
        ({ body }) => bounced.push(...(body.result?.permanent_bounces ?? [])),
        () => undefined,
      )
    })
    await Promise.race(answers)
    await instance.kill()
    await Promise.all(answers)
    await instance.restart()
  }
  assert.ok(bounced.length > 0)
  await until('everything is settled', () => readStore().open === 0)
  const settled = readStore().failed
  assert.ok(settled >= bounced.length)
  const notices = await noticesTo(from, settled)
  // The last hop may have seen one twice: it was taken, and the kill came before we wrote that down.
  assert.equal(new Set(notices.map(({ MessageID }) => MessageID)).size, settled)
})

/** What is still on its way of the last test, notices included, and how many of its deliveries bounced. */
function readStore(): { readonly open: number; readonly failed: number } {
  using db = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'), { readOnly: true, timeout: 5000 })
  const count = (condition: string) =>
    Number(
      db
        .prepare(
          `select count(*) as n from delivery join message on message.id = delivery.message_id
            where subject <> 'several' and ${condition}`,
        )
        .get()?.['n'],
    )
  return {
    open: count(`state in ('waiting', 'claimed')`),
    failed: count(`state = 'bounced' and subject = 'kill'`),
  }
}
