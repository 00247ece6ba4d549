import { createPrivateKey } from 'node:crypto'
import { z } from 'zod'
import type { SigningIdentity } from '#model/draft.ts'
import { signDkim } from '#protocol/dkim-sign.ts'
import { answerParent } from './child.ts'
import type { Dialogue } from './dialogue.ts'
import { type Connection, Job, runLoad } from './load.ts'
import { ROUTED_DOMAINS, smtpTemplate, Template } from './message.ts'
import { SmtpDoor, sessionOpener } from './smtp-session.ts'
import { smtpTransactions } from './smtp-transactions.ts'

/** Load over SMTP for an MX door: each message bears one DKIM signature of its sender's, made before the run begins. */
export const ForwardJob = Job.extend({
  ...SmtpDoor.shape,
  from: z.string(),
  /** Recipients are `to<n>@` of it, n below ROUTED_DOMAINS. */
  routed: z.string(),
  signing: z.object({ domain: z.string(), selector: z.string(), key: z.string() }),
})
export type ForwardJob = z.infer<typeof ForwardJob>

const SIGNED_AT_ONCE = 100

if (import.meta.main) {
  answerParent(async (asked) => {
    const job = ForwardJob.parse(asked)
    const messages = await signedMessages(job)
    const open = sessionOpener(job)
    return runLoad(job, async () => forwardConnection(job, messages, await open()))
  })
}

/** By sequence number, with their final dots. */
async function signedMessages({ phase, messages, from, signing }: ForwardJob): Promise<readonly Buffer[]> {
  const identity = { ...signing, key: createPrivateKey(signing.key) }
  const template = new Template(smtpTemplate(phase, from))
  const signed: Buffer[] = [Buffer.alloc(0)]
  while (signed.length <= messages) {
    const more = Math.min(SIGNED_AT_ONCE, messages + 1 - signed.length)
    const some = Array.from({ length: more }, (_, i) => Buffer.from(template.fill(signed.length + i)))
    signed.push(...(await Promise.all(some.map((message) => sign(message, identity)))))
  }
  return signed
}

async function sign(message: Buffer, identity: SigningIdentity): Promise<Buffer> {
  const field = await signDkim(message.subarray(0, -'.\r\n'.length), identity, new Date())
  return Buffer.concat([Buffer.from(field), message])
}

function forwardConnection(job: ForwardJob, messages: readonly Buffer[], dialogue: Dialogue): Connection {
  const envelope = (sequence: number) => forwardEnvelope(job, sequence)
  return smtpTransactions(dialogue, {
    envelope,
    content(sequence, next) {
      const message = messages[sequence] ?? Buffer.alloc(0)
      return next === undefined ? message : Buffer.concat([message, Buffer.from(envelope(next))])
    },
  })
}

/** Pipelined up to DATA. */
export function forwardEnvelope(
  { from, routed }: Pick<ForwardJob, 'from' | 'routed'>,
  sequence: number,
): string {
  return `MAIL FROM:<${from}>\r\nRCPT TO:<to${sequence % ROUTED_DOMAINS}@${routed}>\r\nDATA\r\n`
}
