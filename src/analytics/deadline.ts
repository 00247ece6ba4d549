/** A question took too long and was given up. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'
}

/** When a question is given up, on the process's own clock. */
export interface Deadline {
  /** Throws DeadlinePassed; to be called before each query of a question. */
  check(): void
}

export function startDeadline(limitMs: number): Deadline {
  const end = performance.now() + limitMs
  return {
    check() {
      if (performance.now() > end) throw new DeadlinePassed(`no answer within ${limitMs} ms`)
    },
  }
}
