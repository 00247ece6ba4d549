import { contentSize } from '#bodies/read-content.ts'
import { eventWrite } from '#events/events.ts'
import type { Routed } from '#model/routing.ts'
import { SERVICE_ACCOUNT } from '#model/service-account.ts'
import type { RoutedDomain } from '#registry/domains/routed-domain.ts'
import { newId } from '#store/id.ts'
import type { Write } from '#store/store.ts'
import type { Incoming, Recipient } from './incoming.ts'
import { headerMessageIdOf, subjectOf } from './prepare-forward.ts'

/** How a message ends here. */
type End = 'dropped' | 'rejected' | 'handled' | 'failed'

/** The one event of a message, for one recipient, that went no further. Without a domain it is the service's own. */
export function routedEvent(
  type: End,
  of: {
    readonly domain: RoutedDomain | undefined
    readonly routed: Routed
    readonly at: number
    readonly mailFrom: string
    readonly subject: string
    /** '' where there is none. */
    readonly headerMessageId: string
    readonly size: number
  },
): Write {
  const { domain, routed, at, mailFrom, subject, headerMessageId, size } = of
  return eventWrite({
    ...{ type, at },
    accountId: domain?.accountId ?? SERVICE_ACCOUNT,
    domainId: domain?.domainId ?? null,
    ...{ messageId: newId(), deliveryId: newId(), terminal: true },
    detail: {
      ...{ sender: mailFrom, recipient: routed.recipient, subject },
      ...(headerMessageId !== '' && { headerMessageId }),
      ...{ size, routed },
    },
  })
}

/** The same of one that came in whole. */
export function endEvent(
  type: End,
  { mailFrom, content, block, at }: Incoming,
  { way }: Recipient,
  routed: Routed,
): Write {
  return routedEvent(type, {
    domain: way.kind === 'rule' ? way.domain : undefined,
    ...{ routed, at, mailFrom, subject: subjectOf(block), headerMessageId: headerMessageIdOf(block) },
    size: contentSize(content),
  })
}
