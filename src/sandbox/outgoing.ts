import type { ServerResponse } from 'node:http'

/** The memory of answers that are being sent: a client that does not read holds its own in full. */
export interface Outgoing {
  /** Takes the octets of an answer until its connection is done with it; a second time it takes nothing. False where
   *  there is no room now. A client that takes nothing of such an answer for a while is hung up on. */
  take(response: ServerResponse, bytes: number): boolean
}

export interface OutgoingOptions {
  /** Octets of all answers together; one that is larger goes out alone. */
  readonly limit?: number
  readonly stallMs?: number
}

/** What a client may have ordered without being counted, so that small answers always pass. */
const SMALL = 64 * 1024

export function openOutgoing({ limit = 64 * 1024 * 1024, stallMs = 30_000 }: OutgoingOptions = {}): Outgoing {
  const counted = new WeakSet<ServerResponse>()
  let held = 0
  return {
    take(response, bytes) {
      // One whose connection is gone tells of no end any more.
      if (bytes <= SMALL || response.destroyed || counted.has(response)) return true
      if (held > 0 && held + bytes > limit) return false
      counted.add(response)
      held += bytes
      response.once('close', () => {
        held -= bytes
      })
      response.setTimeout(stallMs, () => response.destroy())
      return true
    },
  }
}
