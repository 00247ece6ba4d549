import { type AccountMail, composeAccountMail } from './compose-account-mail.ts'

/** One mail with the link of a reset, but for its signature. */
export interface PasswordResetOptions extends Omit<AccountMail, 'subject' | 'text'> {
  /** The service's host name. */
  readonly host: string
  readonly link: string
  /** How long the link lives, in minutes. */
  readonly minutes: number
}

export const PASSWORD_RESET_SUBJECT = 'Reset your password'

/** Tells somebody how to choose a new password. No word in it is of whoever asked, who may be anybody. */
export function composePasswordReset(options: PasswordResetOptions): Buffer {
  return composeAccountMail({ ...options, subject: PASSWORD_RESET_SUBJECT, text: plain(options) })
}

function plain({ to, link, minutes, host }: PasswordResetOptions): string {
  return `Somebody, perhaps you, asks for a new password for ${to} at ${host}.

To choose one, open this page:

  ${link}

The link works once, for ${minutes} minutes, and not after a newer one. Setting
a password signs you out everywhere else.

If you did not ask for this, do nothing: your password stays as it is.
Give the link to nobody: whoever has it can sign in as you.

This message comes from the mail service at ${host}. Nobody reads answers to it.
`
}
