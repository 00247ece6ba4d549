import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { statement } from '#store/store.ts'
import {
  ACCOUNT,
  checkInvariants,
  countRows,
  deliveriesIn,
  HandEngine,
  lanesIn,
  openOutbound,
  orderOf,
  until,
} from '#test/outbound.ts'
import { onBothEngines } from '#test/stores.ts'

const never = statement('test.conflict', 'update account set name = name where id = $1')
const conflict = { statement: never, params: ['nobody'], rows: 1 }
const claimDay = statement(
  'test.quota',
  'insert into quota_usage (account_id, day, recipients) values ($1, 1, 1)',
)

onBothEngines(
  'promise 1: a conflict anywhere in the set leaves nothing',
  async (_t, { store, directory }) => {
    const engine = new HandEngine()
    await using outbound = await openOutbound(store, directory, { engine })
    const also = { statement: claimDay, params: [ACCOUNT], rows: 1 }
    for (const writes of [
      [conflict, also],
      [also, conflict],
    ]) {
      const order = orderOf(['a@one.example', 'b@two.example'], { writes })
      assert.deepEqual(await outbound.queue.promise(order), { ok: false, conflict: 'test.conflict' })
    }
    const large = orderOf(['c@one.example'], { writes: [conflict], content: randomBytes(100_000) })
    assert.equal((await outbound.queue.promise(large)).ok, false)
    // The last write of the set: a delivery whose id is taken.
    const twice = orderOf(['d@one.example', 'e@one.example'])
    const [first] = twice.recipients
    assert.ok(first)
    await assert.rejects(outbound.queue.promise({ ...twice, recipients: [first, first] }))
    for (const table of ['body', 'message', 'delivery', 'lane', 'quota_usage', 'event']) {
      assert.equal(await countRows(store, table), 0, table)
    }
    assert.deepEqual(engine.taken, [])
  },
)

onBothEngines('a promise is born claimed and handed over with its content', async (_t, open) => {
  const engine = new HandEngine()
  await using outbound = await openOutbound(open.store, open.directory, { engine })
  const order = orderOf(['a@one.example', 'b@two.example'])
  assert.deepEqual(await outbound.queue.promise(order), { ok: true })
  assert.equal(engine.taken.length, 2)
  for (const [index, taken] of engine.taken.entries()) {
    assert.equal(taken.id, order.recipients[index]?.deliveryId)
    assert.equal(taken.content, order.content, 'the same Buffer')
    assert.equal(taken.attempts, 0)
    assert.equal(taken.message.size, Buffer.isBuffer(order.content) && order.content.length)
  }
  const rows = await deliveriesIn(open.store)
  assert.deepEqual(
    rows.map(({ state, claim_node }) => [state, claim_node]),
    [
      ['claimed', outbound.node],
      ['claimed', outbound.node],
    ],
  )
  assert.deepEqual(await lanesIn(open.store), [], 'no lane: nothing waits')
  await checkInvariants(open.store)
})

onBothEngines('what the engine has no room for waits in its lane, one row for each', async (_t, open) => {
  const engine = new HandEngine()
  engine.mostOfLane = 0
  await using outbound = await openOutbound(open.store, open.directory, { engine })
  await outbound.send(['a@one.example', 'b@one.example', 'c@two.example'])
  assert.deepEqual(
    (await lanesIn(open.store)).map(({ recipient_domain, failures }) => [recipient_domain, failures]),
    [
      ['one.example', 0],
      ['two.example', 0],
    ],
  )
  assert.equal(engine.taken.length, 0)
  await checkInvariants(open.store)
})

onBothEngines('without an engine everything waits, and is taken once there is one', async (_t, open) => {
  await using outbound = await openOutbound(open.store, open.directory)
  const ids = await outbound.send(['a@one.example', 'b@two.example'])
  const engine = new HandEngine()
  outbound.queue.attach(engine)
  await until('both taken', () => engine.taken.length === 2)
  assert.deepEqual(engine.taken.map(({ id }) => id).toSorted(), ids.toSorted())
  assert.equal(engine.taken[0]?.content, undefined, 'read back from its body')
  await checkInvariants(open.store)
})

onBothEngines('promises to the same lanes in different orders never deadlock', async (_t, open) => {
  await using outbound = await openOutbound(open.store, open.directory)
  const domains = ['a.example', 'b.example', 'c.example']
  const orders = Array.from({ length: 60 }, (_, i) =>
    domains.toSorted((a, b) => (i % 2 === 0 ? a.localeCompare(b) : b.localeCompare(a))),
  )
  await Promise.all(orders.map((order) => outbound.send(order.map((domain) => `x@${domain}`))))
  assert.equal(await countRows(open.store, 'lane'), 3)
  await checkInvariants(open.store)
})

onBothEngines(
  'a message of which every recipient was suppressed has no delivery and no body',
  async (_t, open) => {
    await using outbound = await openOutbound(open.store, open.directory)
    await outbound.send([], { suppressed: ['x@y.example'] })
    assert.equal(await countRows(open.store, 'message'), 1)
    assert.equal(await countRows(open.store, 'body'), 0)
  },
)

onBothEngines('mail to a lane that rests is answered at once: it was put off', async (_t, open) => {
  const engine = new HandEngine()
  engine.resting.add('down.example')
  await using outbound = await openOutbound(open.store, open.directory, { engine })
  const order = orderOf(['x@down.example', 'y@up.example'])
  const [down, up] = order.recipients.map(({ deliveryId }) => deliveryId)
  assert.ok(down !== undefined && up !== undefined)
  const heard = outbound.queue.verdicts.first([down], 60_000)
  await outbound.queue.promise(order)
  assert.deepEqual([...(await heard)], [[down, 'deferred']])
  assert.deepEqual(
    engine.taken.map(({ id }) => id),
    [up],
  )
})
