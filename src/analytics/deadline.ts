/** A question took too long and was given up. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'
}

/** When a question is given up. */
export interface Deadline {
  /** Throws DeadlinePassed; to be called before each query of a question. */
  check(): void
  /** Whether half of the time is over: what is begun now may still end within the other. */
  isNear(): boolean
}

/** `clock` of ms, which is not set back. */
export function startDeadline(limitMs: number, clock: () => number): Deadline {
  const end = clock() + limitMs
  return {
    isNear: () => clock() > end - limitMs / 2,
    check() {
      if (clock() > end) throw new DeadlinePassed(`no answer within ${limitMs} ms`)
    },
  }
}
