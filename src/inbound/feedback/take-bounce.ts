import type { Log } from '#observe/log.ts'
import { mailIds } from '#observe/mail-ids.ts'
import type { Failure } from '#outbound/notices/failure.ts'
import type { Notices } from '#outbound/notices/notices.ts'
import { recordReport } from '#outbound/outcome/record-report.ts'
import type { Report } from '#protocol/bounce-report.ts'
import type { ReportedRecipient } from '#protocol/reported-recipient.ts'
import type { Store } from '#store/store.ts'
import type { CameBack, Taken } from './came-back.ts'
import { judgeBounce } from './judge-bounce.ts'
import type { KnownDelivery } from './known-delivery.ts'

export interface TakingWorld {
  readonly store: Store
  readonly notices: Notices
  readonly log: Log
  readonly now: () => number
}

/** A bounce that came to a delivery's return path. It counts for a delivery that was accepted elsewhere: what we have
 *  not settled yet we hear of ourselves, and what failed here cannot fail again. */
export async function takeBounce(
  delivery: KnownDelivery,
  bounce: Report<'bounce'>,
  mail: Omit<CameBack, 'to'>,
  world: TakingWorld,
): Promise<Taken> {
  const { log, now } = world
  const told = { ...mailIds(delivery), peer: mail.remoteAddress }
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
  const at = now()
  const seen = seenIn(about, mail)
  const outcome = await recordReport(world, {
    delivery,
    kind: 'bounced',
    at,
    detail: { cause, ...seen },
    ...(suppression && { suppression }),
    failure: failureOf(delivery, { cause, at, ...seen, ...(suppression && { suppression }) }),
  })
  log.info({ ...told, cause, suppression: suppression?.reason, outcome }, 'feedback: a late bounce')
  return 'taken'
}

/** For the sender, to whom this is the end of a message that was delivered. */
function failureOf(
  { id, message, recipient }: KnownDelivery,
  {
    smtpReply,
    ...what
  }: Pick<Failure, 'cause' | 'at' | 'suppression' | 'enhancedStatus' | 'host' | 'address'> & {
    readonly smtpReply?: string
  },
): Failure {
  const said = smtpReply === undefined ? {} : { reply: smtpReply }
  return { deliveryId: id, message, recipient, end: 'refused', attempts: 1, ...what, ...said }
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
