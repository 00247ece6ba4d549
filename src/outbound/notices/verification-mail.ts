import type { Bodies } from '#bodies/bodies.ts'
import { type Address, foldAddress } from '#model/address.ts'
import type { ServiceNames } from '#model/service.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import type { Queue } from '#outbound/queue/queue.ts'
import type { Domains } from '#registry/domains/domains.ts'
import { newId } from '#store/id.ts'
import type { Write } from '#store/store.ts'
import { composeVerification, VERIFICATION_SUBJECT } from './compose-verification.ts'
import { promiseOwnMail } from './promise-own-mail.ts'
import { openSenderAllowance } from './sender-allowance.ts'

/** Verification mails: they ask whoever reads an address's mail whether it may be forwarded to. In: an address, and the
 *  link that says yes. Out: the writes that promise the mail, for the set that adds the address.
 *  Promise: the account that asks never sees the link, since it would prove what it is to prove: no preview, and no
 *  smarthost of the account's; and nobody is buried in such mails, whoever asks.
 *
 *  It bears the null return path, as everything of the service's own does: what comes back would be about no message of
 *  the account's, and must suppress nobody (DECISIONS). */
export interface VerificationMail {
  /** Takes one from what the account and the address may be sent in an hour; false where that is used up. */
  take(mail: Pick<Verification, 'accountId' | 'to' | 'at'>): boolean
  promise(mail: Verification): Promise<Write[]>
  /** To be called after the commit. */
  promised(): void
}

export interface Verification {
  readonly accountId: string
  readonly to: Address
  readonly link: string
  /** In ms; the link lives from here on. */
  readonly at: number
}

export interface VerificationMailOptions {
  readonly bodies: Bodies
  readonly queue: Pick<Queue, 'wake'>
  readonly domains: Pick<Domains, 'ensureServiceKeys'>
  readonly service: ServiceNames
  /** How long links live, in ms. */
  readonly linkMs: number
  /** How long the mail is tried, in ms: no longer than its link lives. */
  readonly expireMs: number
}

/** More than any account has addresses, so that a whole list can be asked at once. */
const PER_ACCOUNT = 500
/** From all accounts together. */
const PER_ADDRESS = 10
const HOUR_MS = 3_600_000

/** Whoever reads it: what follows a plus leads to the same mailbox nearly everywhere (RFC 5233). */
function mailboxOf(address: Address): string {
  return foldAddress(address).replace(/\+.*(?=@[^@]*$)/s, '')
}

export function openVerificationMail(options: VerificationMailOptions): VerificationMail {
  const { bodies, queue, domains, service, linkMs } = options
  const accounts = openSenderAllowance(PER_ACCOUNT)
  const addresses = openSenderAllowance(PER_ADDRESS)
  // Parsing it would prove what the service domain's own check has proven.
  const from = `verify@${service.email}` as Address

  return {
    take({ accountId, to, at }) {
      if (accounts.take(accountId, at) !== 'granted') return false
      return addresses.take(mailboxOf(to), at) === 'granted'
    },

    async promise({ accountId, to, link, at }) {
      const messageId = newId()
      const headerMessageId = `<${messageId}@${service.email}>`
      const composed = composeVerification({
        ...{ from, to, messageId: headerMessageId, host: service.domain, link, at },
        hours: Math.round(linkMs / HOUR_MS),
        boundary: `--=_${newId()}`,
      })
      const content = await signMessage(composed, await domains.ensureServiceKeys(), new Date(at))
      return promiseOwnMail(
        {
          ...{ messageId, deliveryId: newId(), accountId, headerMessageId, recipient: to, content, at },
          subject: VERIFICATION_SUBJECT,
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
