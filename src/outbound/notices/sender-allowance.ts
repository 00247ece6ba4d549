import { LRUCache } from 'lru-cache'

/** How many notices a sender gets in an hour, so that a list of bad addresses buries nobody, and a machine that answers
 *  notices gets no more of them soon. Counted in this process alone, and for as many senders as it remembers. */
export interface SenderAllowance {
  /** `first-refused`: the first one too many of this hour. */
  take(sender: string, at: number): 'granted' | 'first-refused' | 'refused'
  giveBack(sender: string): void
}

interface Hour {
  readonly since: number
  taken: number
  refused: boolean
}

const HOUR_MS = 3_600_000
const MOST_SENDERS = 10_000

export function openSenderAllowance(perHour: number): SenderAllowance {
  const hours = new LRUCache<string, Hour>({ max: MOST_SENDERS })
  return {
    take(sender, at) {
      let hour = hours.get(sender)
      // A clock that stepped back begins a new hour, too.
      if (!hour || at >= hour.since + HOUR_MS || at < hour.since - HOUR_MS) {
        hour = { since: at, taken: 0, refused: false }
        hours.set(sender, hour)
      }
      if (hour.taken < perHour) {
        hour.taken += 1
        return 'granted'
      }
      if (hour.refused) return 'refused'
      hour.refused = true
      return 'first-refused'
    },
    giveBack(sender) {
      const hour = hours.get(sender)
      if (hour && hour.taken > 0) hour.taken -= 1
    },
  }
}
