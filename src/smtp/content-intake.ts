import { type BareLineEnds, DataReader } from './data-reader.ts'
import type { DataSink } from './handler.ts'
import { LongestLine } from './longest-line.ts'
import { messageTooBig } from './message-too-big.ts'
import type { Reply } from './reply.ts'

type AbortReason = Parameters<DataSink['abort']>[0]

export interface IntakeTerms {
  readonly messageBytes: number
  readonly textLineBytes: number
  readonly bareLineEnds: BareLineEnds
  /** The sink threw; gives the reply for it. */
  readonly broken: (error: unknown) => Reply
}

/** What one chunk led to: `rest` is there once the content has ended, `flood` when its end is not worth waiting for,
 *  `wait` while the sink holds the peer back. */
export interface Taken {
  readonly rest: Buffer | undefined
  readonly flood: boolean
  readonly wait: Promise<void> | undefined
}

const BARE_LINE_END: Reply = {
  code: 554,
  enhanced: '5.6.0',
  text: 'Message refused: it has a bare CR or LF; lines end in CRLF',
}
const LINE_TOO_LONG: Reply = {
  code: 500,
  enhanced: '5.6.0',
  text: 'Message refused: it has a line that is too long',
}

/** A refused content is read to its end, so that the reply stands where the client expects it, but not for ever. */
const REFUSED_FACTOR = 2
const REFUSED_BYTES = 1024 * 1024

/** Takes the content of one message from the wire to its sink. What is refused is dropped as it comes: it is read on
 *  only to find its end, because none of it may ever be taken for a command. */
export class ContentIntake {
  readonly #terms: IntakeTerms
  readonly #reader: DataReader
  /** Only where there is a limit: measuring takes longer than reading. */
  readonly #lines: LongestLine | undefined
  #sink: DataSink | undefined
  #refusal: Reply | undefined
  #size = 0
  #wireBytes = 0

  constructor(sink: DataSink, terms: IntakeTerms) {
    this.#sink = sink
    this.#terms = terms
    this.#reader = new DataReader(terms.bareLineEnds)
    this.#lines = terms.textLineBytes === Infinity ? undefined : new LongestLine()
  }

  take(chunk: Buffer): Taken {
    const { content, rest } = this.#reader.read(chunk)
    this.#wireBytes += chunk.length - (rest?.length ?? 0)
    this.#size += content.length
    this.#lines?.add(content)
    this.#check()
    const flood = this.#wireBytes > this.#terms.messageBytes * REFUSED_FACTOR + REFUSED_BYTES
    return { rest, flood: flood && this.#refusal !== undefined, wait: this.#write(content) }
  }

  /** After the end: the reply to the final dot. Never rejects. */
  async finish(): Promise<Reply> {
    const sink = this.#sink
    this.#sink = undefined
    if (sink === undefined) return this.#refusal ?? BARE_LINE_END
    try {
      return await sink.end()
    } catch (error) {
      return this.#terms.broken(error)
    }
  }

  /** The reply when the end is not waited for. */
  get refusal(): Reply {
    return this.#refusal ?? messageTooBig(this.#terms.messageBytes)
  }

  /** There will be no more of it. Does nothing once the sink has had its end. */
  abort(reason: AbortReason): void {
    const sink = this.#sink
    this.#sink = undefined
    try {
      sink?.abort(reason)
    } catch (error) {
      this.#terms.broken(error)
    }
  }

  #check(): void {
    const { messageBytes, textLineBytes } = this.#terms
    if (this.#reader.bare) this.#refuse(BARE_LINE_END, 'bare-line-end')
    else if (this.#size > messageBytes) this.#refuse(messageTooBig(messageBytes), 'too-large')
    else if (this.#lines !== undefined && this.#lines.length > textLineBytes)
      this.#refuse(LINE_TOO_LONG, 'too-large')
  }

  #refuse(reply: Reply, reason: AbortReason): void {
    if (this.#refusal !== undefined) return
    this.#refusal = reply
    this.abort(reason)
  }

  #write(content: Buffer): Promise<void> | undefined {
    if (this.#sink === undefined || content.length === 0) return undefined
    try {
      const waiting = this.#sink.write(content)
      return waiting instanceof Promise ? waiting.catch((error: unknown) => this.#fail(error)) : undefined
    } catch (error) {
      this.#fail(error)
      return undefined
    }
  }

  #fail(error: unknown): void {
    this.#refuse(this.#terms.broken(error), 'failed')
  }
}
