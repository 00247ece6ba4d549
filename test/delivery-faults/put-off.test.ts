import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultSession, type Moment, startFaultPeer } from '#test/fault-peer.ts'
import { checkSteps, laneFailuresAmong, manyAt, openFaultRun } from '#test/fault-run.ts'
import { lanesIn, until } from '#test/outbound.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'

/** Hosts that say "not now": DURABILITY's greylisting, 421 storm and mixed replies, and hosts that count. */

onBothEngines('greylisting by address, sender and recipient: all arrives, on time', async (t, open) => {
  const firstSeen = new Map<string, number>()
  const greyMs = 1000
  const peer = await startFaultPeer(t, (moment, { from, to }) => {
    if (moment !== 'RCPT') return undefined
    const since = firstSeen.get(`${from} ${to}`) ?? performance.now()
    firstSeen.set(`${from} ${to}`, since)
    return performance.now() - since < greyMs ? '451 4.7.1 Greylisted, please come back' : undefined
  })
  // As the schedule has it: at 0, 300, 900 and 2,100 ms, of which the last is past the list.
  await using run = await openFaultRun(open, {
    peers: { 'grey.example': peer.port },
    retryMs: [300, 600, 1200],
  })
  await run.promise(manyAt('grey.example'))
  await run.drained()
  const tally = await run.judge([peer])
  assert.deepEqual([tally.delivered, tally.duplicates], [500, 0])
  // One return path for all attempts of a delivery, or a greylist would begin anew with each.
  assert.equal(firstSeen.size, 500)
  const byDelivery = Map.groupBy(tally.attempts, ({ deliveryId }) => deliveryId)
  for (const [, attempts] of byDelivery) {
    assert.ok(attempts.length <= 4, `${attempts.length} attempts`)
    for (const { type, detail } of attempts)
      if (type === 'deferred') assert.equal(detail['cause'], 'greylisted')
  }
  assert.equal((await lanesIn(open.store)).length, 0)
})

for (const phase of ['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.'] as const satisfies Moment[]) {
  test(`a storm of 421 at ${phase}: one attempt a connection and step, then all arrives`, async (t) => {
    await using open = await openTestStore('sqlite')
    let stormy = true
    const peer = await startFaultPeer(t, (moment) =>
      stormy && moment === phase ? '421 4.3.2 Busy' : undefined,
    )
    await using run = await openFaultRun(open, { peers: { 'storm.example': peer.port } })
    await run.promise(manyAt('storm.example'))
    await until('failures', async () => ((await lanesIn(open.store))[0]?.failures ?? 0) >= 3)
    stormy = false
    await run.drained()
    const tally = await run.judge([peer])
    assert.deepEqual([tally.delivered, tally.duplicates], [500, 0])
    const deferred = tally.attempts.filter(({ type }) => type === 'deferred')
    // Of the first attempt's twenty connections some may have had a delivery in hand; later there is one.
    assert.ok(deferred.length <= 20 + 12, `${deferred.length} attempts in the storm`)
    for (const { detail } of deferred) assert.equal(detail['smtpStatus'], 421)
    const lane = laneFailuresAmong(deferred, 'storm.example').slice(20)
    checkSteps(lane)
  })
}

