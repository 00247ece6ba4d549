import { type AccountMail, composeAccountMail } from './compose-account-mail.ts'

/** One invitation, but for its signature. */
export interface InvitationOptions extends Omit<AccountMail, 'subject' | 'text'> {
  /** The service's host name. */
  readonly host: string
  readonly link: string
  /** How long the link lives, in days. */
  readonly days: number
}

export const INVITATION_SUBJECT = 'You are invited to an account'

/** Asks somebody to become a member of an account. No word in it is a customer's, who could otherwise have strangers
 *  mailed with it: whose account it is says the page behind the link. */
export function composeInvitation(options: InvitationOptions): Buffer {
  return composeAccountMail({ ...options, subject: INVITATION_SUBJECT, text: plain(options) })
}

function plain({ to, link, days, host }: InvitationOptions): string {
  return `Somebody invites you, ${to}, to a mail account at ${host}.

To see whose it is and to accept, open this page:

  ${link}

The link works for ${days} days. If you did not expect this, do nothing.

This message comes from the mail service at ${host}. Nobody reads answers to it.
`
}
