import { LRUCache } from 'lru-cache'
import type { WorkerVersion } from '#model/worker.ts'
import type { Workers } from '#registry/workers/workers.ts'
import type { WorkerPlace } from '#workers/runtime/host-services.ts'

/** Of all versions together. */
const KEPT_OCTETS = 128 * 1_048_576
/** What a version has besides its modules, about. */
const BASE_OCTETS = 4096

export type CurrentVersion = (place: WorkerPlace) => Promise<WorkerVersion | undefined>

/** What runs of a Worker, whole. It is asked for with each message: which version that is costs one point read, and the
 *  version itself, which never changes, is read once. */
export function openCurrentVersions({
  currentId,
  version,
}: Pick<Workers, 'currentId' | 'version'>): CurrentVersion {
  const known = new LRUCache<string, WorkerVersion>({
    maxSize: KEPT_OCTETS,
    sizeCalculation: ({ modules }) => modules.reduce((sum, { content }) => sum + content.length, BASE_OCTETS),
  })
  const reading = new Map<string, Promise<WorkerVersion | undefined>>()

  async function read(accountId: string, id: string): Promise<WorkerVersion | undefined> {
    const found = await version(accountId, id)
    if (found) known.set(id, found)
    return found
  }

  return async ({ accountId, scriptName }) => {
    const id = await currentId(accountId, scriptName)
    if (id === undefined) return undefined
    const there = known.get(id) ?? reading.get(id)
    if (there) return there
    const found = read(accountId, id).finally(() => reading.delete(id))
    reading.set(id, found)
    return found
  }
}
