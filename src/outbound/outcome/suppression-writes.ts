import { type Address, foldAddress } from '#model/address.ts'
import type { QueuedMessage } from '#outbound/queue/claimed-delivery.ts'
import { softBounceWrites, suppressWrites } from '#registry/suppressions/suppressions.ts'
import type { Write } from '#store/store.ts'
import type { Classified } from './classify.ts'

export type Suppressing =
  | NonNullable<Classified['suppression']>
  | { readonly reason: 'complaint'; readonly forMs: null }

/** Whether a failure tells what its recipient thinks of this account's mail: a notice tells nothing of it, nor does what
 *  strangers sent and we passed on. */
export function speaksOfAccount({
  sender,
  forwarding,
}: Pick<QueuedMessage, 'sender' | 'forwarding'>): boolean {
  return sender !== '' && forwarding === undefined
}

/** What a failure, or a report, does to the suppression list, as part of the set that records it. How long a soft bounce
 *  counts is the list's to say: longer for each that follows soon on the one before. */
export function suppressionWrites(of: {
  readonly accountId: string
  readonly recipient: Address
  readonly suppression: Suppressing
  readonly at: number
}): readonly Write[] {
  const { accountId, recipient, suppression, at } = of
  const about = { accountId, email: recipient, emailKey: foldAddress(recipient), createdAt: at }
  if (suppression.reason === 'soft_bounce') return softBounceWrites(about)
  const expiresAt = suppression.forMs === null ? null : at + suppression.forMs
  return suppressWrites({ ...about, reason: suppression.reason, expiresAt })
}
