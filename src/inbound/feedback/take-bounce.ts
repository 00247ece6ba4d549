import type { Log } from '#observe/log.ts'
import { recordReport } from '#outbound/outcome/record-report.ts'
import type { Report } from '#protocol/bounce-report.ts'
import type { ReportedRecipient } from '#protocol/reported-recipient.ts'
import type { Store } from '#store/store.ts'
import type { CameBack, Taken } from './came-back.ts'
import { judgeBounce } from './judge-bounce.ts'
import type { KnownDelivery } from './known-delivery.ts'

export interface TakingWorld {
  readonly store: Store
  readonly log: Log
  readonly now: () => number
}

/** A bounce that came to a delivery's return path. It counts for a delivery that was accepted elsewhere: what we have
 *  not settled yet we hear of ourselves, and what failed here cannot fail again. */
export async function takeBounce(
  delivery: KnownDelivery,
  bounce: Report<'bounce'>,
  mail: Omit<CameBack, 'to'>,
  { store, log, now }: TakingWorld,
): Promise<Taken> {
  const told = { delivery: delivery.id, peer: mail.remoteAddress }
  // Accepted a moment ago, perhaps, and its settlement still on its way to the disk.
  if (delivery.state === 'claimed') return 'unsettled'
  if (delivery.state !== 'delivered') {
    log.info({ ...told, state: delivery.state }, 'feedback: a bounce of what was not delivered, ignored')
    return 'taken'
  }
  const judged = judgeBounce(bounce, delivery.recipient)
  if (!judged) {
    log.info(told, 'feedback: a bounce that is not about the recipient, ignored')
    return 'taken'
  }
  const { about, classified } = judged
  const { cause, suppression } = classified
  const outcome = await recordReport(store, {
    delivery,
    kind: 'bounced',
    at: now(),
    detail: { cause, ...seenIn(about, mail) },
    ...(suppression && { suppression }),
  })
  log.info({ ...told, cause, suppression: suppression?.reason, outcome }, 'feedback: a late bounce')
  return 'taken'
}

/** `host` is the one that refused, where the report names it, else the one that reports. */
function seenIn(about: ReportedRecipient, { helo, remoteAddress }: Omit<CameBack, 'to'>) {
  const { status, replyCode, diagnostic, notice, remoteHost } = about
  const words = diagnostic || notice
  const host = remoteHost ?? helo
  return {
    ...(words && { smtpReply: words }),
    ...(replyCode !== undefined && { smtpStatus: replyCode }),
    ...(status !== undefined && { enhancedStatus: status }),
    ...(host !== undefined && { host }),
    ...(remoteHost === undefined && { address: remoteAddress }),
  }
}
