import { BEFORE_RECIPIENT, NOT_A_RECIPIENT, ORIGINAL_STARTS } from './bounce-forms.ts'
import { addressesIn } from './find-addresses.ts'
import {
  MAX_DIAGNOSTIC,
  oneLine,
  phaseIn,
  type ReportedAction,
  type ReportedRecipient,
  replyCodeIn,
  statusIn,
} from './reported-recipient.ts'

const MOST_LINES = 1_000
const LONGEST_LINE = 2_000
const MOST_RECIPIENTS = 100

/** A text for people: what it says, and the message it returns below that. */
export interface Notice {
  readonly lines: readonly string[]
  readonly original: string | undefined
}

/** Separates the words of a host from the message that it quotes. */
export function splitNotice(text: string): Notice {
  const all = text.split(/\r?\n/)
  const lines: string[] = []
  for (let at = 0; at < all.length && at < MOST_LINES; at++) {
    const line = (all[at] ?? '').slice(0, LONGEST_LINE)
    const shape = line.trim().slice(0, 200)
    if (shape !== '' && ORIGINAL_STARTS.some((start) => start.test(shape))) {
      const rest = all.slice(isHeaderLine(shape) ? at : at + 1)
      return { lines, original: withoutIndent(rest.slice(0, MOST_LINES)) }
    }
    lines.push(line)
  }
  return { lines, original: undefined }
}

function isHeaderLine(line: string): boolean {
  return /^[!-9;-~]{1,60}\s{0,4}:/.test(line)
}

/** The quoted header from its first field on, moved to the margin. */
function withoutIndent(lines: readonly string[]): string | undefined {
  const first = lines.findIndex((line) => isHeaderLine(line.trim().slice(0, 200)))
  if (first === -1) return undefined
  const indent = /^[ \t]*/.exec(lines[first] ?? '')?.[0] ?? ''
  return lines
    .slice(first)
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    .join('\n')
}

/** What a notice says of each recipient: the words beside and below an address up to the next one. `failed` are those
 *  that a header field names (X-Failed-Recipients); `senders` are addresses the notice was sent to or from, which it
 *  names for other reasons. Out: at least the address, or the words alone where no address can be made out; nothing
 *  where the notice is empty. */
export function readNotice(
  { lines }: Pick<Notice, 'lines'>,
  action: ReportedAction,
  failed: readonly string[],
  senders: ReadonlySet<string>,
): ReportedRecipient[] {
  const whole = oneLine(lines.join(' '))
  const blocks = blocksOf(lines, senders)
  const named = failed.length > 0 ? failed : [...blocks.values()].map(({ address }) => address)
  const recipients = named.length > 0 ? named : recipientsMentioned(lines, senders)
  if (recipients.length === 0) return whole === '' ? [] : [report(undefined, whole, whole, action)]
  const alone = recipients.length === 1
  return recipients.slice(0, MOST_RECIPIENTS).map((address) => {
    const words = oneLine(blocks.get(address.toLowerCase())?.words.join(' ') ?? '')
    return report(address, /[\p{L}\d]/u.test(words) || !alone ? words : whole, alone ? whole : '', action)
  })
}

/** The words about one recipient in the part for people of a report whose other part names it. */
export function noticeAbout(
  { lines }: Pick<Notice, 'lines'>,
  recipient: string | undefined,
  alone: boolean,
  senders: ReadonlySet<string>,
): string {
  if (alone) return oneLine(lines.join(' '))
  const block = recipient === undefined ? undefined : blocksOf(lines, senders).get(recipient.toLowerCase())
  return oneLine(block?.words.join(' ') ?? '')
}

