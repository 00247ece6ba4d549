import type { Queue, QueueConsumer } from './queue.ts'
import { LONGEST_DELAY_S } from './queue-batch.ts'
import type { ClaimedBatch, ClaimedMessage, Settlement } from './queue-claims.ts'
import type { Queues } from './queues.ts'

/** A batch on its way to a Worker's `queue()`. */
export interface QueueDelivery {
  readonly accountId: string
  readonly scriptName: string
  readonly queueName: string
  readonly messages: readonly ClaimedMessage[]
}

/** What its `queue()` said. What it named itself counts before what is said of all. */
export type QueueAnswer =
  /** It returned: what it said nothing about is acked, unless it wanted all of it again. */
  | (Named & { readonly kind: 'done'; readonly retryAll?: { readonly delaySeconds?: number | undefined } })
  /** It threw or was ended: what it said nothing about is tried again. */
  | (Named & { readonly kind: 'failed' })
  /** It was not asked: no such Worker, no room. No retry counts. */
  | { readonly kind: 'unavailable' }

interface Named {
  readonly acks: readonly string[]
  readonly retries: readonly { readonly id: string; readonly delaySeconds?: number | undefined }[]
}

export interface QueuePump {
  /** Claims nothing any more, and waits for what is under way; a lease that is left ends by itself. */
  close(): Promise<void>
}

export interface QueuePumpOptions {
  readonly queues: Queues
  /** Must not reject; if it does, that counts as unavailable. */
  readonly deliver: (delivery: QueueDelivery) => Promise<QueueAnswer>
  readonly onError: (error: unknown) => void
  /** Ids that failed too often. */
  readonly onFailed?: (queue: Queue, ids: readonly string[]) => void
  /** The rest is for tests. */
  readonly pollMs?: number
  readonly leaseMs?: number
  readonly pauseMs?: number
}

/** Where a consumer leaves it to us. */
const CONCURRENCY = 5
/** Of one look at a consumer's settings. */
const BATCHES = 10

/** Hands what is due to its consumers, batch by batch. */
export function openQueuePump(options: QueuePumpOptions): QueuePump {
  const { queues, deliver, onError, onFailed, pollMs = 1000, leaseMs = 60_000, pauseMs = 5000 } = options
  const lanes = new Map<string, Set<Promise<void>>>()
  let looking: Promise<void> | undefined
  let again = false
  const stop = new AbortController()

  /** Looks once more when it is called while it looks. */
  function look(): void {
    again = true
    looking ??= (async () => {
      while (again && !stop.signal.aborted) {
        again = false
        for (const queue of await queues.dueQueues()) startLane(queue)
      }
    })()
      .catch(onError)
      .finally(() => {
        looking = undefined
      })
  }

  function startLane(queue: Queue): void {
    const { consumer } = queue
    if (!consumer || stop.signal.aborted) return
    const mine = lanes.get(consumer.id) ?? new Set()
    if (mine.size >= (consumer.maxConcurrency ?? CONCURRENCY)) return
    lanes.set(consumer.id, mine)
    const lane = drain(queue, consumer)
      .catch(onError)
      .finally(() => {
        mine.delete(lane)
        if (mine.size === 0) lanes.delete(consumer.id)
      })
    mine.add(lane)
  }

  async function drain(queue: Queue, consumer: QueueConsumer): Promise<void> {
    const { batchSize: size, maxWaitMs: waitMs } = consumer
    for (let batches = 0; batches < BATCHES && !stop.signal.aborted; batches++) {
      const batch = await queues.claimBatch(queue.id, { size, waitMs, leaseMs })
      if (!batch) return
      if (batch.messages.length === size) startLane(queue)
      await handOver(queue, consumer, batch)
    }
    look()
  }

  async function handOver(queue: Queue, consumer: QueueConsumer, batch: ClaimedBatch): Promise<void> {
    const renewal = setInterval(() => {
      queues.renew(batch, leaseMs).catch(onError)
    }, leaseMs / 3)
    try {
      const { accountId, name: queueName } = queue
      const { scriptName } = consumer
      const answer = await deliver({ accountId, scriptName, queueName, messages: batch.messages }).catch(
        (error: unknown) => {
          onError(error)
          return { kind: 'unavailable' } as const
        },
      )
      if (answer.kind === 'unavailable') return await queues.release(batch, pauseMs)
      const settlement = settlementOf(batch, answer, consumer.retryDelay)
      const failed = await queues.settle(batch, settlement, { accountId, ...consumer })
      if (failed.length > 0) onFailed?.(queue, failed)
    } finally {
      clearInterval(renewal)
    }
  }

  const poll = setInterval(look, pollMs)
  const quiet = queues.onSent(look)
  look()
  return {
    async close() {
      stop.abort()
      clearInterval(poll)
      quiet()
      await looking
      await Promise.all([...lanes.values()].flatMap((mine) => [...mine]))
    },
  }
}

/** What becomes of each message of the batch. */
export function settlementOf(
  { messages }: ClaimedBatch,
  answer: Exclude<QueueAnswer, { kind: 'unavailable' }>,
  retryDelay: number,
): Settlement {
  const acks = new Set(answer.acks)
  const retries = new Map(answer.retries.map(({ id, delaySeconds }) => [id, delaySeconds]))
  const retryAll = answer.kind === 'failed' ? {} : answer.retryAll
  const acked: string[] = []
  const retried: { id: string; delaySeconds: number }[] = []
  for (const { id } of messages) {
    if (retries.has(id)) retried.push({ id, delaySeconds: delayOf(retries.get(id), retryDelay) })
    else if (acks.has(id) || !retryAll) acked.push(id)
    else retried.push({ id, delaySeconds: delayOf(retryAll.delaySeconds, retryDelay) })
  }
  return { acked, retried }
}

/** A Worker may have said anything. */
function delayOf(wanted: number | undefined, usual: number): number {
  if (wanted === undefined || Number.isNaN(wanted)) return usual
  return Math.round(Math.min(Math.max(wanted, 0), LONGEST_DELAY_S))
}
