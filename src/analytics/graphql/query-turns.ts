/** Who may ask now: a few queries of one owner run at a time, and some more wait. */
export interface QueryTurns {
  /** Undefined where too many wait already. The turn ends with what is resolved. */
  take(owner: string): Promise<AsyncDisposable> | undefined
}

/** A page of charts asks some ten questions at once. */
const AT_ONCE = 4
const MOST_WAITING = 40

interface Line {
  running: number
  readonly waiting: (() => void)[]
}

export function openQueryTurns(): QueryTurns {
  const lines = new Map<string, Line>()

  function end(owner: string, line: Line): void {
    const next = line.waiting.shift()
    if (next) return next()
    line.running--
    if (line.running === 0) lines.delete(owner)
  }

  return {
    take(owner) {
      const line = lines.get(owner) ?? { running: 0, waiting: [] }
      lines.set(owner, line)
      if (line.waiting.length >= MOST_WAITING) return undefined
      const turn: AsyncDisposable = {
        async [Symbol.asyncDispose]() {
          end(owner, line)
        },
      }
      if (line.running < AT_ONCE) {
        line.running++
        return Promise.resolve(turn)
      }
      return new Promise((resolve) => line.waiting.push(() => resolve(turn)))
    },
  }
}
