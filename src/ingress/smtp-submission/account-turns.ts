/** Work that is done one at a time, the accounts in turn, so that one that has much of it holds up another by one piece
 *  at most. Between two pieces the event loop goes round, and everybody else is served. */
export interface AccountTurns {
  /** Runs the task when its turn comes. */
  take<T>(accountId: string, task: () => Promise<T>): Promise<T>
}

export function openAccountTurns(): AccountTurns {
  /** Who waits, in order of arrival. Maps keep the order of insertion: the account that is next comes first. */
  const waiting = new Map<string, (() => void)[]>()
  let busy = false

  function wait(accountId: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const ofAccount = waiting.get(accountId)
    if (ofAccount) ofAccount.push(resolve)
    else waiting.set(accountId, [resolve])
    return promise
  }

  /** Gives the turn to the next account, whose others go to the end of the line. */
  function pass(): void {
    const [next] = waiting
    if (next === undefined) {
      busy = false
      return
    }
    const [accountId, [start, ...others]] = next
    waiting.delete(accountId)
    if (others.length > 0) waiting.set(accountId, others)
    setImmediate(() => start?.())
  }

  return {
    async take(accountId, task) {
      if (busy) await wait(accountId)
      busy = true
      try {
        return await task()
      } finally {
        pass()
      }
    },
  }
}