function report(
  recipient: string | undefined,
  diagnostic: string,
  notice: string,
  action: ReportedAction,
): ReportedRecipient {
  const status = statusIn(diagnostic) ?? statusIn(notice)
  const replyCode = replyCodeIn(diagnostic) ?? replyCodeIn(notice)
  const phase = phaseIn(diagnostic) ?? phaseIn(notice)
  return {
    ...(recipient !== undefined && { recipient }),
    action,
    ...(status !== undefined && { status }),
    ...(replyCode !== undefined && { replyCode }),
    ...(phase !== undefined && { phase }),
    ...(diagnostic !== '' && { diagnostic }),
    ...(notice !== '' && notice !== diagnostic && { notice }),
  }
}

interface Block {
  readonly address: string
  readonly words: string[]
}

/** A line begins what is said of a recipient where it starts with the address, perhaps in brackets or quotes (Exim,
 *  qmail, Postfix, Gmail, Zoho, OpenSMTPD …), or with a reply code and the address (`550 <a@b>... User unknown`). The
 *  dialogue that sendmail quotes stands before the line of its recipient. */
function blocksOf(lines: readonly string[], senders: ReadonlySet<string>): Map<string, Block> {
  const blocks = new Map<string, Block>()
  let dialogue: string[] = []
  let open: Block | undefined
  for (const line of lines) {
    const text = line.trim()
    if (text === '') continue
    const code = CODED.exec(text)?.[0] ?? ''
    const first = addressAt(text.slice(code.length))
    // A refusal of the sender names the sender.
    const address = code !== '' && first !== undefined && senders.has(first.toLowerCase()) ? undefined : first
    if (address !== undefined && (blocks.size < MOST_RECIPIENTS || blocks.has(address.toLowerCase()))) {
      open = blocks.get(address.toLowerCase()) ?? { address, words: [] }
      blocks.set(address.toLowerCase(), open)
      add(
        open.words,
        code === '' ? text.slice(text.indexOf(address) + address.length).replace(AFTER_ADDRESS, '') : text,
      )
      if (code !== '') open.words.push(...dialogue)
      dialogue = []
    } else if (/^(?:\.{3} )?while talking/i.test(text)) {
      dialogue = [text]
    } else if (/^(?:>>>|<<<)/.test(text)) {
      add(dialogue, text)
    } else if (code !== '' && dialogue.length > 0) {
      add(dialogue, text)
    } else if (open) add(open.words, text)
  }
  if (open && dialogue.length > 0) open.words.push(...dialogue)
  return blocks
}

const CODED = /^[45][0-57]\d[ -](?:[45]\.\d{1,3}\.\d{1,3} )?/
const AFTER_ADDRESS = /^[>"')\]]*(?:<mailto:[^>]{0,320}>)?[>:,;]*\s*/
const MOST_WORDS = 60

function add(words: string[], text: string): void {
  if (words.length < MOST_WORDS && text !== '') words.push(text.slice(0, MAX_DIAGNOSTIC))
}

function addressAt(text: string): string | undefined {
  const start = /^[<"'(*•[\s-]{0,8}/.exec(text)?.[0].length ?? 0
  const [address] = addressesIn(text.slice(0, start + 600), 1)
  const at = address === undefined ? -1 : text.indexOf(address)
  return at !== -1 && at <= start ? address : undefined
}

/** Addresses inside sentences: those that words mark as the recipient, else the only ones there are. */
function recipientsMentioned(lines: readonly string[], senders: ReadonlySet<string>): string[] {
  const marked = new Map<string, string>()
  const others = new Map<string, string>()
  for (const line of lines) {
    let from = 0
    for (const address of addressesIn(line, 10)) {
      const at = line.indexOf(address, from)
      from = at + address.length
      const key = address.toLowerCase()
      if (senders.has(key) || NOT_A_RECIPIENT.test(address)) continue
      if (BEFORE_RECIPIENT.test(line.slice(Math.max(0, at - 80), at))) marked.set(key, address)
      else others.set(key, address)
    }
    if (marked.size + others.size >= MOST_RECIPIENTS) break
  }
  return marked.size > 0 ? [...marked.values()] : [...others.values()].slice(0, 1)
}
