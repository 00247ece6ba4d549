import type { Bodies } from '#bodies/bodies.ts'
import type { Address } from '#model/address.ts'
import type { ServiceNames } from '#model/service.ts'
import { SERVICE_ACCOUNT } from '#model/service-account.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import type { Queue } from '#outbound/queue/queue.ts'
import type { Domains } from '#registry/domains/domains.ts'
import { newId } from '#store/id.ts'
import type { Write } from '#store/store.ts'
import { composePasswordReset, PASSWORD_RESET_SUBJECT } from './compose-password-reset.ts'
import { promiseOwnMail } from './promise-own-mail.ts'

/** The mail with the link of a reset. In: an address and the link. Out: the writes that promise it, for the set that makes
 *  the link; writes that are dropped leave nothing behind. How many there are is bounded where links are made.
 *  Promise: it is no account's, so nobody but its reader sees that it was asked for, reads it, holds it up or is told of
 *  it; like all mail of our own it has the null return path and suppresses nobody. */
export interface PasswordResetMail {
  promise(mail: { readonly to: Address; readonly link: string; readonly at: number }): Promise<Write[]>
  /** To be called after the commit. */
  promised(): void
}

export interface PasswordResetMailOptions {
  readonly bodies: Bodies
  readonly queue: Pick<Queue, 'wake'>
  readonly domains: Pick<Domains, 'ensureServiceKeys'>
  readonly service: ServiceNames
  /** How long links live, in ms. */
  readonly linkMs: number
  /** How long the mail is tried, in ms. */
  readonly expireMs: number
}

const MINUTE_MS = 60_000

export function openPasswordResetMail(options: PasswordResetMailOptions): PasswordResetMail {
  const { bodies, queue, domains, service, linkMs } = options
  // Parsing it would prove what the service domain's own check has proven.
  const from = `accounts@${service.email}` as Address

  return {
    async promise({ to, link, at }) {
      const messageId = newId()
      const headerMessageId = `<${messageId}@${service.email}>`
      const composed = composePasswordReset({
        ...{ from, to, messageId: headerMessageId, host: service.domain, link, at },
        minutes: Math.round(linkMs / MINUTE_MS),
      })
      const content = await signMessage(composed, await domains.ensureServiceKeys(), new Date(at))
      return promiseOwnMail(
        {
          ...{ messageId, deliveryId: newId(), accountId: SERVICE_ACCOUNT, headerMessageId },
          ...{ recipient: to, subject: PASSWORD_RESET_SUBJECT, content, at },
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
