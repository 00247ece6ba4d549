import assert from 'node:assert/strict'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import PostalMime from 'postal-mime'
import type { Address } from '#model/address.ts'
import { serviceNames } from '#model/service.ts'
import { openLog } from '#observe/log.ts'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { dueLanes } from '#outbound/queue/due-lanes.ts'
import { messageById } from '#outbound/queue/message-by-id.ts'
import { statement } from '#store/store.ts'
import {
  ACCOUNT,
  checkInvariants,
  claimFrom,
  countRows,
  deliveriesIn,
  eventsIn,
  HandEngine,
  lanesIn,
  OTHER_ACCOUNT,
  type Outbound,
  onboard,
  openOutbound,
  orderOf,
  SENDER,
} from '#test/outbound.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { noticeIds } from './notice-id.ts'
import { openNotices } from './notices.ts'

interface World extends Outbound {
  readonly engine: HandEngine
  readonly open: OpenStore
  /** The one notice there is. */
  notice(): Promise<{ readonly content: Buffer; readonly id: string; readonly recipient: string }>
}

function withNotices(name: string, run: (world: World) => Promise<void>): void {
  onBothEngines(name, async (_t, open) => {
    const engine = new HandEngine()
    await using outbound = await openOutbound(open.store, open.directory, { engine })
    await outbound.queue.stop()
    await onboard(outbound.domains, 'yourdomain.com')
    const { store, bodies } = outbound
    await run({
      ...outbound,
      engine,
      open,
      async notice() {
        const [row, ...others] = await store.all(notices, [])
        assert.ok(row && others.length === 0, `${others.length + (row ? 1 : 0)} notices`)
        const content = await bodies.read(row.body_id)
        assert.ok(content)
        return { content, id: row.id, recipient: row.recipient }
      },
    })
    await checkInvariants(open.store)
  })
}

const notices = statement<{ id: string; body_id: string; recipient: string }>(
  'test.notices',
  `select message.id, message.body_id, delivery.recipient from message
     join delivery on delivery.message_id = message.id where message.sender = '' order by message.id`,
)

const gone = { permanent: true, cause: 'recipient-unknown' } as const
const GONE = { reply: '550 5.1.1 No such user', enhancedStatus: '5.1.1', host: 'mx.one.example' }
const countNotices = async ({ store }: World) => (await store.all(notices, [])).length

/** What the queue's poll does. */
async function claimDue({ store, node }: Outbound): Promise<ClaimedDelivery[]> {
  const claimed: ClaimedDelivery[] = []
  for (const lane of await dueLanes(store, undefined, 100))
    claimed.push(...(await claimFrom(store, lane, { node, limit: 100, longestWaitMs: 43_200_000 })))
  return claimed
}

withNotices('a hard bounce and the notice about it are one commit', async (world) => {
  const { send, engine, outcome, store, domains } = world
  const [failed = ''] = await send('nobody@one.example')
  await outcome.refused(engine.next(), GONE, gone)
  const { content, id, recipient } = await world.notice()
  assert.equal(recipient, SENDER)
  assert.equal(id, noticeIds(failed).messageId)

  const message = await messageById(store, id)
  assert.deepEqual(
    [message.accountId, message.domainId, message.sender, message.returnPathDomain, message.tls],
    [ACCOUNT, null, '', '', 'policy'],
  )
  assert.equal(message.headerMessageId, `<${id}@email.posthorn.test>`)
  const row = (await deliveriesIn(store)).find((each) => each.message_id === id)
  assert.deepEqual([row?.state, row?.id], ['waiting', noticeIds(failed).deliveryId])
  assert.deepEqual(
    (await dueLanes(store, undefined, 9)).map((lane) => [lane.account_id, lane.recipient_domain]),
    [[ACCOUNT, 'yourdomain.com']],
  )
  const events = await eventsIn(store)
  assert.deepEqual(
    events.map(({ type, detail }) => [type, detail['sender']]),
    [
      ['bounced', SENDER],
      ['accepted', ''],
    ],
  )
  assert.equal(await countRows(store, 'quota_usage'), 0, 'it counts towards no quota')

  const email = await PostalMime.parse(content)
  const original = (await deliveriesIn(store)).find((each) => each.id === failed)
  assert.equal(email.inReplyTo, `<${original?.message_id}@yourdomain.com>`)
  const headers = email.attachments.find(({ mimeType }) => mimeType === 'text/rfc822-headers')
  assert.match(new TextDecoder().decode(headers?.content as Uint8Array), /^Subject: Hello\n*$/)

  const resolver = async (name: string) => {
    const answer = await domains.authority.answers(name, 'TXT')
    assert.ok(answer.kind === 'answer', `${name}: ${answer.kind}`)
    return answer.records.map((record) => [record.type === 'TXT' ? record.text : ''])
  }
  const { results } = await dkimVerify(content, { resolver, strict: true })
  assert.deepEqual(
    results.map(({ status, signingDomain, selector }) => [status.result, signingDomain, selector]),
    [['pass', 'email.posthorn.test', 'cf2024-1']],
  )
})

