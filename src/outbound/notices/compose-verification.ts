import type { Address } from '#model/address.ts'
import { formatDate, headerOctets, MIME_VERSION } from '#outbound/compose/platform-fields.ts'
import { encodeTextPart } from '#outbound/compose/text-part.ts'
import { foldAddresses, foldField, foldText } from '#protocol/fold.ts'
import { formatMailbox } from '#protocol/mailbox-list.ts'

/** One verification mail, but for its signature. */
export interface VerificationOptions {
  readonly from: Address
  readonly to: Address
  /** With angle brackets. */
  readonly messageId: string
  /** The service's host name. */
  readonly host: string
  readonly link: string
  /** In ms. */
  readonly at: number
  /** How long the link lives, in hours. */
  readonly hours: number
  readonly boundary: string
}

export const VERIFICATION_SUBJECT = 'Verify your email address'

/** Asks whoever reads the mail of an address whether it may receive what is forwarded to it. No word in it is a
 *  customer's, who could otherwise have strangers mailed with it; nothing in it is loaded from anywhere. */
export function composeVerification(options: VerificationOptions): Buffer {
  const { from, to, messageId, host, at, boundary } = options
  const fields =
    foldAddresses('From', formatMailbox({ address: from, name: 'Email Routing' })) +
    foldAddresses('To', formatMailbox({ address: to })) +
    foldText('Subject', VERIFICATION_SUBJECT) +
    foldField('Date', formatDate(new Date(at))) +
    foldField('Message-ID', messageId) +
    // RFC 3834 §5: nobody's vacation answers it.
    foldField('Auto-Submitted', 'auto-generated') +
    MIME_VERSION +
    `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n`
  const parts = [encodeTextPart('plain', plain(options, host)), encodeTextPart('html', html(options, host))]
  return Buffer.concat([
    headerOctets(fields),
    ...parts.flatMap((part) => [Buffer.from(`--${boundary}\r\n${part.fields}\r\n`), part.body]),
    Buffer.from(`--${boundary}--\r\n`),
  ])
}

function plain({ to, link, hours }: VerificationOptions, host: string): string {
  return `Somebody wants mail to be forwarded to this address:

  ${to}

To allow it, open this page and select "Verify email address":

  ${link}

The link works for ${hours} hours. If you did not expect this, do nothing:
without your answer nothing is forwarded to you.

This message comes from the mail service at ${host}. Nobody reads answers to it.
`
}

function html({ to, link, hours }: VerificationOptions, host: string): string {
  const [address, href, service] = [to, link, host].map(escapeHtml)
  return `<!doctype html>
<html lang="en">
<body style="font: 16px/1.5 sans-serif; color: #1d2530">
<p>Somebody wants mail to be forwarded to this address:</p>
<p><b>${address}</b></p>
<p>To allow it, open this page and confirm there:</p>
<p><a href="${href}">Verify email address</a></p>
<p>The link works for ${hours} hours. If you did not expect this, do nothing: without your answer nothing is
forwarded to you.</p>
<p style="color: #56616f">This message comes from the mail service at ${service}. Nobody reads answers to it.</p>
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
