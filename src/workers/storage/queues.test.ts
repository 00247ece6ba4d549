import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { statement } from '#store/store.ts'
import { CONSUMER, NOTHING, queueWorld, sendTexts, until } from '#test/queue-world.ts'
import { onBothEngines } from '#test/stores.ts'
import { isQueueFault, type QueueMessageWish, readQueueBatch } from './queue-batch.ts'
import type { ClaimedBatch } from './queue-claims.ts'
import { openOrdinals } from './queue-messages.ts'
import { openQueues } from './queues.ts'

const textsOf = (batch: ClaimedBatch | undefined) => batch?.messages.map(({ body }) => body.toString())
const by = (accountId: string, wish: Partial<typeof CONSUMER> = {}) => ({ accountId, ...CONSUMER, ...wish })

onBothEngines('what is sent is claimed once, in batches, and is gone once it is acked', async (_t, open) => {
  const { send, claim, queues, place } = await queueWorld(open.store)
  await send('a', 'b', 'c')
  const first = await claim(2)
  assert.deepEqual(textsOf(first), ['a', 'b'])
  assert.deepEqual(
    first?.messages.map(({ attempts, contentType }) => [attempts, contentType]),
    [
      [1, 'text'],
      [1, 'text'],
    ],
  )
  const second = await claim(2)
  assert.deepEqual(textsOf(second), ['c'])
  assert.equal(await claim(), undefined)
  assert.ok(first && second)
  await queues.ack(first, [first.messages[0]?.id ?? '', second.messages[0]?.id ?? ''])
  assert.equal((await queues.backlog(place)).messages, 2)
  await queues.ack(first, [first.messages[1]?.id ?? ''])
  await queues.ack(second, [second.messages[0]?.id ?? ''])
  assert.deepEqual(await queues.backlog(place), { messages: 0, octets: 0, oldest: undefined })
})

onBothEngines('what was sent later comes later, within one millisecond too', async (_t, open) => {
  const { send, claim } = await queueWorld(open.store)
  await send('a', 'b', 'c')
  await send('d')
  await send('e', 'f')
  await open.store.commit([{ statement: atOneTime, params: [], rows: 6 }])
  assert.deepEqual(textsOf(await claim(4)), ['a', 'b', 'c', 'd'])
  assert.deepEqual(textsOf(await claim(4)), ['e', 'f'])
})

const atOneTime = statement('test.at-one-time', 'update queue_message set due_at = 1000, sent_at = 1000')

test('numbers of messages grow, and begin anew before they are too large', () => {
  const ordinals = openOrdinals(2_147_483_640)
  assert.deepEqual([ordinals.take(3), ordinals.take(5), ordinals.take(1)], [2_147_483_640, 0, 5])
})

onBothEngines('a batch waits until it is full or its first message waited long enough', async (_t, open) => {
  const { send, claim } = await queueWorld(open.store)
  await send('a', 'b')
  assert.equal(await claim(3, 60_000), undefined)
  await send('c')
  assert.deepEqual(textsOf(await claim(3, 60_000)), ['a', 'b', 'c'])
  await send('d')
  assert.deepEqual(textsOf(await until(() => claim(3, 50))), ['d'])
})

onBothEngines('a delay is the message’s, or the queue’s', async (_t, open) => {
  const { send, claim, queues, place } = await queueWorld(open.store, { deliveryDelay: 3600 })
  await send('late')
  await sendTexts(queues, place, ['now'], 0)
  await sendTexts(queues, place, ['soon'], 1)
  assert.deepEqual(textsOf(await claim()), ['now'])
  assert.equal(await claim(), undefined)
  assert.deepEqual(textsOf(await until(() => claim())), ['soon'])
  assert.equal((await queues.backlog(place)).messages, 3)
})

onBothEngines('what is retried comes again, with its delay, as often as it may', async (_t, open) => {
  const { send, claim, queues, accountId, place } = await queueWorld(open.store)
  await send('again')
  for (let attempt = 1; attempt <= 3; attempt++) {
    const batch = await claim()
    assert.equal(batch?.messages[0]?.attempts, attempt)
    const retried = batch.messages.map(({ id }) => ({ id, delaySeconds: 0 }))
    const failed = await queues.retry(batch, retried, by(accountId, { maxRetries: 2 }))
    assert.deepEqual(failed, attempt === 3 ? [batch.messages[0].id] : [])
  }
  assert.equal((await queues.backlog(place)).messages, 0)
  await send('later', 'at once')
  const batch = await claim()
  assert.ok(batch)
  const [later, atOnce] = batch.messages
  assert.ok(later && atOnce)
  await queues.retry(
    batch,
    [
      { id: later.id, delaySeconds: 3600 },
      { id: atOnce.id, delaySeconds: 0 },
    ],
    by(accountId),
  )
  assert.deepEqual(textsOf(await claim()), ['at once'])
  assert.equal(await claim(), undefined)
})

