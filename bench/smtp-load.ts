import { answerParent } from './child.ts'
import { openDialogue, type Reader } from './dialogue.ts'
import { type Connection, Job, type Outcome, runLoad } from './load.ts'
import { SMTP_ENVELOPE, smtpTemplate, Template } from './message.ts'

/** Load over plain SMTP, for peers: kept connections, one message a transaction, commands pipelined up to DATA. */
if (import.meta.main) {
  answerParent((asked) => {
    const job = Job.parse(asked)
    return runLoad(job, () => openConnection(job))
  })
}

async function openConnection(job: Job): Promise<Connection> {
  const envelope = new Template(SMTP_ENVELOPE)
  const content = new Template(smtpTemplate(job.phase))
  const dialogue = await openDialogue(job.host, job.port)

  async function expectReply(command: string, code: string): Promise<void> {
    const [reply = ''] = await dialogue.ask(command, replies(1))
    if (!reply.startsWith(code)) throw new Error(`The server answered ${reply}`)
  }

  async function send(sequence: number): Promise<Outcome> {
    const [, recipient = '', data = ''] = await dialogue.ask(envelope.fill(sequence), replies(3))
    if (!data.startsWith('354')) {
      await expectReply('RSET\r\n', '250')
      return { accepted: false, answer: recipient.startsWith('2') ? data : recipient }
    }
    const [final = ''] = await dialogue.ask(content.fill(sequence), replies(1))
    return final.startsWith('2')
      ? { accepted: true, delivered: 0, queued: 1 }
      : { accepted: false, answer: final }
  }

  await expectReply('', '220')
  await expectReply('EHLO bench.example\r\n', '250')
  return { send, close: () => dialogue.close() }
}

/** The last lines of that many replies (RFC 5321 §4.2.1: a hyphen after the code says that another line follows). */
function replies(count: number): Reader<readonly string[]> {
  return (bytes) => {
    const text = bytes.toString('latin1')
    const found: string[] = []
    for (let at = 0, end = text.indexOf('\r\n'); end !== -1; at = end + 2, end = text.indexOf('\r\n', at)) {
      if (text[at + 3] !== '-') found.push(text.slice(at, end))
      if (found.length === count) return { answer: found, length: end + 2 }
    }
    return undefined
  }
}
