import assert from 'node:assert/strict'
import { openLog } from '#observe/log.ts'
import { noticeIds } from '#outbound/notices/notice-id.ts'
import { statement } from '#store/store.ts'
import {
  ACCOUNT,
  checkInvariants,
  deliveriesIn,
  delivery,
  eventsIn,
  HandEngine,
  type Outbound,
  onboard,
  openOutbound,
} from '#test/outbound.ts'
import { onBothEngines } from '#test/stores.ts'
import { sweepExpired } from './sweep-expired.ts'

const log = openLog('silent')
const MINUTE_MS = 60_000

function withSweeper(name: string, run: (world: Outbound & { engine: HandEngine }) => Promise<void>): void {
  onBothEngines(name, async (_t, { store, directory }) => {
    const engine = new HandEngine()
    await using outbound = await openOutbound(store, directory, { engine })
    await outbound.queue.stop()
    await run({ ...outbound, engine })
    await checkInvariants(store)
  })
}

const expiredFor = (ms: number) => ({ expiresAt: Date.now() - ms })

withSweeper(
  'promise 2: what passes its end is settled, with one terminal event',
  async ({ engine, send, store, notices }) => {
    engine.mostOfLane = 0
    const [id = ''] = await send('a@one.example', expiredFor(1))
    await send('b@one.example')
    assert.equal(await sweepExpired(store, MINUTE_MS, notices, log), 1)
    assert.equal(await sweepExpired(store, MINUTE_MS, notices, log), 0)
    const row = await delivery(store, id)
    assert.deepEqual(
      [row.state, row.last_cause, row.attempts],
      ['failed', 'expired', 0],
      'expiring is no attempt',
    )
    const [event, ...others] = await eventsIn(store)
    assert.deepEqual(others, [])
    assert.deepEqual([event?.type, event?.terminal, event?.detail['cause']], ['failed', 1, 'expired'])
  },
)

withSweeper('a claimed delivery may be in its last attempt: it is left alone for a while', async (world) => {
  const { send, store, notices, outcome, engine } = world
  const [trying = ''] = await send('a@one.example', expiredFor(MINUTE_MS))
  const [stuck = ''] = await send('b@one.example', expiredFor(20 * MINUTE_MS))
  await sweepExpired(store, MINUTE_MS, notices, log)
  assert.equal((await delivery(store, trying)).state, 'claimed')
  assert.equal((await delivery(store, stuck)).state, 'failed')
  for (const each of engine.taken.splice(0)) await outcome.delivered(each, {})
  assert.equal((await delivery(store, trying)).state, 'delivered')
  assert.equal((await delivery(store, stuck)).state, 'failed', 'one terminal state')
})

withSweeper(
  'refused until the end is bounced; never answered, or our own fault, is failed',
  async (world) => {
    const { send, store, notices, outcome, engine } = world
    const ids = await send(
      ['full', 'grey', 'down', 'ours', 'lost'].map((name) => `${name}@one.example`),
      expiredFor(1),
    )
    const [full, grey, down, ours, lost] = ids.map((id) => engine.taken.find((each) => each.id === id))
    assert.ok(full && grey && down && ours && lost)
    await outcome.refused(full, { reply: '452 4.2.2 full' }, { permanent: false, cause: 'recipient-full' })
    await outcome.refused(grey, { reply: '451 4.7.1 later' }, { permanent: false, cause: 'greylisted' })
    await outcome.stumbled(ours)
    await outcome.refused(lost, { reply: 'connection lost' }, { permanent: false, cause: 'connection-lost' })
    await outcome.unreachable([down], { reply: 'no answer' }, 'host-unreachable')
    assert.equal(await sweepExpired(store, MINUTE_MS, notices, log), 5)
    const states = await Promise.all(ids.map(async (id) => (await delivery(store, id)).state))
    assert.deepEqual(states, ['bounced', 'bounced', 'failed', 'failed', 'failed'])
    const replies = await Promise.all(ids.map(async (id) => (await delivery(store, id)).last_reply))
    assert.equal(replies[0], '452 4.2.2 full', 'the last words are kept')
    assert.deepEqual(await store.all(suppressions, [ACCOUNT]), [
      { email_key: 'full@one.example', reason: 'soft_bounce' },
    ])
  },
)

