import type { Draft, PlatformHeaders } from '#model/draft.ts'
import { headerRule } from '#protocol/custom-header-table.ts'
import { foldField, foldText, hasEndlessWord } from '#protocol/fold.ts'
import { isAscii } from '#protocol/header-block.ts'
import { formatMailbox, formatMailboxList } from '#protocol/mailbox-list.ts'
import { attachmentBody, textBody } from './mime-body.ts'
import { MIME_VERSION, platformFields, receivedField, UNDISCLOSED } from './platform-fields.ts'

/** Compose: what a message looks like on the wire. In: a draft or a raw message, and the headers that belong to the
 *  platform. Out: content with CRLF line ends only, signed by `sign-message.ts` afterwards.
 *  Promise: whatever a field of a draft holds, it ends up inside its own header or part; the content of a draft is
 *  7-bit clean, its lines have 998 octets at most, and the same input gives the same octets. */
export async function composeMessage(draft: Draft, platform: PlatformHeaders): Promise<Buffer> {
  const { fields, body } =
    draft.attachments.length === 0
      ? textBody(draft.text, draft.html, platform.messageId)
      : await attachmentBody(draft, platform.messageId)
  const header =
    receivedField(platform) +
    foldField('From', formatMailbox(draft.from, 'From: '.length)) +
    recipientFields(draft) +
    (draft.replyTo ? foldField('Reply-To', formatMailbox(draft.replyTo, 'Reply-To: '.length)) : '') +
    foldText('Subject', draft.subject) +
    draft.headers.map(([name, value]) => customField(name, value)).join('') +
    platformFields(platform) +
    MIME_VERSION +
    fields
  return Buffer.concat([Buffer.from(`${header}\r\n`, 'latin1'), body])
}

function recipientFields({ to, cc }: Draft): string {
  if (to.length === 0 && cc.length === 0) return UNDISCLOSED
  return (
    (to.length > 0 ? foldField('To', formatMailboxList(to)) : '') +
    (cc.length > 0 ? foldField('Cc', formatMailboxList(cc)) : '')
  )
}

/** The header reference has values folded and not MIME-encoded. Free text that no ASCII line can carry as it is (other
 *  scripts, a word of more than 997 characters) is the exception; text that looks like an encoded-word stays, because
 *  whoever sets a header may have encoded it. */
export function customField(name: string, value: string): string {
  const rule = headerRule(name)
  const isText = rule.kind === 'extension' || (rule.kind === 'allowed' && rule.text)
  return isText && (!isAscii(value) || hasEndlessWord(value)) ? foldText(name, value) : foldField(name, value)
}
