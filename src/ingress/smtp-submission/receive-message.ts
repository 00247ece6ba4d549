import type { Log } from '#observe/log.ts'
import type { Acceptor } from '#outbound/accept/accept.ts'
import type { Raw } from '#outbound/accept/submission.ts'
import type { Principal } from '#registry/accounts/accounts.ts'
import { ContentBuffer, type MemoryBudget } from '#smtp/content-buffer.ts'
import type { DataSink, SmtpSession } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'
import { replyToRefusal } from './refusal-replies.ts'

export interface ReceiveWorld {
  readonly acceptor: Acceptor
  /** Octets of content held at once, over all sessions. */
  readonly memory: MemoryBudget
  readonly log: Log
}

// RFC 5321 §4.2.3: 452, insufficient system storage.
const BUSY: Reply = {
  code: 452,
  enhanced: '4.3.1',
  text: 'Too much mail is arriving at once, try again later',
}

/** Gathers one content and hands it to accept in the name of `by`. */
export function receiveMessage(session: SmtpSession, by: Principal, world: ReceiveWorld): DataSink {
  const gathered = new ContentBuffer(world.memory)
  let fits = true
  return {
    write(chunk) {
      if (!fits) return
      fits = gathered.append(chunk)
      if (!fits) gathered.release()
    },
    async end() {
      if (!fits) return BUSY
      try {
        return await accept(session, by, gathered.content, world)
      } finally {
        gathered.release()
      }
    },
    abort: () => gathered.release(),
  }
}

async function accept(
  { envelope, remoteAddress }: SmtpSession,
  by: Principal,
  mime: Buffer,
  { acceptor, log }: ReceiveWorld,
): Promise<Reply> {
  const submission: Raw = {
    kind: 'raw',
    from: { address: envelope.from ?? '', pointer: '/from' },
    recipients: envelope.to.map((address, index) => ({ address, pointer: `/recipients/${index}` })),
    mime,
    mimePointer: '/mime_message',
  }
  const outcome = await acceptor.accept(submission, by, {
    // Nobody who has more to send waits for what becomes of this one.
    waitMs: 0,
    protocol: envelope.utf8 ? 'UTF8SMTPSA' : 'ESMTPSA',
    dropSuppressed: true,
  })
  const about = { account: by.accountId, peer: remoteAddress }
  if ('kind' in outcome) {
    log.info({ ...about, refusal: outcome.kind }, 'submission: message refused')
    return replyToRefusal(outcome)
  }
  const { messageId, removedHeaders } = outcome
  log.info({ ...about, messageId, removedHeaders }, 'submission: message accepted')
  return { code: 250, enhanced: '2.0.0', text: `Ok ${messageId}` }
}
