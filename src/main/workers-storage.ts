import { openAnalytics } from '#workers/storage/analytics.ts'
import { openKv } from '#workers/storage/kv.ts'
import { openQueues } from '#workers/storage/queues.ts'
import type { Kept } from './kept.ts'
import { repeat } from './repeat.ts'

const SWEEP_MS = 60_000

/** What Workers keep. */
export async function openWorkersStorage({ store, log, now }: Kept, opened: AsyncDisposableStack) {
  const kv = openKv({ store, clock: now })
  const queues = await openQueues({ store, clock: now })
  const analytics = openAnalytics({ store, clock: now })
  opened.use(repeat(SWEEP_MS, () => kv.sweep(), log))
  opened.use(repeat(SWEEP_MS, () => queues.sweep(), log))
  opened.use(repeat(SWEEP_MS, () => analytics.sweep(), log))
  return { kv, queues, analytics }
}

export type WorkersStorage = Awaited<ReturnType<typeof openWorkersStorage>>