withNotices(
  'a report that comes too late makes no notice, and costs nothing of the allowance',
  async (world) => {
    const { send, engine, outcome } = world
    await send('nobody@one.example')
    const each = engine.next()
    await outcome.delivered(each, {})
    for (let i = 0; i < 3; i++) await outcome.refused(each, GONE, gone)
    assert.equal(await countNotices(world), 0)
    await send('other@one.example')
    const other = engine.next()
    await Promise.all([outcome.refused(other, GONE, gone), outcome.refused(other, GONE, gone)])
    assert.equal(await countNotices(world), 1)
  },
)

withNotices('a notice that fails makes none, and suppresses nobody', async (world) => {
  const { send, engine, outcome, store } = world
  await send('nobody@one.example')
  await outcome.refused(engine.next(), GONE, gone)
  const { id } = await world.notice()
  const [claimed] = await claimDue(world)
  assert.ok(claimed)
  assert.equal(claimed.message.id, id)
  const suppression = { reason: 'hard_bounce', forMs: null } as const
  await outcome.refused(claimed, GONE, { ...gone, suppression })
  assert.equal(await countNotices(world), 1)
  assert.equal(await countRows(store, 'suppression'), 0)
  assert.deepEqual(await lanesIn(store), [])
})

withNotices('none for a sender whose domain is not ours, or not ours any more', async (world) => {
  const { send, engine, outcome } = world
  const from = (sender: string, accountId = ACCOUNT) => {
    const order = orderOf(['nobody@one.example'])
    return send('nobody@one.example', {
      ...order,
      message: { ...order.message, sender: sender as Address, accountId },
    })
  }
  await from('app@elsewhere.example')
  await outcome.refused(engine.next(), GONE, gone)
  await from(SENDER, OTHER_ACCOUNT)
  await outcome.refused(engine.next(), GONE, gone)
  assert.equal(await countNotices(world), 0)
})

withNotices('none for what answers a notice: its author is a machine', async (world) => {
  const { send, engine, outcome } = world
  await send('mailer-daemon@email.posthorn.test')
  await outcome.refused(engine.next(), GONE, gone)
  assert.equal(await countNotices(world), 0)
})

withNotices('none for what was put off, put back or dropped', async (world) => {
  const { send, engine, outcome } = world
  await send(['a@one.example', 'b@one.example', 'c@one.example', 'd@two.example'])
  await outcome.refused(engine.next(), { reply: '451 later' }, { permanent: false, cause: 'greylisted' })
  await outcome.stumbled(engine.next())
  await outcome.putBack([engine.next()])
  await outcome.unreachable([engine.next()], {}, 'host-unreachable')
  assert.equal(await countNotices(world), 0)
})

