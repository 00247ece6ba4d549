import { isAscii } from 'node:buffer'
import type { Address } from '#model/address.ts'
import { formatDate, headerOctets, MIME_VERSION } from '#outbound/compose/platform-fields.ts'
import { encodeTextPart } from '#outbound/compose/text-part.ts'
import { foldAddresses, foldField, foldText } from '#protocol/fold.ts'
import { formatMailbox } from '#protocol/mailbox-list.ts'
import { explainFailure } from './explain-failure.ts'
import type { Failure } from './failure.ts'
import { returnedHeader } from './returned-header.ts'
import { statusPart } from './status-part.ts'

/** One notice, but for its signature. */
export interface NoticeOptions {
  /** Whose name it bears: MAILER-DAEMON of the service. */
  readonly from: Address
  /** The failed message's sender. */
  readonly to: Address
  /** With angle brackets. */
  readonly messageId: string
  /** The service's host name. */
  readonly host: string
  /** The header section of the failed message; undefined where it is gone. */
  readonly header: Buffer | undefined
  /** Unknown to whoever wrote a reply or a header that is quoted. */
  readonly boundary: string
}

/** The words that programs which look for bounces know. */
export const NOTICE_SUBJECT = 'Undelivered Mail Returned to Sender'

/** A multipart/report (RFC 6522 §3) of a failed delivery: an explanation, the delivery status (RFC 3464), the original's
 *  header. CRLF line ends only; no text of a stranger gets out of its field or part. */
export function composeNotice(failure: Failure, options: NoticeOptions): Buffer {
  const { from, to, messageId, host, header, boundary } = options
  const { headerMessageId } = failure.message
  const fields =
    foldAddresses('From', formatMailbox({ address: from, name: 'Mail Delivery Subsystem' })) +
    foldAddresses('To', formatMailbox({ address: to })) +
    foldText('Subject', NOTICE_SUBJECT) +
    foldField('Date', formatDate(new Date(failure.at))) +
    foldField('Message-ID', messageId) +
    foldField('In-Reply-To', headerMessageId) +
    foldField('References', headerMessageId) +
    // RFC 3834 §5: whoever answers mail by machine leaves this one alone.
    foldField('Auto-Submitted', 'auto-replied') +
    MIME_VERSION +
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"\r\n`
  const international = !isAscii(Buffer.from(failure.recipient))
  const parts = [
    encodeTextPart('plain', explainFailure(failure, host)),
    statusPart(failure, host),
    ...(header === undefined ? [] : [returnedHeader(header, international)]),
  ]
  return Buffer.concat([
    headerOctets(fields),
    ...parts.flatMap((part) => [
      Buffer.from(`--${boundary}\r\n${part.fields}\r\n`),
      part.body,
      // The line end before a delimiter belongs to it (RFC 2046 §5.1.1): each part keeps its own last one.
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ])
}
