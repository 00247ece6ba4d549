import type { Asking } from './asking.ts'
import type { ChosenLabels } from './chosen-labels.ts'
import { countDays } from './day-counts.ts'
import type { DayIndex } from './day-index.ts'

/** A day that may have what is asked for. */
export interface Place {
  readonly day: number
  readonly index: DayIndex
  /** Events with the labels that are asked for. */
  readonly chosen: number
  /** Events that are looked at where all of the day is read by that index. */
  readonly cost: number
}

/** Where to look for events with some labels, by what the counts say: days without any are left out, and of a day that
 *  has few of them these alone are read, by the index of labels. `wanted`: so many are enough, where labels are all that
 *  is asked for, and the order is that of time. */
export async function choosePlaces(
  asking: Asking,
  chosen: ChosenLabels,
  { days, wanted = Number.POSITIVE_INFINITY }: { days: readonly number[]; wanted?: number },
): Promise<readonly Place[]> {
  const { accountId } = chosen.query.scope
  const everything = { query: { scope: { accountId } }, conditions: [] }
  const [counts, totals] = await Promise.all([
    countDays(asking, chosen, days),
    countDays(asking, everything, days),
  ])
  return days.flatMap((day): Place[] => {
    const [count = 0, total = 0] = [counts.get(day), totals.get(day)]
    if (count === 0) return []
    const inTurn = Math.min(total, (wanted * total) / count)
    // An event by its label costs more than the next one in turn, which lies beside it.
    const byLabel = 2 * count < inTurn
    return [{ day, index: byLabel ? 'label' : 'at', chosen: count, cost: byLabel ? count : total }]
  })
}
