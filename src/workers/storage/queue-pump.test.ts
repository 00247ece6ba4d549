import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONSUMER, NOTHING, queueWorld, until } from '#test/queue-world.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import type { ConsumerWish } from './queue.ts'
import type { ClaimedMessage } from './queue-claims.ts'
import { openQueuePump, type QueueAnswer, type QueueDelivery, settlementOf } from './queue-pump.ts'

async function world(
  { store }: OpenStore,
  wish: Partial<ConsumerWish>,
  answer: (delivery: QueueDelivery) => QueueAnswer | Promise<QueueAnswer>,
) {
  const queue = await queueWorld(store)
  await queue.queues.addConsumer(queue.place, { ...CONSUMER, ...wish }, NOTHING)
  const seen: string[][] = []
  const failed: string[] = []
  const pump = openQueuePump({
    queues: queue.queues,
    async deliver(delivery) {
      seen.push(delivery.messages.map(({ body }) => body.toString()))
      return answer(delivery)
    },
    onError: (error) => assert.fail(String(error)),
    onFailed: (_queue, ids) => failed.push(...ids),
    ...{ pollMs: 30, leaseMs: 300, pauseMs: 20 },
  })
  const isEmpty = async () => (await queue.queues.backlog(queue.place)).messages === 0 || undefined
  return {
    ...{ ...queue, seen, failed, pump },
    drained: () => until(isEmpty),
    [Symbol.asyncDispose]: () => pump.close(),
  }
}

const DONE: QueueAnswer = { kind: 'done', acks: [], retries: [] }

onBothEngines('batches reach the Worker, and what it returns from is gone', async (_t, open) => {
  await using pumped = await world(open, { batchSize: 2 }, () => DONE)
  await pumped.send('a', 'b', 'c', 'd', 'e')
  await pumped.drained()
  assert.deepEqual(pumped.seen.flat().toSorted(), ['a', 'b', 'c', 'd', 'e'])
  assert.ok(pumped.seen.every(({ length }) => length <= 2))
})

onBothEngines('what fails is tried again and then told of', async (_t, open) => {
  await using pumped = await world(open, { maxRetries: 2 }, () => ({ kind: 'failed', acks: [], retries: [] }))
  await pumped.send('a')
  await pumped.drained()
  assert.deepEqual(pumped.seen, [['a'], ['a'], ['a']])
  await until(() => pumped.failed.length === 1 || undefined)
})

onBothEngines('no retry counts while the Worker cannot be asked', async (_t, open) => {
  let asked = 0
  const answers = ({ messages }: QueueDelivery): QueueAnswer => {
    assert.equal(messages[0]?.attempts, 1)
    return ++asked < 4 ? { kind: 'unavailable' } : DONE
  }
  await using pumped = await world(open, { maxRetries: 0 }, answers)
  await pumped.send('a')
  await pumped.drained()
  assert.equal(pumped.seen.length, 4)
  assert.deepEqual(pumped.failed, [])
})

onBothEngines('a batch that takes longer than a lease is handed out once', async (_t, open) => {
  const slow = Promise.withResolvers<QueueAnswer>()
  await using pumped = await world(open, {}, () => slow.promise)
  setTimeout(() => slow.resolve(DONE), 1000)
  await pumped.send('a')
  await pumped.drained()
  assert.deepEqual(pumped.seen, [['a']])
})

onBothEngines(
  'no more batches at once than the consumer wants, and none while it rests',
  async (_t, open) => {
    let running = 0
    let most = 0
    const answers = async (): Promise<QueueAnswer> => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      return DONE
    }
    await using pumped = await world(open, { batchSize: 1, maxConcurrency: 2 }, answers)
    await pumped.queues.changeQueue(pumped.place, { paused: true }, NOTHING)
    await pumped.send(...Array.from({ length: 20 }, (_, index) => String(index)))
    await until(async () => ((await pumped.queues.dueQueues()).length === 0 ? true : undefined))
    assert.deepEqual(pumped.seen, [])
    await pumped.queues.changeQueue(pumped.place, { paused: false }, NOTHING)
    await pumped.drained()
    assert.ok(most <= 2)
  },
)

test('what a Worker said of one message counts before what it said of all', () => {
  const messages = ['a', 'b', 'c'].map((id) => ({ id }) as ClaimedMessage)
  const settle = (answer: Exclude<QueueAnswer, { kind: 'unavailable' }>) =>
    settlementOf({ lease: 'l', messages }, answer, 7)
  const named = { acks: ['a'], retries: [{ id: 'b', delaySeconds: 1 }] }
  assert.deepEqual(settle({ kind: 'done', ...named }), {
    acked: ['a', 'c'],
    retried: [{ id: 'b', delaySeconds: 1 }],
  })
  const both = [
    { id: 'b', delaySeconds: 1 },
    { id: 'c', delaySeconds: 7 },
  ]
  assert.deepEqual(settle({ kind: 'failed', ...named }), { acked: ['a'], retried: both })
  assert.deepEqual(settle({ kind: 'done', ...named, retryAll: {} }), { acked: ['a'], retried: both })
  const odd = [Number.NaN, -1, 1e99, 1.5].map((delaySeconds) => {
    const retries = [{ id: 'a', delaySeconds }]
    return settle({ kind: 'done', acks: [], retries }).retried[0]?.delaySeconds
  })
  assert.deepEqual(odd, [7, 0, 86_400, 2])
})
