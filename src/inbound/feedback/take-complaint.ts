import type { Authentication } from '#inbound/authenticate/authentication.ts'
import type { Authenticator } from '#inbound/authenticate/authenticator.ts'
import { mailIds } from '#observe/mail-ids.ts'
import { recordReport } from '#outbound/outcome/record-report.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { decodeCfblFeedbackId } from '#protocol/cfbl-feedback-id.ts'
import type { ComplaintReport, FeedbackType } from '#protocol/feedback-report.ts'
import type { TagKey } from '#protocol/keyed-tag.ts'
import type { CameBack, Taken } from './came-back.ts'
import { type KnownDelivery, onlyDeliveryOf } from './known-delivery.ts'
import { type AddressWorld, type FeedbackAddress, isExpired, taggedDelivery } from './returned-to.ts'
import type { TakingWorld } from './take-bounce.ts'

export interface ComplaintWorld extends TakingWorld, AddressWorld {
  readonly authenticator: Authenticator
  readonly feedbackKeys: readonly TagKey[]
}

/** Only these say that a person does not want our mail (RFC 5965 §7.3). The others speak of what a filter found, or of
 *  nothing registered; and `not-spam` takes nothing back, since nobody but the recipient can. */
const COMPLAINTS: ReadonlySet<FeedbackType> = new Set(['abuse', 'opt-out'])

/** Complaints count when somebody answers for them: DKIM over the whole body, or SPF for the author's own domain. What
 *  nobody answers for is taken and dropped, never bounced: its sender may be forged too. */
export async function takeComplaint(
  to: FeedbackAddress,
  reports: readonly ComplaintReport[],
  mail: Omit<CameBack, 'to'>,
  world: ComplaintWorld,
): Promise<Taken> {
  const { log } = world
  const peer = mail.remoteAddress
  const authentication = await world.authenticator.authenticate(mail)
  if (authentication === 'unavailable') return 'busy'
  const reporter = reporterOf(authentication)
  if (reporter === undefined) {
    if (isUndecided(authentication)) return 'dns-failed'
    const { spf, dkim } = authentication
    const results = { spf: spf.result, dkim: dkim.map(({ result }) => result) }
    log.info({ peer, ...results }, 'feedback: a complaint that proves no origin, ignored')
    return 'taken'
  }
  const taken = await Promise.all(reports.map((report) => takeReport(report, to, { peer, reporter }, world)))
  return taken.includes('unsettled') ? 'unsettled' : 'taken'
}

function reporterOf({ spf, dkim }: Authentication): string | undefined {
  const signature =
    dkim.find(({ result, coversBody, aligned }) => result === 'pass' && coversBody && aligned) ??
    dkim.find(({ result, coversBody }) => result === 'pass' && coversBody)
  return signature?.domain ?? (spf.result === 'pass' && spf.aligned ? spf.domain : undefined)
}

function isUndecided({ spf, dkim }: Authentication): boolean {
  return spf.result === 'temperror' || dkim.some(({ result }) => result === 'temperror')
}

async function takeReport(
  report: ComplaintReport,
  to: FeedbackAddress,
  { peer, reporter }: { readonly peer: string; readonly reporter: string },
  world: ComplaintWorld,
): Promise<Taken> {
  const { log, now } = world
  const { feedbackType } = report
  const told = { peer, reporter, feedbackType }
  if (!COMPLAINTS.has(feedbackType)) {
    log.info(told, 'feedback: a report that is no complaint, ignored')
    return 'taken'
  }
  const delivery = await complainedAbout(report, to, world)
  if (!delivery) {
    log.info(told, 'feedback: a complaint that names no delivery, ignored')
    return 'taken'
  }
  if (delivery.state === 'claimed') return 'unsettled'
  const outcome = await recordReport(world, {
    delivery,
    kind: 'complained',
    at: now(),
    detail: { feedbackType, host: reporter },
    suppression: { reason: 'complaint', forMs: null },
  })
  log.info({ ...told, ...mailIds(delivery), outcome }, 'feedback: a complaint')
  return 'taken'
}

/** By what only we could have written: the return path that the report quotes; the CFBL-Feedback-ID of a message that
 *  had one recipient; the return path that it came to. */
async function complainedAbout(
  { originalMailFrom, original }: ComplaintReport,
  to: FeedbackAddress,
  world: ComplaintWorld,
): Promise<KnownDelivery | undefined> {
  const fits = (delivery: KnownDelivery | undefined) =>
    delivery && !isExpired(delivery, world) && mayBeAbout(to, delivery) ? delivery : undefined
  for (const written of [originalMailFrom, original?.returnPath]) {
    const address = written === undefined ? undefined : parseAddress(written)
    if (address === undefined || !isAddress(address)) continue
    const delivery = fits(await taggedDelivery(address, world))
    if (delivery) return delivery
  }
  const messageId = decodeCfblFeedbackId(original?.cfblFeedbackId ?? '', world.feedbackKeys)
  const only = messageId === undefined ? undefined : fits(await onlyDeliveryOf(world.store, messageId))
  return only ?? (to.kind === 'return-path' ? to.delivery : undefined)
}

/** An address of one domain takes complaints about that domain's mail; a return path about its own delivery. */
function mayBeAbout(to: FeedbackAddress, { id, message }: KnownDelivery): boolean {
  if (to.kind === 'return-path') return id === to.delivery.id
  // No return path: a notice of our own, about which nobody can complain.
  return (
    message.returnPathDomain !== '' && (to.domain ?? message.returnPathDomain) === message.returnPathDomain
  )
}
