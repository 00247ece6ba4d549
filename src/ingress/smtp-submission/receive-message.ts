import type { Log } from '#observe/log.ts'
import type { Acceptor } from '#outbound/accept/accept.ts'
import type { Raw } from '#outbound/accept/submission.ts'
import type { Principal } from '#registry/accounts/accounts.ts'
import { ContentBuffer, type MemoryShares } from '#smtp/content-buffer.ts'
import type { DataSink, SmtpSession } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'
import type { AccountTurns } from './account-turns.ts'
import type { Transaction } from './login.ts'
import { replyToRefusal } from './refusal-replies.ts'

export interface ReceiveWorld {
  readonly acceptor: Acceptor
  /** Octets of content held at once, over all sessions, in shares of accounts. */
  readonly memory: MemoryShares
  /** The largest message. */
  readonly messageBytes: number
  readonly largeContents: AccountTurns
  readonly log: Log
}

/** Larger contents are read one at a time: reading one takes the thread for as long as it takes, and a copy of it. */
const LARGE = 256 * 1024

// RFC 5321 §4.2.3: 452, insufficient system storage.
export const BUSY: Reply = {
  code: 452,
  enhanced: '4.3.1',
  text: 'Too much mail is arriving at once, try again later',
}

/** Gathers one content and hands it to accept in the name of whom `standing` gives at its end. A refusal where there is
 *  no memory for it. */
export function receiveMessage(
  session: SmtpSession,
  transaction: Transaction,
  standing: () => Promise<Principal | Reply>,
  world: ReceiveWorld,
): DataSink | Reply {
  const { accountId, size } = transaction
  const gathered = new ContentBuffer(world.memory.of(accountId), world.messageBytes)
  let fits = gathered.reserve(size)
  if (!fits) return BUSY
  return {
    write(chunk) {
      if (!fits) return
      fits = gathered.append(chunk)
      if (!fits) gathered.release()
    },
    async end() {
      if (!fits) return BUSY
      try {
        const take = async () => {
          const by = await standing()
          return 'code' in by ? by : accept(session, { by, mime: gathered.content, ...transaction }, world)
        }
        const isLarge = gathered.content.length > LARGE
        return await (isLarge ? world.largeContents.take(accountId, take) : take())
      } finally {
        gathered.release()
      }
    },
    abort: () => gathered.release(),
  }
}

async function accept(
  { envelope, remoteAddress }: SmtpSession,
  { by, mime, tls }: Transaction & { readonly by: Principal; readonly mime: Buffer },
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
    ...(tls && { tls }),
  })
  const about = { account: by.accountId, peer: remoteAddress }
  if ('kind' in outcome) {
    log.info({ ...about, refusal: outcome.kind }, 'submission: message refused')
    return replyToRefusal(outcome)
  }
  const { id, messageId, removedHeaders } = outcome
  log.info({ ...about, message: id, messageId, removedHeaders }, 'submission: message accepted')
  return { code: 250, enhanced: '2.0.0', text: `Ok ${messageId}` }
}
