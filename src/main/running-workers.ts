import type { Workers, WorkersWorld } from '#registry/workers/workers.ts'
import type { Runtime } from '#workers/runtime/runtime.ts'
import type { Tails } from '#workers/tails/tails.ts'
import { openUploadTurns } from './upload-turns.ts'

/** The registry of Workers and the runtime, which know nothing of each other: uploads are tried out in the runtime, and
 *  what is removed ends there. `open` gets what the registry needs of it; until `workersRunBy` no upload is taken. */
export function openRunningWorkers(open: (hands: Required<Pick<WorkersWorld, 'tryOut'>>) => Workers) {
  let running: { readonly runtime: Runtime; readonly tails: Tails } | undefined
  const turns = openUploadTurns()
  const workers = open({
    async tryOut(version) {
      if (!running) return { detail: 'Workers are not running yet.' }
      const done = await turns.take(version.accountId)
      if (!done) return { detail: 'Too many uploads of this account are waiting; try again a little later.' }
      try {
        const startedAt = performance.now()
        const outcome = await running.runtime.tryOut(version)
        return { ...outcome, startupMs: Math.max(1, Math.round(performance.now() - startedAt)) }
      } finally {
        done()
      }
    },
  })
  return {
    workers: {
      ...workers,
      async remove(worker, record) {
        const removed = await workers.remove(worker, record)
        const { accountId, name: scriptName } = worker
        if (removed) {
          running?.tails.removeAll({ accountId, scriptName })
          // What it has begun may take its time.
          void running?.runtime.stop(accountId, scriptName)
        }
        return removed
      },
    } satisfies Workers,
    workersRunBy(those: NonNullable<typeof running>) {
      running = those
    },
  }
}
