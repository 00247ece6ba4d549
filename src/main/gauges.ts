import { readOutboxLag } from '#events/outbox-lag.ts'
import { readQueueDepth } from '#outbound/queue/queue-depth.ts'
import type { Kept } from './kept.ts'
import type { Notifying } from './notifying.ts'
import type { Registries } from './registries.ts'

/** A scan of the queue answers whoever asks for so long. */
const DEPTH_LIFE_MS = 5000

/** What is read when somebody asks for the figures. */
export function openGauges(
  { store, metrics, now }: Kept,
  { rates, certificateExpiry }: Registries,
  notify: Notifying,
): void {
  const depth = remembered(() => readQueueDepth(store))
  metrics.queueDeliveries(async () => {
    const { waiting, claimed, held } = await depth()
    return Object.entries({ waiting, claimed, held }).map(([state, value]) => ({ labels: { state }, value }))
  })
  metrics.queueOldestSeconds(async () => [{ labels: {}, value: (await depth()).oldestMs / 1000 }])
  metrics.queueLanes(async () => {
    const { due, failing } = await depth()
    return Object.entries({ due, failing }).map(([state, value]) => ({ labels: { state }, value }))
  })
  metrics.outboxSeconds(async () => [
    { labels: {}, value: (await readOutboxLag(store, now())).oldestMs / 1000 },
  ])
  metrics.outboxEvents(async () => [{ labels: {}, value: (await readOutboxLag(store, now())).events }])
  const backlog = remembered(() => notify.backlog())
  metrics.notificationsWaiting(async () =>
    (await backlog()).map(({ listener, state, waiting }) => ({
      labels: { listener, state },
      value: waiting,
    })),
  )
  metrics.notificationsOldestSeconds(async () =>
    (await backlog()).map(({ listener, state, oldestMs }) => ({
      labels: { listener, state },
      value: oldestMs / 1000,
    })),
  )
  metrics.rateLeft(() => rates.left().map(({ scope, share }) => ({ labels: { scope }, value: share })))
  metrics.certificateSeconds(() => [
    { labels: { certificate: 'doors' }, value: Math.floor((certificateExpiry() - now()) / 1000) },
  ])
}

function remembered<T>(read: () => Promise<T>): () => Promise<T> {
  let latest: { readonly at: number; readonly value: Promise<T> } | undefined
  return () => {
    const at = performance.now()
    if (latest && at - latest.at < DEPTH_LIFE_MS) return latest.value
    const value = read()
    latest = { at, value }
    // What failed is not remembered.
    value.catch(() => (latest = undefined))
    return value
  }
}
