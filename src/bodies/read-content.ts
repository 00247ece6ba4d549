import { open } from 'node:fs/promises'
import type { Content } from '#model/content.ts'

const CHUNK = 64 * 1024

/** Octets. */
export function contentSize(content: Content): number {
  return content.kind === 'memory' ? content.bytes.length : content.size
}

/** The whole of it, a piece at a time; the file is closed however the reading ends. Each piece has memory of its own.
 *  Throws what the file system throws. */
export function contentChunks(content: Content): AsyncGenerator<Buffer, void, undefined> {
  return pieces(content, () => Buffer.allocUnsafeSlow(CHUNK))
}

/** The same for readers that only look: a piece is valid until the next one is asked for. */
export function contentGlimpses(content: Content): AsyncGenerator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(content.kind === 'file' ? CHUNK : 0)
  return pieces(content, () => buffer)
}

async function* pieces(content: Content, room: () => Buffer): AsyncGenerator<Buffer, void, undefined> {
  if (content.kind === 'memory') {
    yield content.bytes
    return
  }
  await using file = await open(content.path, 'r')
  for (;;) {
    const { bytesRead, buffer } = await file.read(room(), 0, CHUNK)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** At most so many octets of its start: what a header has to fit into. */
export async function contentHead(content: Content, bytes: number): Promise<Buffer> {
  if (content.kind === 'memory') return content.bytes.subarray(0, bytes)
  const wanted = Math.min(bytes, content.size)
  const head = Buffer.allocUnsafeSlow(wanted)
  await using file = await open(content.path, 'r')
  let length = 0
  while (length < wanted) {
    const { bytesRead } = await file.read(head, length, wanted - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return head.subarray(0, length)
}

/** The whole of it at once, for readers that cannot do with less: whoever asks has a budget for it. */
export async function contentBytes(content: Content): Promise<Buffer> {
  return content.kind === 'memory' ? content.bytes : contentHead(content, content.size)
}
