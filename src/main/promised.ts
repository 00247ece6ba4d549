import { randomUUID } from 'node:crypto'
import { openNotices } from '#outbound/notices/notices.ts'
import { openPauses } from '#outbound/queue/pauses.ts'
import { openQueue } from '#outbound/queue/queue.ts'
import type { Kept } from './kept.ts'
import type { Registries } from './registries.ts'

/** What was promised, and what is told of it. */
export async function openPromised(kept: Kept, { domains }: Registries, opened: AsyncDisposableStack) {
  const { config, log, store, bodies, service, incarnation, now } = kept
  const pauses = await openPauses({ store, log, now })
  opened.defer(() => pauses.close())
  const queue = await openQueue({
    store,
    bodies,
    log,
    node: incarnation.id,
    now,
    newToken: randomUUID,
    longestBackoffMs: Math.max(...config.RETRY_MS) * 1.25,
    pauses,
  })
  const notices = openNotices({ store, bodies, queue, domains, service, log, expireMs: config.EXPIRE_MS })
  return { pauses, queue, notices }
}

export type Promised = Awaited<ReturnType<typeof openPromised>>
