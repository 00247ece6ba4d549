import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAccounts } from '#registry/accounts/accounts.ts'
import type { Store } from '#store/store.ts'
import type { ConsumerWish, QueuePlace } from '#workers/storage/queue.ts'
import { isQueueFault, readQueueBatch } from '#workers/storage/queue-batch.ts'
import { openQueues } from '#workers/storage/queues.ts'

export const NOTHING = () => []

export const CONSUMER: ConsumerWish = {
  scriptName: 'worker',
  deadLetterQueue: null,
  batchSize: 10,
  maxWaitMs: 0,
  maxRetries: 3,
  maxConcurrency: null,
  retryDelay: 0,
}

/** An account with one queue, and what tests do with it. */
export async function queueWorld(
  store: Store,
  settings: { deliveryDelay?: number; retention?: number } = {},
) {
  const accountId = (await openAccounts({ store, clock: Date.now }).createAccount('A')).id
  const queues = await openQueues({ store, clock: Date.now })
  const wish = { name: 'mail', deliveryDelay: 0, retention: 345_600, paused: false, ...settings }
  const made = await queues.createQueue(accountId, wish, NOTHING)
  assert.ok(typeof made !== 'string')
  const place: QueuePlace = { accountId, queueId: made.id }
  return {
    ...{ accountId, queues, place, queue: made },
    send: (...texts: string[]) => sendTexts(queues, place, texts),
    claim: (size = 10, waitMs = 0, leaseMs = 60_000) =>
      queues.claimBatch(place.queueId, { size, waitMs, leaseMs }),
  }
}

export async function sendTexts(
  queues: Awaited<ReturnType<typeof openQueues>>,
  place: QueuePlace,
  texts: readonly string[],
  delaySeconds?: number,
): Promise<void> {
  const wishes = texts.map((text) => ({
    body: Buffer.from(text),
    contentType: 'text' as const,
    delaySeconds,
  }))
  const batch = readQueueBatch(wishes)
  if (isQueueFault(batch)) assert.fail(batch.detail)
  assert.equal(await queues.send(place, batch), 'sent')
}

/** Tries until it gives something. */
export async function until<T>(
  attempt: () => Promise<T | undefined> | T | undefined,
  ms = 20_000,
): Promise<T> {
  for (const end = Date.now() + ms; ; await sleep(10)) {
    const found = await attempt()
    if (found !== undefined) return found
    if (Date.now() > end) assert.fail('it did not come')
  }
}
