import type { Address } from '#model/address.ts'
import { formatDate, headerOctets, MIME_VERSION } from '#outbound/compose/platform-fields.ts'
import { encodeTextPart } from '#outbound/compose/text-part.ts'
import { foldAddresses, foldField, foldText } from '#protocol/fold.ts'
import { formatMailbox } from '#protocol/mailbox-list.ts'

/** One invitation, but for its signature. */
export interface InvitationOptions {
  readonly from: Address
  readonly to: Address
  /** With angle brackets. */
  readonly messageId: string
  /** The service's host name. */
  readonly host: string
  readonly link: string
  /** In ms. */
  readonly at: number
  /** How long the link lives, in days. */
  readonly days: number
}

export const INVITATION_SUBJECT = 'You are invited to an account'

/** Asks somebody to become a member of an account. No word in it is a customer's, who could otherwise have strangers
 *  mailed with it: whose account it is says the page behind the link. */
export function composeInvitation(options: InvitationOptions): Buffer {
  const { from, to, messageId, at } = options
  const part = encodeTextPart('plain', plain(options))
  const fields =
    foldAddresses('From', formatMailbox({ address: from, name: 'Accounts' })) +
    foldAddresses('To', formatMailbox({ address: to })) +
    foldText('Subject', INVITATION_SUBJECT) +
    foldField('Date', formatDate(new Date(at))) +
    foldField('Message-ID', messageId) +
    // RFC 3834 §5: nobody's vacation answers it.
    foldField('Auto-Submitted', 'auto-generated') +
    MIME_VERSION
  return Buffer.concat([headerOctets(fields), Buffer.from(`${part.fields}\r\n`), part.body])
}

function plain({ to, link, days, host }: InvitationOptions): string {
  return `Somebody invites you, ${to}, to a mail account at ${host}.

To see whose it is and to accept, open this page:

  ${link}

The link works for ${days} days. If you did not expect this, do nothing.

This message comes from the mail service at ${host}. Nobody reads answers to it.
`
}
