/** So many calls of each key within a time; those that were refused do not count. What this process was asked: it forgets
 *  all of them when it ends. */
export interface RecentCalls {
  /** False: it was called as often as it may be. */
  take(key: string): boolean
}

export function openRecentCalls(limits: {
  readonly most: number
  readonly withinMs: number
  readonly clock: () => number
}): RecentCalls {
  const { most, withinMs, clock } = limits
  /** The one that was called last comes last. */
  const calls = new Map<string, readonly number[]>()

  return {
    take(key) {
      const now = clock()
      // A clock that was set back must not keep anybody out until it is there again.
      const isRecent = (at: number) => at > now - withinMs && at <= now
      for (const [other, times] of calls) {
        if (times.some(isRecent)) break
        calls.delete(other)
      }
      const recent = (calls.get(key) ?? []).filter(isRecent)
      if (recent.length >= most) return false
      calls.delete(key)
      calls.set(key, [...recent, now])
      return true
    },
  }
}
