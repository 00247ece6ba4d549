/** Each is a process that starts, and that may compute until it is ended. */
const AT_ONCE = 2
/** Each has its modules in memory. */
const MOST_WAITING = 20

/** Who may try out an upload now. One of an account at a time: what an account uploads waits for its own first, so that
 *  others have their turn. */
export function openUploadTurns() {
  const underWay = new Set<string>()
  const line: { readonly accountId: string; readonly go: () => void }[] = []

  function next(): void {
    while (underWay.size < AT_ONCE) {
      const at = line.findIndex(({ accountId }) => !underWay.has(accountId))
      const [one] = at === -1 ? [] : line.splice(at, 1)
      if (!one) return
      underWay.add(one.accountId)
      one.go()
    }
  }

  return {
    /** Out: to be called when it is over. Undefined where the account has too many that wait. */
    async take(accountId: string): Promise<(() => void) | undefined> {
      if (line.filter((one) => one.accountId === accountId).length >= MOST_WAITING) return undefined
      await new Promise<void>((go) => {
        line.push({ accountId, go })
        next()
      })
      return () => {
        underWay.delete(accountId)
        next()
      }
    },
  }
}