withNotices(
  'a body that is lost or gone costs the notice its third part, and nothing else',
  async (world) => {
    const { send, engine, outcome, store } = world
    await send('nobody@one.example')
    const { content: _, ...each } = engine.next()
    await store.commit([{ statement: loseBody, params: [each.message.bodyId] }])
    await outcome.refused(each, GONE, gone)
    const { content } = await world.notice()
    const { attachments } = await PostalMime.parse(content)
    assert.deepEqual(
      attachments.map(({ mimeType }) => mimeType),
      ['message/delivery-status'],
    )
  },
)
const loseBody = statement('test.lose-body', 'update body set content = null where id = $1')

withNotices('the header of a message that is not in memory is read from the store', async (world) => {
  const { send, engine, outcome } = world
  const content = Buffer.from(`X-Mine: 1\r\nSubject: Hello\r\n\r\n${'body\r\n'.repeat(50_000)}`)
  await send('nobody@one.example', { content })
  const { content: _, ...each } = engine.next()
  await outcome.refused(each, GONE, gone)
  const notice = await world.notice()
  assert.match(notice.content.toString('latin1'), /\r\nX-Mine: 1\r\nSubject: Hello\r\n/)
  assert.ok(!notice.content.includes('body\r\nbody'))
})

withNotices('one sender gets so many in an hour; every delivery settles all the same', async (world) => {
  const { store, bodies, queue, domains, send, engine } = world
  const log = openLog('silent')
  const service = serviceNames('posthorn.test')
  const few = openNotices({ store, bodies, queue, domains, service, log, expireMs: 1000, perHour: 3 })
  const recipients = Array.from({ length: 10 }, (_, i) => `u${i}@one.example`)
  await send(recipients)
  const failure = (at: number) => {
    const { id, message, recipient } = engine.next()
    return { deliveryId: id, message, recipient, end: 'refused', cause: 'policy', attempts: 1, at } as const
  }
  const start = Date.now()
  for (let i = 0; i < 5; i++) assert.ok((await few.settle(failure(start + i), [])).ok)
  assert.equal(await countNotices(world), 3)
  assert.ok((await few.settle(failure(start + 3_600_000), [])).ok)
  assert.equal(await countNotices(world), 4)
  const conflict = { statement: nothing, params: [], rows: 1 }
  assert.deepEqual(await few.settle(failure(start + 3_600_001), [conflict]), {
    ok: false,
    conflict: 'test.nothing',
  })
  assert.equal(await countNotices(world), 4)
  for (let i = 0; i < 3; i++) assert.ok((await few.settle(failure(start + 3_600_002), [])).ok)
  assert.equal(await countNotices(world), 6, 'what was not committed is not counted')
})
const nothing = statement('test.nothing', `update body set size = 0 where id = 'nothing'`)

withNotices('two that settle the same at once: both do, and one notice comes of it', async (world) => {
  const { send, engine, notices: room, store } = world
  await send('nobody@one.example')
  const { id, message, recipient, content } = engine.next()
  assert.ok(Buffer.isBuffer(content))
  const failure = {
    ...{ deliveryId: id, message, recipient, content },
    ...({ end: 'refused', cause: 'policy', attempts: 1, at: Date.now() } as const),
  }
  const results = await Promise.all([room.settle(failure, []), room.settle(failure, [])])
  assert.deepEqual(
    results.map(({ ok }) => ok),
    [true, true],
  )
  assert.equal((await store.all(notices, [])).length, 1)
})

withNotices('what was committed is there for the next process, once', async (world) => {
  const { send, engine, outcome, open } = world
  const [failed = ''] = await send('nobody@one.example')
  await outcome.refused(engine.next(), GONE, gone)
  await using next = await openOutbound(open.store, open.directory)
  assert.deepEqual(
    (await claimDue(next)).map(({ id, recipient }) => [id, recipient]),
    [[noticeIds(failed).deliveryId, SENDER]],
  )
  assert.deepEqual(await claimDue(next), [])
})
