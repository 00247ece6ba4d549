import type { Dialogue } from './dialogue.ts'
import type { Connection, Outcome } from './load.ts'
import { expectReply, replies } from './smtp-session.ts'

/** What one connection sends. Both may overwrite what they gave before: that was answered by then. */
export interface Transactions {
  /** The commands of one transaction, pipelined up to DATA (RFC 2920 §3.1). */
  readonly envelope: (sequence: number) => Buffer | string
  /** The content with its final dot, and behind it the envelope of `next`, where one follows. */
  readonly content: (sequence: number, next: number | undefined) => Buffer
}

/** One message a transaction. A content takes the next envelope along in the same write (RFC 2920 §3.1 allows a content
 *  to be the first of a group), so that a message costs one write, and over TLS one record. */
export function smtpTransactions(dialogue: Dialogue, { envelope, content }: Transactions): Connection {
  /** The message whose envelope went out with the last content. */
  let announced: number | undefined

  async function send(sequence: number, next: number | undefined): Promise<Outcome> {
    const answers = await dialogue.ask(announced === sequence ? '' : envelope(sequence), replies(3))
    announced = undefined
    if (answers[2]?.startsWith('354') !== true) {
      await expectReply(dialogue, 'RSET\r\n', '250')
      return { accepted: false, answer: answers.find((answer) => !answer.startsWith('2')) ?? '' }
    }
    const [final = ''] = await dialogue.ask(content(sequence, next), replies(1))
    announced = next
    return final.startsWith('2')
      ? { accepted: true, delivered: 0, queued: 1 }
      : { accepted: false, answer: final }
  }

  return { send, close: () => dialogue.close() }
}
