import type { Store, Write } from '#store/store.ts'
import { openRecentCalls } from './recent-calls.ts'
import { type ReplayRange, replayOne, replayRange } from './replay.ts'
import type { WebhookPlace } from './webhook.ts'

export interface Replays {
  /** Tells it once more; one that waits is due now. False for none of this webhook. `place` must be there. */
  replay(place: WebhookPlace, deliveryId: string, record: readonly Write[]): Promise<boolean | 'too-often'>
  /** 10,000 at most; `more`: there are more, which the same call takes, once fewer wait where too many do. `busy`: the
   *  webhook has such a replay under way, or all webhooks have too many. `place` must be there. */
  replayRange(
    place: WebhookPlace,
    range: ReplayRange,
    record: readonly Write[],
  ): Promise<{ readonly replayed: number; readonly more: boolean } | 'busy'>
}

/** Single ones of one webhook in a minute. Who wants more asks for a range. */
export const REPLAYS_PER_MINUTE = 60
const MINUTE_MS = 60_000
/** Ranges of all webhooks at once: mail waits for their commits. */
const MOST_RANGES = 4

/** The bounds are of this process: each node has its own. */
export function openReplays(world: {
  readonly store: Store
  readonly clock: () => number
  readonly keepMs: number
  readonly mostWaiting: number
}): Replays {
  const { store, clock, keepMs, mostWaiting } = world
  const recent = openRecentCalls({ most: REPLAYS_PER_MINUTE, withinMs: MINUTE_MS, clock })
  const underWay = new Set<string>()

  return {
    async replay(place, deliveryId, record) {
      if (!recent.take(place.webhookId)) return 'too-often'
      return replayOne(store, place, { deliveryId, keepMs, record })
    },

    async replayRange(place, range, record) {
      if (underWay.has(place.webhookId) || underWay.size >= MOST_RANGES) return 'busy'
      underWay.add(place.webhookId)
      try {
        return await replayRange(store, place, { ...range, keepMs, mostWaiting, record })
      } finally {
        underWay.delete(place.webhookId)
      }
    },
  }
}
