import { createHash } from 'node:crypto'
import { contentSize } from '#bodies/read-content.ts'
import { foldAddress } from '#model/address.ts'
import type { Fields, Raw } from '#outbound/accept/submission.ts'
import { readRawMessage } from '#outbound/compose/compose-raw.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { hostErrorOf } from '#workers/binding/host-error.ts'
import { readOutgoing } from '#workers/binding/read-outgoing.ts'
import type { HostError, MadeMessage, OutgoingMessage } from '#workers/runtime/host-services.ts'
import type { Handed, WorkerWorld } from './hand-to-worker.ts'
import { textOf } from './prepare-forward.ts'
import { refuseQuestion, refuseReply, refuseSender } from './reply-rules.ts'
import { type Thread, threadBuilder, threadOf, threadRaw } from './thread-reply.ts'

/** Replies to the message that a Worker has: back to its sender, from the domain that received it, in its thread. */
export async function replyByWorker(
  { sendReply }: Pick<WorkerWorld, 'sendReply'>,
  handed: Handed,
  message: OutgoingMessage,
): Promise<MadeMessage | HostError> {
  const { incoming, domain, scriptName, judged, routed } = handed
  const { mailFrom, block } = incoming
  const { dmarc, arc } = judged.authentication
  const unanswerable = refuseQuestion({
    ...{ mailFrom, block, isReport: routed.isNdr },
    passesDmarc: dmarc.result === 'pass' || arc.trustedPass?.dmarc === true,
    provesSender: judged.judgement.provesSender,
  })
  if (unanswerable) return unanswerable
  const thread = threadOf(block)
  const threaded =
    message.kind === 'raw' ? message : { ...message, fields: threadBuilder(message.fields, thread) }
  const read = readOutgoing(threaded)
  if ('detail' in read) return hostErrorOf(read)
  const unfit = refuseReply(read, { mailFrom, domain: domain.name })
  if (unfit) return unfit
  const submission = read.kind === 'raw' ? checkRaw(read, domain.name, thread) : read
  if ('code' in submission) return submission
  const from = parseAddress(submission.from.address)
  if (!isAddress(from)) throw new Error('the sender of a reply was checked, and is no address')
  const { accountId } = domain
  return sendReply({ accountId, scriptName, from, submission, repeatKey: repeatKeyOf(handed) })
}

/** The author of a raw message is in its header, whatever its envelope says. */
function checkRaw(raw: Raw, domain: string, thread: Thread): Fields | Raw | HostError {
  const { mime, mimePointer } = raw
  const message = readRawMessage(mime)
  if ('kind' in message) return hostErrorOf({ pointer: mimePointer, ...message })
  const stranger = refuseSender(message.from, domain)
  if (stranger) return stranger
  const names = message.fields.match(/^[!-9;-~]+(?=:)/gm) ?? []
  return { ...raw, mime: threadRaw(mime, names, thread) }
}

/** The same for the same message when its sender brings it again. Its Message-ID stands for its header, to which each
 *  host on the way adds fields. */
function repeatKeyOf({ incoming, domain, scriptName, recipient, judged }: Handed): string {
  const { mailFrom, block, header, content } = incoming
  const { body } = judged
  const named = textOf(block, 'message-id')
  const parts = [
    ...[domain.accountId, scriptName, foldAddress(recipient.to), mailFrom],
    named ?? createHash('sha256').update(header).digest('hex'),
    body === 'holds-nul' ? contentSize(content) : body.hash,
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
