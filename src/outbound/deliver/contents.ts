import { LRUCache } from 'lru-cache'
import type { Bodies } from '#bodies/bodies.ts'
import type { QueuedMessage } from '#outbound/queue/claimed-delivery.ts'

/** Contents that are no longer in memory, read back once for all recipients whose turn comes at about the same time. */
export interface Contents {
  /** Throws where a message has lost its body. */
  read(message: Pick<QueuedMessage, 'id' | 'bodyId'>): Promise<Buffer>
}

const KEPT_BYTES = 32 * 1024 * 1024
const KEPT_MS = 10_000

export function openContents(bodies: Bodies): Contents {
  const kept = new LRUCache<string, Buffer>({
    maxSize: KEPT_BYTES,
    sizeCalculation: (content) => Math.max(1, content.length),
    ttl: KEPT_MS,
    ttlResolution: 100,
  })
  const reading = new Map<string, Promise<Buffer | undefined>>()

  async function readOnce(bodyId: string): Promise<Buffer | undefined> {
    const underWay = reading.get(bodyId)
    if (underWay) return underWay
    const read = bodies.read(bodyId).finally(() => reading.delete(bodyId))
    reading.set(bodyId, read)
    const content = await read
    if (content) kept.set(bodyId, content)
    return content
  }

  return {
    async read({ id, bodyId }) {
      const content = kept.get(bodyId) ?? (await readOnce(bodyId))
      if (!content) throw new Error(`body ${bodyId} of message ${id} is missing`)
      return content
    },
  }
}
