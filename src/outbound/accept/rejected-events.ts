import { eventWrite } from '#events/events.ts'
import type { Address } from '#model/address.ts'
import type { Write } from '#store/store.ts'

/** The log shows each suppressed recipient as rejected: of a request that was refused as a whole (no message), or of a
 *  message that went to the others. It counts towards no quota. */
export function rejectedEvents(
  suppressed: readonly Address[],
  of: {
    readonly at: number
    readonly sender: Address
    readonly subject: string
    readonly accountId: string
    readonly domainId: string
    readonly messageId: string | null
  },
): Write[] {
  const { sender, subject, ...scope } = of
  return suppressed.map((recipient) =>
    eventWrite({
      ...scope,
      type: 'rejected',
      deliveryId: null,
      terminal: true,
      detail: { sender, recipient, subject, cause: 'suppressed' },
    }),
  )
}
