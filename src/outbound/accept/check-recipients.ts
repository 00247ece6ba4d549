import { type Address, foldAddress } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import type { AcceptWorld, Submitter } from './accept-world.ts'
import { LARGEST_MESSAGE } from './check-size.ts'
import type { Recipient } from './recipient.ts'
import { type FitSender, refuseUnverified } from './refuse-sender.ts'
import { rejectedEvents } from './rejected-events.ts'

/** To whom a message may go, and what that allows it. */
export interface Allowed {
  readonly recipients: readonly Address[]
  readonly suppressed: readonly Address[]
  /** Of the composed message, in bytes. */
  readonly sizeLimit: number
  /** Recipients that count towards quotas: all but verified destinations. */
  readonly counted: readonly Address[]
}

interface Asking {
  readonly sender: FitSender
  readonly from: Address
  readonly subject: string
  readonly by: Submitter
  readonly world: AcceptWorld
  /** Whether the others get the message where some are suppressed. */
  readonly dropSuppressed: boolean
  /** To whoever wrote, verified or not. */
  readonly isReply?: boolean
}

export async function checkRecipients(
  recipients: readonly Recipient[],
  asking: Asking,
): Promise<Allowed | Refusal> {
  const { sender, by, world } = asking
  const keys = recipients.map(({ address }) => foldAddress(address))
  const [verified, entries] = await Promise.all([
    world.destinations.verified(by.accountId, keys),
    // What an entry for one sending domain means is the domain that the message is sent as.
    world.suppressions.find(by.accountId, keys, sender.name),
  ])
  const isVerified = ({ address }: Recipient) => verified.has(foldAddress(address))
  const isSuppressed = ({ address }: Recipient) =>
    entries.has(foldAddress(address)) || world.alwaysSuppressed(address)

  const stranger = recipients.find((recipient) => !isVerified(recipient))
  if (sender.kind === 'routing-only' && stranger && !asking.isReply)
    return refuseUnverified(stranger, sender.name)
  const suppressed = recipients.filter(isSuppressed)
  if (suppressed.length > 0 && !asking.dropSuppressed) return refuseSuppressed(suppressed, asking)
  const allowed = recipients.filter((recipient) => !isSuppressed(recipient))
  return {
    recipients: allowed.map(({ address }) => address),
    suppressed: suppressed.map(({ address }) => address),
    sizeLimit: stranger ? LARGEST_MESSAGE.toAnyone : LARGEST_MESSAGE.toVerified,
    counted: allowed.filter((recipient) => !isVerified(recipient)).map(({ address }) => address),
  }
}

/** Nothing is sent, but the log says to whom it would have been. */
async function refuseSuppressed(
  suppressed: readonly Recipient[],
  { from, subject, sender, by, world }: Asking,
): Promise<Refusal> {
  const addresses = suppressed.map(({ address }) => address)
  const scope = { accountId: by.accountId, domainId: sender.domainId, messageId: null }
  await world.store.commit(rejectedEvents(addresses, { at: world.now(), sender: from, subject, ...scope }))
  const more = addresses.length > 5 ? ` and ${addresses.length - 5} more` : ''
  const detail = `On the suppression list: ${addresses.slice(0, 5).join(', ')}${more}. Nothing was sent.`
  return { kind: 'recipient-suppressed', pointer: suppressed[0]?.pointer ?? '', detail }
}