const suppressions = statement<{ email_key: string; reason: string }>(
  'test.sweep-suppressions',
  'select email_key, reason from suppression where account_id = $1',
)

withSweeper(
  'a heap of expired mail goes in one sweep, and what cannot be settled holds up nothing',
  async (world) => {
    const { send, store, notices, engine } = world
    engine.mostOfLane = 0
    // The oldest of all, with a terminal event already: every attempt to settle it breaks a constraint.
    const [broken = ''] = await send('broken@one.example', expiredFor(MINUTE_MS))
    await store.commit([{ statement: addEvent, params: [broken] }])
    const recipients = Array.from({ length: 50 }, (_, i) => `u${i}@one.example`)
    for (let i = 0; i < 12; i++) await send(recipients, expiredFor(1))
    assert.equal(await sweepExpired(store, MINUTE_MS, notices, log), 600)
    const open = (await deliveriesIn(store)).filter(({ state }) => state === 'waiting')
    assert.deepEqual(
      open.map(({ id }) => id),
      [broken],
    )
    await store.commit([{ statement: dropEvent, params: [broken] }])
    assert.equal(await sweepExpired(store, MINUTE_MS, notices, log), 1)
  },
)

const addEvent = statement(
  'test.add-event',
  `insert into event (id, at, account_id, type, terminal, detail, delivery_id)
   values ('x', 0, 'x', 'delivered', 1, '{}', $1)`,
)
const dropEvent = statement('test.drop-event', 'delete from event where delivery_id = $1')

withSweeper(
  'what expired is told to its sender once, and what expired of a notice to nobody',
  async (world) => {
    const { send, store, bodies, notices, domains, engine, outcome } = world
    await onboard(domains, 'yourdomain.com')
    const [id = ''] = await send('full@one.example', expiredFor(1))
    const full = { permanent: false, cause: 'recipient-full' } as const
    await outcome.refused(engine.next(), { reply: '452 4.2.2 full' }, full)
    await sweepExpired(store, MINUTE_MS, notices, log)
    await sweepExpired(store, MINUTE_MS, notices, log)
    const sent = await store.all(noticeBodies, [])
    assert.equal(sent.length, 1)
    const notice = String(await bodies.read(sent[0]?.body_id ?? ''))
    assert.match(
      notice,
      /\r\nFinal-Recipient: rfc822; full@one\.example\r\nAction: failed\r\nStatus: 4\.2\.2\r\n/,
    )
    assert.match(notice, /on your suppression list/)
    assert.equal((await delivery(store, id)).state, 'bounced')

    await store.commit([{ statement: dropSuppressions, params: [] }])
    const { deliveryId } = noticeIds(id)
    await store.commit([{ statement: failForGood, params: [deliveryId, '452 4.2.2 full', 'recipient-full'] }])
    assert.equal(await sweepExpired(store, MINUTE_MS, notices, log), 1)
    assert.equal((await delivery(store, deliveryId)).state, 'bounced')
    assert.equal((await store.all(noticeBodies, [])).length, 1)
    assert.deepEqual(await store.all(suppressions, [ACCOUNT]), [])
  },
)

const noticeBodies = statement<{ body_id: string }>(
  'test.notice-bodies',
  `select body_id from message where sender = ''`,
)
const dropSuppressions = statement('test.drop-suppressions', 'delete from suppression')
const failForGood = statement(
  'test.expire',
  'update delivery set expires_at = {now} - 1, last_reply = $2, last_cause = $3 where id = $1',
)