onBothEngines('what failed too often is in the dead letter queue, which is made again', async (_t, open) => {
  const { send, claim, queues, accountId, place } = await queueWorld(open.store)
  const withDead = { ...CONSUMER, deadLetterQueue: 'dead', maxRetries: 0 }
  const made: (string | undefined)[] = []
  const consumed = await queues.addConsumer(place, withDead, (change) => {
    made.push(change.made?.name)
    return []
  })
  assert.ok(consumed && consumed !== 'has-consumer')
  assert.deepEqual(made, ['dead'])
  const failAll = async (text: string) => {
    await send(text)
    const batch = await claim()
    assert.ok(batch)
    const retried = batch.messages.map(({ id }) => ({ id, delaySeconds: 60 }))
    assert.equal((await queues.retry(batch, retried, by(accountId, withDead))).length, 1)
    const dead = await queues.queueNamed(accountId, 'dead')
    assert.ok(dead)
    const buried = await queues.claimBatch(dead.id, { size: 10, waitMs: 0, leaseMs: 1000 })
    assert.deepEqual(textsOf(buried), [text])
    assert.equal(buried?.messages[0]?.attempts, 1)
    return { accountId, queueId: dead.id }
  }
  const dead = await failAll('one')
  await queues.removeQueue(dead, NOTHING)
  await failAll('two')
  assert.equal((await queues.backlog(place)).messages, 0)
})

onBothEngines('a lease that ends gives its messages back, and settles nothing any more', async (_t, open) => {
  const { send, claim, queues, accountId, place } = await queueWorld(open.store)
  await send('a')
  const lost = await claim(10, 0, 50)
  const found = await until(() => claim())
  assert.ok(lost)
  assert.equal(found.messages[0]?.attempts, 1)
  await queues.ack(lost, [found.messages[0].id])
  await queues.retry(lost, [{ id: found.messages[0].id, delaySeconds: 0 }], by(accountId, { maxRetries: 0 }))
  assert.equal((await queues.backlog(place)).messages, 1)
  await queues.renew(found, 60_000)
  assert.equal(await claim(), undefined)
  await queues.release(found, 0)
  assert.equal((await claim())?.messages[0]?.attempts, 1)
})

onBothEngines('a process that starts takes up what an earlier one of its store had', async (_t, open) => {
  const { send, claim, place } = await queueWorld(open.store)
  await send('a')
  assert.ok(await claim())
  const queues = await openQueues({ store: await open.reopen(), clock: Date.now })
  const again = await queues.claimBatch(place.queueId, { size: 10, waitMs: 0, leaseMs: 1000 })
  // On PostgreSQL that one could be alive.
  assert.deepEqual(textsOf(again), open.engine === 'sqlite' ? ['a'] : undefined)
})

onBothEngines('many consumers at once take each message once', async (_t, open) => {
  const { queues, place, claim, send } = await queueWorld(open.store)
  const sent = Array.from({ length: 300 }, (_, index) => `m${index}`)
  for (let start = 0; start < sent.length; start += 100) await send(...sent.slice(start, start + 100))
  const taken: string[] = []
  const consume = async () => {
    for (;;) {
      const batch = await claim(7)
      if (!batch) return
      taken.push(...(textsOf(batch) ?? []))
      await queues.ack(
        batch,
        batch.messages.map(({ id }) => id),
      )
    }
  }
  await Promise.all([consume(), consume(), consume(), consume()])
  assert.deepEqual(taken.toSorted(), sent.toSorted())
  assert.equal((await queues.backlog(place)).messages, 0)
})

onBothEngines('retention, removed queues and times far ahead are swept', async (_t, open) => {
  const { send, queues, place, claim } = await queueWorld(open.store, { retention: 60 })
  await send('old', 'held', 'ahead')
  const set = (sql: string) => open.store.commit([{ statement: statement(sql, sql), params: [] }])
  await set(
    `update queue_message set expires_at = 1 where body = cast('old' as ${open.engine === 'sqlite' ? 'blob' : 'bytea'})`,
  )
  await set(`update queue_message set due_at = due_at + 999999999 where expires_at > 1`)
  assert.equal(await claim(), undefined)
  await queues.sweep()
  assert.deepEqual(textsOf(await claim()), ['held', 'ahead'])
  await queues.removeQueue(place, NOTHING)
  assert.equal(await queues.queue(place), undefined)
  const later = await openQueues({ store: open.store, clock: () => Date.now() + 61_000 })
  await later.sweep()
  const left = statement<{ readonly left: number }>(
    'left',
    'select (select count(*) from queue_message) + (select count(*) from worker_queue) as left',
  )
  assert.equal((await open.store.get(left, []))?.left, 0)
})

