import { type FileHandle, open } from 'node:fs/promises'
import type { Content } from '#model/content.ts'
import { type HeaderBlock, parseHeaderBlock } from '#protocol/header-block.ts'

/** A message as verification reads it: once, and no further than it must. */
export interface OpenMessage extends AsyncDisposable {
  /** Undefined where two readers might split it in two ways, or where it is larger than any honest one. */
  readonly header: HeaderBlock | undefined
  /** The header with ten signatures at most, as octets. */
  readonly signedHeader: Buffer
  /** The body, once. A piece is valid until the next one is asked for. */
  bodyPieces(): AsyncIterable<Buffer>
}

/** More than any honest message has (RFC 6376 §8.4: a verifier may limit the signatures that it looks at). */
export const MOST_SIGNATURES = 10
const HEADER_LIMITS = { fields: 1000, bytes: 256 * 1024 }
/** Octets that may be canonicalised and hashed for one message, at about 5 ms a MiB. */
const MOST_HASHED = 200 * 1024 * 1024
/** Two canonicalisations, two hashes. A signature with `l=` has the body hashed in a way of its own. */
const SHARED_WAYS = 4
/** Between two pieces the thread looks after its other messages. */
const PIECE = 64 * 1024

/** Opens a message; of a file one piece at a time is in memory. Rejects where the file is not there. */
export async function openMessage(content: Content): Promise<OpenMessage> {
  if (content.kind === 'memory') {
    const { bytes } = content
    const start = headerOf(bytes, bytes.length)
    return {
      ...start,
      bodyPieces: () => piecesOf(bytes.subarray(start.bodyStart)),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
  const handle = await open(content.path)
  try {
    // Two octets more than a header may have, so that its end is seen whole.
    const head = Buffer.allocUnsafeSlow(Math.min(HEADER_LIMITS.bytes + 2, content.size))
    const length = await readInto(head, handle, 0)
    const start = headerOf(head.subarray(0, length), content.size)
    return {
      ...start,
      bodyPieces: () => readPieces(handle, start.bodyStart),
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

function headerOf(head: Buffer, size: number) {
  const header = parseHeaderBlock(head, HEADER_LIMITS)
  if ('fault' in header) return { header: undefined, signedHeader: Buffer.alloc(0), bodyStart: 0 }
  // A copy, so that no more of a file stays in memory than its header.
  const signedHeader = Buffer.concat(withFewSignatures(head, header, size))
  return { header, signedHeader, bodyStart: header.bodyStart }
}

/** Without the DKIM-Signature fields past the tenth, and past fewer of those that have a large body hashed for
 *  themselves. */
function withFewSignatures(head: Buffer, { fields, bodyStart }: HeaderBlock, size: number): Buffer[] {
  const ownWays = Math.max(0, Math.floor(MOST_HASHED / Math.max(size, 1)) - SHARED_WAYS)
  const kept: Buffer[] = []
  let from = 0
  let count = 0
  let own = 0
  for (const { name, value, start, end } of fields) {
    if (name.toLowerCase() !== 'dkim-signature') continue
    const isOwn = /(?:^|;)\s*l\s*=/i.test(value)
    if (count < MOST_SIGNATURES && (!isOwn || own < ownWays)) {
      count++
      if (isOwn) own++
      continue
    }
    kept.push(head.subarray(from, start))
    from = end
  }
  return [...kept, head.subarray(from, bodyStart)]
}

async function* piecesOf(body: Buffer): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < body.length; at += PIECE) {
    if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve))
    yield body.subarray(at, at + PIECE)
  }
}

async function* readPieces(handle: FileHandle, start: number): AsyncGenerator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(PIECE)
  for (let at = start; ; ) {
    const length = await readInto(buffer, handle, at)
    if (length === 0) return
    yield buffer.subarray(0, length)
    at += length
  }
}

/** How many octets came from there; fewer than there is room for only at the end of the file. */
async function readInto(buffer: Buffer, handle: FileHandle, at: number): Promise<number> {
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, at + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return length
}
