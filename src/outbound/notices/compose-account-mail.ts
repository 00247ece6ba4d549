import type { Address } from '#model/address.ts'
import { formatDate, headerOctets, MIME_VERSION } from '#outbound/compose/platform-fields.ts'
import { encodeTextPart } from '#outbound/compose/text-part.ts'
import { foldAddresses, foldField, foldText } from '#protocol/fold.ts'
import { formatMailbox } from '#protocol/mailbox-list.ts'

/** A mail to somebody about their sign-in. */
export interface AccountMail {
  readonly from: Address
  readonly to: Address
  /** With angle brackets. */
  readonly messageId: string
  readonly subject: string
  readonly text: string
  /** In ms. */
  readonly at: number
}

/** The mail, but for its signature: text alone, so that nothing in it hides where a link leads. */
export function composeAccountMail({ from, to, messageId, subject, text, at }: AccountMail): Buffer {
  const part = encodeTextPart('plain', text)
  const fields =
    foldAddresses('From', formatMailbox({ address: from, name: 'Accounts' })) +
    foldAddresses('To', formatMailbox({ address: to })) +
    foldText('Subject', subject) +
    foldField('Date', formatDate(new Date(at))) +
    foldField('Message-ID', messageId) +
    // RFC 3834 §5: nobody's vacation answers it.
    foldField('Auto-Submitted', 'auto-generated') +
    MIME_VERSION +
    part.fields
  return Buffer.concat([headerOctets(fields), part.body])
}
