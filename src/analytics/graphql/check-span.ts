import type { Filter } from '../history-query.ts'
import { QueryFault } from './query-fault.ts'
import { earliest } from './read-filter.ts'

const DAY_MS = 86_400_000

/** Refuses what is asked of days that are forgotten, as the original does: an answer without them would look whole.
 *  The first day that is kept is whole. Without a lower bound the answer begins with what there is. */
export function checkSpan(
  filter: Filter | undefined,
  { days, now }: { readonly days: number; readonly now: number },
): void {
  const from = filter && earliest(filter)
  const first = now - (now % DAY_MS) - days * DAY_MS
  if (from === undefined || from >= first) return
  const kept = `cannot request data older than ${inWords(days * DAY_MS)}`
  const asked = `but your query requests data from ${inWords(now - from)} ago`
  const oldest = new Date(first).toISOString().slice(0, 10)
  throw new QueryFault('limit', `${kept}, ${asked}; the oldest day that is kept is ${oldest}`)
}

const UNITS = [
  ['w', 7 * DAY_MS],
  ['d', DAY_MS],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** `4w3d`. */
function inWords(span: number): string {
  let left = span
  const words = UNITS.flatMap(([unit, ms]) => {
    const count = Math.floor(left / ms)
    left -= count * ms
    return count > 0 ? [`${count}${unit}`] : []
  })
  return words.join('') || '0s'
}
