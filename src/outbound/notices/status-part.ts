import { isAscii } from 'node:buffer'
import type { Address } from '#model/address.ts'
import { formatDate } from '#outbound/compose/platform-fields.ts'
import { foldAddresses, foldField, withoutControls } from '#protocol/fold.ts'
import type { Failure } from './failure.ts'
import { isSmtpReply, statusOf } from './status-of.ts'

const LONGEST_DIAGNOSTIC = 1000

/** The part for machines (RFC 3464 §2): fields of the message, a blank line, fields of the one recipient. Where the
 *  recipient is not ASCII it is message/global-delivery-status (RFC 6533 §5). What else is not ASCII becomes a question
 *  mark, since the part may not be encoded (RFC 3464 §2.1) and its lines have an end; people read it above. */
export function statusPart(
  failure: Failure,
  host: string,
): { readonly fields: string; readonly body: Buffer } {
  const { recipient, message, end, at, reply } = failure
  const international = !isAscii(Buffer.from(recipient))
  const said = (reply ?? '').slice(0, LONGEST_DIAGNOSTIC)
  const body =
    field('Reporting-MTA', `dns; ${host}`) +
    field('Arrival-Date', formatDate(new Date(message.createdAt))) +
    '\r\n' +
    foldAddresses(
      'Final-Recipient',
      international ? `utf-8; ${unitext(recipient)}` : `rfc822; ${recipient}`,
    ) +
    field('Action', 'failed') +
    field('Status', statusOf(failure)) +
    (failure.host === undefined ? '' : field('Remote-MTA', `dns; ${failure.host}`)) +
    // §2.3.6: what an SMTP server said is `smtp`; what we say of ourselves needs a type of its own.
    (said === '' ? '' : field('Diagnostic-Code', `${isSmtpReply(said) ? 'smtp' : 'x-posthorn'}; ${said}`)) +
    // Of one that expired nobody knows it any more.
    (end === 'refused' ? field('Last-Attempt-Date', formatDate(new Date(at))) : '')
  const type = international ? 'message/global-delivery-status' : 'message/delivery-status'
  return {
    fields: `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${international ? '8bit' : '7bit'}\r\n`,
    body: Buffer.from(body),
  }
}

function field(name: string, value: string): string {
  return foldField(name, withoutControls(value).replaceAll(/[^\t -~]+/g, '?'))
}

/** RFC 6533 §3: in utf-8-addr-unitext the characters of an address stand as they are, but for a few. */
function unitext(address: Address): string {
  return address.replaceAll(
    /[\\+= ]/g,
    (character) => `\\x{${character.charCodeAt(0).toString(16).toUpperCase()}}`,
  )
}
