import type { PlatformHeaders } from '#model/draft.ts'
import { foldField } from '#protocol/fold.ts'

/** Our trace field, which stands before everything else (RFC 5321 §4.4). */
export function receivedField({ received }: PlatformHeaders): string {
  return foldField('Received', received)
}

/** The other header fields that belong to the platform; MIME-Version and Content-* go with the body. */
export function platformFields(platform: PlatformHeaders): string {
  return (
    foldField('Date', formatDate(platform.date)) +
    foldField('Message-ID', platform.messageId) +
    foldField('Feedback-ID', platform.feedbackId) +
    (platform.cfbl
      ? foldField('CFBL-Address', platform.cfbl.address) +
        foldField('CFBL-Feedback-ID', platform.cfbl.feedbackId)
      : '')
  )
}

export const MIME_VERSION = 'MIME-Version: 1.0\r\n'

/** RFC 5322 §3.6.3: what a header says when nobody is named in To or Cc. */
export const UNDISCLOSED = 'To: undisclosed-recipients:;\r\n'

/** The header of a message as octets, with the blank line that ends it. Addresses alone may make it more than ASCII, and
 *  it is UTF-8 then (RFC 6532 §3.2). */
export function headerOctets(fields: string): Buffer {
  return Buffer.from(`${fields}\r\n`, 'utf8')
}

/** RFC 5322 §3.3, in UTC: `toUTCString` names the zone GMT, which that section calls obsolete. */
export function formatDate(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000')
}
