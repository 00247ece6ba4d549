import { newId } from '#store/id.ts'

export interface Arrival {
  readonly id: string
  /** Milliseconds since 1970; the same time is in the id. */
  readonly at: number
}

/** Ids that sort in the order of arrival even within one millisecond, so that "latest" means the last one sent:
 *  the 12 bits after the version count, as RFC 9562 §6.2 (method 1) allows. A clock stepped back stands still. */
export function arrivalIds(): () => Arrival {
  let lastAt = 0
  let count = 0
  return () => {
    const fresh = newId()
    const now = Number.parseInt(fresh.slice(0, 12), 16)
    count = now > lastAt ? 0 : count + 1
    lastAt = Math.max(now, lastAt)
    if (count > 0xfff) {
      lastAt += 1
      count = 0
    }
    const id = `${hex(lastAt, 12)}7${hex(count, 3)}${fresh.slice(16)}`
    return { id, at: lastAt }
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
