import { textOf } from '#inbound/act/prepare-forward.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { messageIds } from '#protocol/header-formats.ts'
import type { LocalMessage } from './local-actions.ts'

/** What a message is unfit for, in the words of wrangler's local server, and where that is. */
export interface LocalFault {
  readonly field?: 'from' | 'to' | 'raw'
  readonly detail: string
}

const HEADER_LIMITS = { fields: 1000, bytes: 256 * 1024 }

/** The page's own sentence. */
const INCOMPLETE: LocalFault = {
  detail:
    'Invalid email. Your request must include URL parameters specifying the `from` and `to` addresses, as well as an email in the body',
}

/** A message that somebody made up, with its envelope. */
export function readLocalMessage(
  { from, to }: { readonly from: string; readonly to: string },
  body: Buffer,
): LocalMessage | LocalFault {
  if (from === '' || to === '' || body.length === 0) return INCOMPLETE
  // `<>` stands for the null sender, which no client could name otherwise.
  const sender = from === '<>' ? '' : parseAddress(from)
  if (sender !== '' && !isAddress(sender)) return notAnAddress('from', from, sender.detail)
  const recipient = parseAddress(to)
  if (!isAddress(recipient)) return notAnAddress('to', to, recipient.detail)
  const raw = withCrlf(body)
  const block = parseHeaderBlock(raw, HEADER_LIMITS)
  if ('fault' in block) return { field: 'raw', detail: `Email could not be parsed: ${block.detail}` }
  const id = textOf(block, 'message-id')
  if (id === undefined || messageIds(id) !== undefined)
    return { field: 'raw', detail: 'Email could not be parsed: invalid or no message id provided' }
  return { from: sender, to: recipient, written: to, raw, block, messageId: id }
}

function notAnAddress(field: 'from' | 'to', text: string, why: string): LocalFault {
  return { field, detail: `Invalid email. \`${field}\` is ${JSON.stringify(text.slice(0, 200))}: ${why}` }
}

/** As mail comes over SMTP. People write examples with the line ends of their editor. */
function withCrlf(body: Buffer): Buffer {
  const lineFeed = body.indexOf('\n')
  if (lineFeed > 0 && body[lineFeed - 1] === 13) return body
  return Buffer.from(body.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1')
}
