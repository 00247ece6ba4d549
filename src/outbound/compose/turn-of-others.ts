import { setImmediate } from 'node:timers/promises'

/** What takes some milliseconds to go through. */
const MUCH = 1_048_576

/** Between two steps of work on a content: where it is large, whatever else waits for this thread has its turn. */
export async function turnOfOthers(octets: number): Promise<void> {
  if (octets > MUCH) await setImmediate()
}