onBothEngines('mixed replies: each recipient’s own outcome, whatever its neighbours get', async (t, open) => {
  const replies: Record<string, string> = {
    unknown: '550 5.1.1 No such user',
    full: '452 4.2.2 Mailbox full',
    later: '450 4.2.0 Not now',
    moved: '551 5.1.6 Gone elsewhere',
  }
  const kinds = ['ok', 'unknown', 'full', 'later', 'moved', 'spam']
  const asked = new Map<string, number>()
  const kindOf = (session: FaultSession) => session.to.split('-')[0] ?? ''
  const peer = await startFaultPeer(t, (moment, session) => {
    const kind = kindOf(session)
    if (moment === '.') return kind === 'spam' ? '554 5.7.1 Spam' : undefined
    if (moment !== 'RCPT') return undefined
    const times = (asked.get(session.to) ?? 0) + 1
    asked.set(session.to, times)
    // The temporary ones have a place the second time.
    return times > 1 && (kind === 'full' || kind === 'later') ? undefined : replies[kind]
  })
  await using run = await openFaultRun(open, { peers: { 'mixed.example': peer.port } })
  await run.promise(Array.from({ length: 600 }, (_, i) => `${kinds[i % 6]}-${i}@mixed.example`))
  await run.drained()
  const tally = await run.judge([peer])
  assert.deepEqual([tally.delivered, tally.bounced, tally.duplicates], [300, 300, 0])
  const last = new Map(
    tally.attempts.map(({ type, detail }) => [String(detail['recipient']), { type, detail }]),
  )
  for (const [recipient, { type, detail }] of last) {
    const kind = recipient.split('-')[0] ?? ''
    const isFinal = ['unknown', 'moved', 'spam'].includes(kind)
    assert.equal(type, isFinal ? 'bounced' : 'delivered', recipient)
    assert.equal(detail['attempt'], kind === 'full' || kind === 'later' ? 2 : 1)
  }
})

test('a host that takes three connections: few refusals, no attempt lost, all at the speed of three', async (t) => {
  await using open = await openTestStore('sqlite')
  let refusals = 0
  const peer = await startFaultPeer(t, (moment) => {
    if (moment !== 'greeting' || peer.connections.open <= 3) return undefined
    refusals++
    return '421 4.7.0 Too many connections'
  })
  await using run = await openFaultRun(open, {
    peers: { 'three.example': peer.port },
    limits: { connections: 20, messagesPerConnection: 20, messagesPerSecond: Number.POSITIVE_INFINITY },
  })
  await run.promise(manyAt('three.example', 1000))
  await run.drained()
  const tally = await run.judge([peer])
  // Seventeen of the first twenty, and one now and then to see whether it takes more by now.
  assert.ok(refusals <= 17 + 20, `${refusals} connections refused for 1,000 messages`)
  assert.deepEqual([tally.delivered, tally.duplicates, tally.attempts.length], [1000, 0, 1000])
})

for (const phase of ['MAIL', 'RCPT'] as const) {
  test(`a host that takes so many a second and says 421 at ${phase} beyond: it is asked for what it gives`, async (t) => {
    await using open = await openTestStore('sqlite')
    let refusals = 0
    const takes = allowance()
    const peer = await startFaultPeer(t, (moment) => {
      if (moment !== phase || takes()) return undefined
      refusals++
      return '421 4.7.0 Too much mail, slow down'
    })
    await using run = await openFaultRun(open, { peers: { 'rate.example': peer.port } })
    await run.promise(manyAt('rate.example'))
    await run.drained()
    const tally = await run.judge([peer])
    assert.deepEqual([tally.delivered, tally.duplicates], [500, 0])
    assert.ok(refusals <= 50, `${refusals} refusals for 500 messages`)
    assert.ok(tally.attempts.length <= 500 + refusals)
  })
}

test('a host that counts by replies of its own: 450 for too much is heeded, and no session ends over it', async (t) => {
  await using open = await openTestStore('sqlite')
  let refusals = 0
  const takes = allowance()
  const peer = await startFaultPeer(t, (moment) => {
    if (moment !== 'RCPT' || takes()) return undefined
    refusals++
    return '450 4.7.1 Error: too much mail from 127.0.0.1'
  })
  await using run = await openFaultRun(open, { peers: { 'rate.example': peer.port } })
  await run.promise(manyAt('rate.example'))
  await run.drained()
  const tally = await run.judge([peer])
  assert.deepEqual([tally.delivered, tally.duplicates], [500, 0])
  assert.ok(refusals <= 75, `${refusals} refusals for 500 messages`)
})

/** Whether one more is taken: a hundred at once, and then so many a second. */
function allowance(perSecond = 150, atOnce = 100): () => boolean {
  let left = atOnce
  let at = performance.now()
  return () => {
    left = Math.min(atOnce, left + ((performance.now() - at) / 1000) * perSecond)
    at = performance.now()
    if (left < 1) return false
    left--
    return true
  }
}
