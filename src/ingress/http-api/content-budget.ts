import type { FastifyReply } from 'fastify'

/** Contents of messages on their way to who looks at them, all requests together, whichever way they look. */
export interface ContentBudget {
  /** False where there is no room now. What was reserved is given back when the connection is done with the answer, however
   *  that ends; a client that takes nothing of it for a while is hung up on. */
  reserve(octets: number, reply: FastifyReply): boolean
}

export interface ContentBudgetOptions {
  /** Octets of all answers together; one that is larger goes out alone. */
  readonly most?: number
  readonly stallMs?: number
}

const MOST_OCTETS = 64 * 1_048_576
/** Usual mail passes always. */
const SMALL = 64 * 1024

export function openContentBudget({
  most = MOST_OCTETS,
  stallMs = 30_000,
}: ContentBudgetOptions = {}): ContentBudget {
  let held = 0
  return {
    reserve(octets, { raw }) {
      // A connection that is gone tells of no end any more.
      if (octets <= SMALL || raw.destroyed) return true
      if (held > 0 && held + octets > most) return false
      held += octets
      raw.once('close', () => {
        held -= octets
      })
      raw.setTimeout(stallMs, () => raw.destroy())
      return true
    },
  }
}
