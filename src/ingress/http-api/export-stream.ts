import { Readable } from 'node:stream'

/** How an export has to be read: it has a place that others wait for. */
export interface ReadingPace {
  /** At least so fast, … */
  readonly octetsPerSecond: number
  /** … and behind that for no longer than this. */
  readonly patienceMs: number
  readonly longestMs: number
}

const PACE: ReadingPace = { octetsPerSecond: 16_384, patienceMs: 60_000, longestMs: 3_600_000 }

/** Small enough that a slow reader takes one now and then. */
const PIECE = 16_384

/** Text as the content of an export, page by page: the next page is read when the client has taken the one before. Only
 *  the time in which we wait for the client counts against it. Who is too slow, or takes too long in all, loses the
 *  connection, so that what there is does not look whole. */
export function exportStream(pages: AsyncIterable<string>, pace = PACE): Readable {
  const { octetsPerSecond, patienceMs, longestMs } = pace
  const lose = (why: string) => content.destroy(new Error(`an export was given up: ${why}`))

  async function* pieces(): AsyncGenerator<Buffer> {
    let patience = patienceMs
    for await (const page of pages) {
      const octets = Buffer.from(page)
      for (let from = 0; from < octets.length; from += PIECE) {
        const piece = octets.subarray(from, from + PIECE)
        const since = performance.now()
        const slow = setTimeout(lose, patience, 'it was read too slowly').unref()
        try {
          yield piece
        } finally {
          clearTimeout(slow)
        }
        const earned = (piece.length / octetsPerSecond) * 1000
        patience = Math.min(patienceMs, patience - (performance.now() - since) + earned)
      }
    }
  }

  const content = Readable.from(pieces(), { objectMode: false })
  const late = setTimeout(lose, longestMs, 'it took too long').unref()
  return content.once('close', () => clearTimeout(late))
}
