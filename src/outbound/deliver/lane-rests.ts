import { LRUCache } from 'lru-cache'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { laneOf } from '#outbound/queue/claimed-delivery.ts'
import { type Lane, laneKey } from '#outbound/queue/lane.ts'

/** The lanes none of whose hosts answered a moment ago. The store decides when a lane is tried again; this keeps what it
 *  does not see, or does not see yet, from trying it sooner. By a clock that does not step. */
export interface LaneRests {
  has(lane: Lane): boolean
  /** Whether nothing of this lane should be taken in. Ends a little before the lane is due in the store. */
  full(lane: Lane): boolean
  /** Whether a delivery that was taken in all the same is ahead of its lane's time: it was claimed, or promised as
   *  claimed, while the failure was being recorded, or before the lane's probe could be sent. */
  isEarly(delivery: ClaimedDelivery): boolean
  /** Until it is known for how long. */
  begin(lane: Lane): void
  last(lane: Lane, ms: number): void
  /** Whether it rested. */
  end(lane: Lane): boolean
}

const MOST_RESTING = 50_000
/** For the failure to be recorded. */
const RECORDING_MS = 1000
const FULL_SHARE = 0.9
/** For the probe to be claimed once the lane is due: it goes first. */
const PROBED_WITHIN_MS = 5000

export function openLaneRests(clock: () => number): LaneRests {
  /** Until when a lane is full. */
  const resting = new LRUCache<string, number>({ max: MOST_RESTING, ttl: RECORDING_MS, ttlResolution: 10 })
  const isFull = (fullUntil: number | undefined) => fullUntil !== undefined && clock() < fullUntil
  return {
    has: (lane) => resting.has(laneKey(lane)),
    full: (lane) => isFull(resting.get(laneKey(lane))),
    isEarly(delivery) {
      if (delivery.probe) return false
      const fullUntil = resting.get(laneKey(laneOf(delivery)))
      // What the store handed out late in the rest it handed out knowing better: another node reached the lane.
      return isFull(fullUntil) || (fullUntil !== undefined && delivery.content !== undefined)
    },
    begin: (lane) => void resting.set(laneKey(lane), clock() + RECORDING_MS),
    last: (lane, ms) =>
      void resting.set(laneKey(lane), clock() + ms * FULL_SHARE, { ttl: Math.ceil(ms) + PROBED_WITHIN_MS }),
    end: (lane) => resting.delete(laneKey(lane)),
  }
}
