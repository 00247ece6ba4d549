import type { Draft, PlatformHeaders } from '#model/draft.ts'
import { headerRule } from '#protocol/custom-header-table.ts'
import { decodeWords, encodeWords } from '#protocol/encoded-word.ts'
import { foldAddresses, foldField, foldText, hasEndlessWord } from '#protocol/fold.ts'
import { isAscii, trimWhiteSpace } from '#protocol/header-block.ts'
import { formatMailbox, formatMailboxList } from '#protocol/mailbox-list.ts'
import { attachmentBody, textBody } from './mime-body.ts'
import { headerOctets, MIME_VERSION, platformFields, receivedField, UNDISCLOSED } from './platform-fields.ts'
import { turnOfOthers } from './turn-of-others.ts'

/** Compose: what a message looks like on the wire. In: a draft or a raw message, and the headers that belong to the
 *  platform. Out: content with CRLF line ends only, signed by `sign-message.ts` afterwards.
 *  Promise: whatever a field of a draft holds, it ends up inside its own header or part; the content of a draft is
 *  7-bit clean but for addresses that are not, its lines have 998 octets at most, and the same input gives the same
 *  octets. */
export async function composeMessage(draft: Draft, platform: PlatformHeaders): Promise<Buffer> {
  await turnOfOthers((draft.text?.length ?? 0) + (draft.html?.length ?? 0))
  const { fields, body } =
    draft.attachments.length === 0
      ? textBody(draft.text, draft.html, platform.messageId)
      : await attachmentBody(draft, platform.messageId)
  const header =
    receivedField(platform) +
    foldAddresses('From', formatMailbox(draft.from, 'From: '.length)) +
    recipientFields(draft) +
    (draft.replyTo ? foldAddresses('Reply-To', formatMailbox(draft.replyTo, 'Reply-To: '.length)) : '') +
    foldText('Subject', draft.subject) +
    draft.headers.map(([name, value]) => customField(name, value)).join('') +
    platformFields(platform) +
    MIME_VERSION +
    fields
  return Buffer.concat([headerOctets(header), body])
}

function recipientFields({ to, cc }: Draft): string {
  if (to.length === 0 && cc.length === 0) return UNDISCLOSED
  return (
    (to.length > 0 ? foldAddresses('To', formatMailboxList(to)) : '') +
    (cc.length > 0 ? foldAddresses('Cc', formatMailboxList(cc)) : '')
  )
}

/** The header reference has values folded and not MIME-encoded. The exception is what no ASCII line of 998 can carry as
 *  it is, for which RFC 2047 is the only way: other scripts, and a word of more than 997 characters, since a line can
 *  be folded nowhere but at white space. Text that looks like an encoded-word stays, because whoever sets a header may
 *  have encoded it. */
export function customField(name: string, value: string): string {
  const rule = headerRule(name)
  const content = rule.kind === 'extension' ? 'text' : rule.kind === 'allowed' ? rule.content : 'structured'
  if (content === 'phrase' && !isAscii(value)) return phraseField(name, value)
  return content === 'text' && (!isAscii(value) || hasEndlessWord(value))
    ? foldText(name, value)
    : foldField(name, value)
}

/** RFC 2919 §3, RFC 2047 §5 (3): the name of a list is a phrase, so encoded-words may stand for it; the identifier in
 *  angle brackets stays as it is. */
function phraseField(name: string, value: string): string {
  const angle = value.lastIndexOf('<')
  const unquoted = value
    .slice(0, angle)
    .replaceAll(/"((?:[^"\\]|\\.)*)"/g, (_, quoted: string) => quoted.replaceAll(/\\(.)/g, '$1'))
  const words = encodeWords(trimWhiteSpace(decodeWords(unquoted)), name.length + 2)
  return foldField(name, `${words} ${value.slice(angle)}`)
}
