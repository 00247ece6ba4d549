import { isAscii } from 'node:buffer'
import { LRUCache } from 'lru-cache'
import type { Bodies } from '#bodies/bodies.ts'
import type { QueuedMessage, StreamedContent } from '#outbound/queue/claimed-delivery.ts'

/** Contents that are no longer in memory, read back once for all recipients whose turn comes at about the same time;
 *  large ones are read by each while it sends. */
export interface Contents {
  /** Throws where a message has lost its body. */
  read(message: Pick<QueuedMessage, 'id' | 'bodyId' | 'size'>): Promise<Buffer | StreamedContent>
}

const STREAMED_BYTES = 1024 * 1024
/** What is looked at of a header, to see whether it wants SMTPUTF8. */
const HEADER_BYTES = 256 * 1024
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
    async read({ id, bodyId, size }) {
      const isLarge = size > STREAMED_BYTES
      const content = isLarge
        ? await streamOf(bodies, bodyId)
        : (kept.get(bodyId) ?? (await readOnce(bodyId)))
      if (!content) throw new Error(`body ${bodyId} of message ${id} is missing`)
      return content
    },
  }
}

/** One pass over it tells what the SMTP transaction has to announce. */
async function streamOf(bodies: Bodies, bodyId: string): Promise<StreamedContent | undefined> {
  const body = await bodies.stream(bodyId)
  if (!body) return undefined
  let header = Buffer.alloc(0)
  let eightBit = false
  for await (const piece of body.open()) {
    if (header.length < HEADER_BYTES)
      header = Buffer.concat([header, piece.subarray(0, HEADER_BYTES - header.length)])
    eightBit ||= !isAscii(piece)
  }
  const blank = header.indexOf('\r\n\r\n')
  return {
    size: body.size,
    header: blank === -1 ? header : header.subarray(0, blank + 4),
    eightBit,
    open: () => body.open(),
  }
}
