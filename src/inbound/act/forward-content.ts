import { isAscii } from 'node:buffer'
import { contentChunks, contentSize } from '#bodies/read-content.ts'
import type { StreamedContent } from '#outbound/queue/claimed-delivery.ts'
import type { HeaderField } from '#protocol/header-block.ts'
import type { Incoming } from './incoming.ts'

/** The message as it goes on: what we put before it, and then itself, octet for octet, but for the fields that bear our
 *  name and that we did not write. */
export function forwardContent(
  { content, header, block }: Pick<Incoming, 'content' | 'header' | 'block'>,
  {
    prefix,
    without,
    eightBit,
  }: { readonly prefix: Buffer; readonly without: readonly HeaderField[]; readonly eightBit: boolean },
): Buffer | StreamedContent {
  const kept = headerWithout(header, without)
  const { bodyStart } = block
  if (content.kind === 'memory') return Buffer.concat([prefix, kept, content.bytes.subarray(bodyStart)])
  const whole = Buffer.concat([prefix, kept])
  return {
    size: whole.length + contentSize(content) - bodyStart,
    header: whole,
    eightBit: eightBit || !isAscii(whole),
    open: () => continued(whole, contentChunks(content), bodyStart),
  }
}

/** The header section, blank line included, without some of its fields. */
export function headerWithout(header: Buffer, without: readonly HeaderField[]): Buffer {
  const kept: Buffer[] = []
  let from = 0
  for (const { start, end } of without) {
    kept.push(header.subarray(from, start))
    from = end
  }
  return from === 0 ? header : Buffer.concat([...kept, header.subarray(from)])
}

/** `first`, and behind it what comes after the first `skip` octets of the others. */
async function* continued(
  first: Buffer,
  chunks: AsyncIterable<Buffer>,
  skip: number,
): AsyncGenerator<Buffer> {
  yield first
  let left = skip
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}
