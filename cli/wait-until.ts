import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 3000

/** Asks until the answer holds or the time is over; the last answer. Without a time it asks once. */
export async function waitUntil<Answer>(
  ask: () => Promise<Answer>,
  holds: (answer: Answer) => boolean,
  forMs = 0,
): Promise<Answer> {
  const end = Date.now() + forMs
  for (;;) {
    const answer = await ask()
    const left = end - Date.now()
    if (holds(answer) || left <= 0) return answer
    await sleep(Math.min(EVERY_MS, left))
  }
}
