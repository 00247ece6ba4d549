import { contentHead, contentSize } from '#bodies/read-content.ts'
import type { SpooledContent } from '#bodies/spool.ts'
import type { Act } from '#inbound/act/act.ts'
import type { Incoming, IncomingSession, Recipient } from '#inbound/act/incoming.ts'
import type { SpfVerdict } from '#inbound/authenticate/authentication.ts'
import type { Address } from '#model/address.ts'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import type { DataSink, SmtpSession } from '#smtp/handler.ts'
import { messageTooBig } from '#smtp/message-too-big.ts'
import type { PeerFacts } from './peers.ts'
import { SPOOL_FULL } from './spool-full.ts'

/** What the session has found out by the time of DATA. */
export interface RoutedTransaction {
  readonly mailFrom: Address | ''
  readonly recipients: readonly [Recipient, ...Recipient[]]
  /** Looked up already where there are several recipients. */
  readonly spf?: SpfVerdict
}

/** platform-limits.md. */
export const MOST_ROUTED = 25 * 1024 * 1024

const HEADER_LIMITS = { fields: 1000, bytes: 256 * 1024 }

/** Spools one message and hands it, complete, to the rooms that decide about it. */
export function receiveRouted(
  session: SmtpSession,
  { spf, ...transaction }: RoutedTransaction,
  world: {
    readonly act: Act
    readonly spooled: SpooledContent
    readonly peer: () => Promise<PeerFacts | undefined>
    readonly now: () => number
  },
): DataSink {
  const { act, spooled } = world
  return {
    write: (chunk) => spooled.write(chunk),
    async end() {
      try {
        const content = await spooled.finish()
        if (content === 'full') return SPOOL_FULL
        if (contentSize(content) > MOST_ROUTED) return messageTooBig(MOST_ROUTED)
        const head = await contentHead(content, HEADER_LIMITS.bytes + 2)
        const block = parseHeaderBlock(head, HEADER_LIMITS)
        const incoming: Incoming = {
          session: sessionFacts(session, await world.peer()),
          ...{ ...transaction, content, at: world.now() },
          ...('fault' in block
            ? { header: Buffer.alloc(0), block: { fields: [], bodyStart: 0 }, flaw: block.detail }
            : { header: head.subarray(0, block.bodyStart), block }),
        }
        return await act(incoming, spf)
      } finally {
        await spooled.release()
      }
    },
    abort: () => void spooled.release(),
  }
}

function sessionFacts(session: SmtpSession, peer: PeerFacts | undefined): IncomingSession {
  const { id, remoteAddress, helo, tls, esmtp, envelope } = session
  return {
    ...{ id, remoteAddress, helo },
    hostName: peer?.name.kind === 'confirmed' ? peer.name.name : undefined,
    // RFC 3848, RFC 6531 §4.3
    protocol: `${envelope.utf8 ? 'UTF8SMTP' : esmtp ? 'ESMTP' : 'SMTP'}${tls ? 'S' : ''}`,
    tls: tls && `${tls.protocol} ${tls.cipher}`,
  }
}
