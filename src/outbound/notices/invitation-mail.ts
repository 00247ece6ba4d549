import type { Bodies } from '#bodies/bodies.ts'
import { type Address, foldAddress } from '#model/address.ts'
import type { ServiceNames } from '#model/service.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import type { Queue } from '#outbound/queue/queue.ts'
import type { Domains } from '#registry/domains/domains.ts'
import { newId } from '#store/id.ts'
import type { Write } from '#store/store.ts'
import { composeInvitation, INVITATION_SUBJECT } from './compose-invitation.ts'
import { promiseOwnMail } from './promise-own-mail.ts'
import { openSenderAllowance } from './sender-allowance.ts'

/** Invitations to become a member of an account. In: an address and the link. Out: the writes that promise the mail,
 *  for the set that makes the invitation. Promise: nobody is buried in them, whoever invites; like all mail of our own
 *  it has the null return path, suppresses nobody, and passes no smarthost of the account's. */
export interface InvitationMail {
  /** Takes one from what the account and the address may be sent in an hour; false where that is used up. */
  take(mail: Pick<InvitationWish, 'accountId' | 'to' | 'at'>): boolean
  promise(mail: InvitationWish): Promise<Write[]>
  /** To be called after the commit. */
  promised(): void
}

export interface InvitationWish {
  readonly accountId: string
  readonly to: Address
  readonly link: string
  /** In ms. */
  readonly at: number
}

export interface InvitationMailOptions {
  readonly bodies: Bodies
  readonly queue: Pick<Queue, 'wake'>
  readonly domains: Pick<Domains, 'ensureServiceKeys'>
  readonly service: ServiceNames
  /** How long links live, in ms. */
  readonly linkMs: number
  /** How long the mail is tried, in ms. */
  readonly expireMs: number
}

const PER_ACCOUNT = 100
/** From all accounts together. */
const PER_ADDRESS = 10
const DAY_MS = 86_400_000

export function openInvitationMail(options: InvitationMailOptions): InvitationMail {
  const { bodies, queue, domains, service, linkMs } = options
  const accounts = openSenderAllowance(PER_ACCOUNT)
  const addresses = openSenderAllowance(PER_ADDRESS)
  // Parsing it would prove what the service domain's own check has proven.
  const from = `accounts@${service.email}` as Address

  return {
    take({ accountId, to, at }) {
      if (accounts.take(accountId, at) !== 'granted') return false
      return addresses.take(foldAddress(to), at) === 'granted'
    },

    async promise({ accountId, to, link, at }) {
      const messageId = newId()
      const headerMessageId = `<${messageId}@${service.email}>`
      const composed = composeInvitation({
        ...{ from, to, messageId: headerMessageId, host: service.domain, link, at },
        days: Math.round(linkMs / DAY_MS),
      })
      const content = await signMessage(composed, await domains.ensureServiceKeys(), new Date(at))
      return promiseOwnMail(
        {
          ...{ messageId, deliveryId: newId(), accountId, headerMessageId, recipient: to, content, at },
          subject: INVITATION_SUBJECT,
          // Members may look at the account's mail, and must not accept for somebody else.
          previewEnabled: false,
          tls: 'policy',
          expiresAt: at + Math.min(options.expireMs, linkMs),
        },
        bodies,
      )
    },

    promised: () => queue.wake(),
  }
}
