/** Lets one question of a kind and an account be answered at a time, and a few wait: who asks for everything at once
 *  waits for himself, and not others for him. `busy`: too many wait already. */
export interface QuestionTurns {
  take<T>(line: string, work: () => Promise<T>): Promise<T | 'busy'>
}

const MOST_WAITING = 32

export function openTurns(): QuestionTurns {
  const lines = new Map<string, { last: Promise<unknown>; waiting: number }>()
  return {
    async take(name, work) {
      const line = lines.get(name) ?? { last: Promise.resolve(), waiting: 0 }
      if (line.waiting >= MOST_WAITING) return 'busy'
      lines.set(name, line)
      line.waiting += 1
      const mine = line.last.then(work)
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
