import { openKv } from '../workers/storage/kv.ts'
import type { Kept } from './kept.ts'
import { repeat } from './repeat.ts'

const SWEEP_MS = 60_000

/** What Workers keep. */
export function openWorkersStorage({ store, log, now }: Kept, opened: AsyncDisposableStack) {
  const kv = openKv({ store, clock: now })
  opened.use(repeat(SWEEP_MS, () => kv.sweep(), log))
  return { kv }
}

export type WorkersStorage = ReturnType<typeof openWorkersStorage>
