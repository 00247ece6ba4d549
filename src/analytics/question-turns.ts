/** Lets one question of a kind and an account be answered at a time, and a few wait: who asks for everything at once
 *  waits for himself, and not others for him. `busy`: too many wait already, or it waited for too long. */
export interface QuestionTurns {
  take<T>(line: string, work: () => Promise<T>): Promise<T | 'busy'>
}

const MOST_WAITING = 32

/** `limitMs`: how long a question waits for its turn, by a clock of ms. */
export function openTurns({ limitMs, clock }: { limitMs: number; clock: () => number }): QuestionTurns {
  const lines = new Map<string, { last: Promise<unknown>; waiting: number }>()
  return {
    async take<T>(name: string, work: () => Promise<T>) {
      const line = lines.get(name) ?? { last: Promise.resolve(), waiting: 0 }
      if (line.waiting >= MOST_WAITING) return 'busy'
      lines.set(name, line)
      line.waiting += 1
      const came = clock()
      const mine = line.last.then(
        async (): Promise<T | 'busy'> => (clock() - came > limitMs ? 'busy' : work()),
      )
      line.last = mine.catch(() => {})
      try {
        return await mine
      } finally {
        line.waiting -= 1
        if (line.waiting === 0) lines.delete(name)
      }
    },
  }
}
