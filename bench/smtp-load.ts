import { answerParent } from './child.ts'
import type { Dialogue } from './dialogue.ts'
import { type Connection, Job, runLoad } from './load.ts'
import { SMTP_ENVELOPE, smtpTemplate, Template } from './message.ts'
import { SmtpDoor, sessionOpener } from './smtp-session.ts'
import { smtpTransactions } from './smtp-transactions.ts'

/** Load over SMTP, in clear or over TLS with AUTH: one message to each recipient, rendered in place. */
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
  return smtpTransactions(dialogue, {
    envelope: (sequence) => envelope.fill(sequence),
    content(sequence, next) {
      const alone = content.fill(sequence)
      if (next === undefined) return alone
      envelope.fill(next)
      return group
    },
  })
}