onBothEngines('purge empties one queue', async (_t, open) => {
  const { send, queues, place, accountId } = await queueWorld(open.store)
  const other = await queues.createQueue(
    accountId,
    { name: 'other', deliveryDelay: 0, retention: 60, paused: false },
    NOTHING,
  )
  assert.ok(typeof other !== 'string')
  await sendTexts(queues, { accountId, queueId: other.id }, ['stays'])
  for (let batches = 0; batches < 6; batches++) await send(...Array.from({ length: 100 }, () => 'x'))
  await queues.purge(place, [])
  assert.equal((await queues.backlog(place)).messages, 0)
  assert.equal((await queues.backlog({ accountId, queueId: other.id })).messages, 1)
})

onBothEngines('another account’s queue is none', async (_t, open) => {
  const { send, queues, place } = await queueWorld(open.store)
  await send('a')
  const foreign = { ...place, accountId: 'f'.repeat(32) }
  const batch = readQueueBatch([{ body: Buffer.from('x'), contentType: 'text' }])
  assert.ok(!isQueueFault(batch))
  assert.equal(await queues.send(foreign, batch), 'no-queue')
  assert.equal(await queues.queue(foreign), undefined)
  assert.equal(await queues.removeQueue(foreign, NOTHING), undefined)
  assert.equal(await queues.addConsumer(foreign, CONSUMER, NOTHING), undefined)
  await queues.purge(foreign, [])
  assert.equal((await queues.backlog(place)).messages, 1)
  assert.equal((await queues.backlog(foreign)).messages, 0)
})

onBothEngines('queues and consumers are made, changed, listed and removed', async (_t, open) => {
  const { queues, accountId, place, queue } = await queueWorld(open.store)
  const wish = { name: 'mail', deliveryDelay: 0, retention: 60, paused: false }
  assert.equal(await queues.createQueue(accountId, wish, NOTHING), 'name-taken')
  const changed = await queues.changeQueue(place, { paused: true, deliveryDelay: 5 }, NOTHING)
  assert.deepEqual(await queues.queue(place), changed)
  assert.deepEqual([changed?.paused, changed?.deliveryDelay, changed?.retention], [true, 5, 345_600])
  const consumed = await queues.addConsumer(place, { ...CONSUMER, maxConcurrency: 2 }, NOTHING)
  assert.ok(consumed && consumed !== 'has-consumer' && consumed.consumer)
  assert.deepEqual(await queues.queue(place), consumed)
  assert.equal(await queues.addConsumer(place, CONSUMER, NOTHING), 'has-consumer')
  const { id } = consumed.consumer
  const other = { id, wish: { ...CONSUMER, scriptName: 'other', batchSize: 1 } }
  assert.deepEqual(await queues.changeConsumer(place, other, NOTHING), await queues.queue(place))
  assert.equal(await queues.changeConsumer(place, { ...other, id: 'none' }, NOTHING), undefined)
  await queues.createQueue(accountId, { ...wish, name: 'a' }, NOTHING)
  const names = async (of?: readonly string[]) => {
    const { queues: listed, total } = await queues.listQueues(accountId, { names: of, offset: 0, limit: 10 })
    return [total, listed.map(({ name, consumer }) => `${name} ${consumer?.scriptName}`)]
  }
  assert.deepEqual(await names(), [2, ['a undefined', 'mail other']])
  assert.deepEqual(await names(['mail', 'none']), [1, ['mail other']])
  assert.deepEqual((await queues.removeConsumer(place, id, NOTHING))?.consumer?.id, id)
  assert.equal((await queues.queue(place))?.consumer, undefined)
  assert.equal((await queues.removeQueue(place, NOTHING))?.id, queue.id)
  assert.ok(typeof (await queues.createQueue(accountId, wish, NOTHING)) !== 'string')
})

test('what a queue takes', () => {
  const wish = (size: number, more: Partial<QueueMessageWish> = {}) => ({
    ...{ body: Buffer.alloc(size), contentType: 'bytes' as const },
    ...more,
  })
  const faultOf = (...wishes: QueueMessageWish[]) => {
    const read = readQueueBatch(wishes)
    return isQueueFault(read) ? [read.index, read.field] : undefined
  }
  assert.equal(faultOf(wish(128_000), wish(128_000)), undefined)
  assert.deepEqual(faultOf(wish(1), wish(128_001)), [1, 'body'])
  assert.deepEqual(faultOf(wish(128_000), wish(128_000), wish(32_001)), [undefined, undefined])
  assert.deepEqual(faultOf(), [undefined, undefined])
  assert.deepEqual(faultOf(...Array.from({ length: 101 }, () => wish(1))), [undefined, undefined])
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.integer({ min: -10, max: 90_000 })), (delaySeconds) => {
      const isGood = Number.isInteger(delaySeconds) && delaySeconds >= 0 && delaySeconds <= 86_400
      assert.equal(faultOf(wish(1, { delaySeconds })) === undefined, isGood)
    }),
  )
})
