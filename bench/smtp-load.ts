import { answerParent } from './child.ts'
import type { Dialogue } from './dialogue.ts'
import { type Connection, Job, type Outcome, runLoad } from './load.ts'
import { SMTP_ENVELOPE, smtpTemplate, Template } from './message.ts'
import { expectReply, replies, SmtpDoor, sessionOpener } from './smtp-session.ts'

/** Load over SMTP, in clear or over TLS with AUTH: kept connections, one message a transaction, commands pipelined up
 *  to DATA. A content takes the next envelope along in the same write (RFC 2920 §3.1 allows a content to be the first
 *  of a group), so that a message costs one write, and over TLS one record. */
export const SmtpJob = Job.extend(SmtpDoor.shape)

if (import.meta.main) {
  answerParent((asked) => {
    const job = SmtpJob.parse(asked)
    const open = sessionOpener(job)
    return runLoad(job, async () => smtpConnection(job.phase, await open()))
  })
}

function smtpConnection(phase: string, dialogue: Dialogue): Connection {
  const contentSource = smtpTemplate(phase)
  const group = Buffer.alloc(contentSource.length + SMTP_ENVELOPE.length)
  const content = new Template(contentSource, group.subarray(0, contentSource.length))
  const envelope = new Template(SMTP_ENVELOPE, group.subarray(contentSource.length))
  /** The message whose envelope went out with the last content. */
  let announced: number | undefined

  async function send(sequence: number, next: number | undefined): Promise<Outcome> {
    const commands = announced === sequence ? '' : envelope.fill(sequence)
    const answers = await dialogue.ask(commands, replies(3))
    announced = undefined
    if (answers[2]?.startsWith('354') !== true) {
      await expectReply(dialogue, 'RSET\r\n', '250')
      return { accepted: false, answer: answers.find((answer) => !answer.startsWith('2')) ?? '' }
    }
    const alone = content.fill(sequence)
    if (next !== undefined) envelope.fill(next)
    const [final = ''] = await dialogue.ask(next === undefined ? alone : group, replies(1))
    announced = next
    return final.startsWith('2')
      ? { accepted: true, delivered: 0, queued: 1 }
      : { accepted: false, answer: final }
  }

  return { send, close: () => dialogue.close() }
}
