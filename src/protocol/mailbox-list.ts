import type { Mailbox } from '#model/address.ts'
import { isAddress, parseAddress } from './address.ts'
import { endOfComment, endOfQuoted } from './delimited.ts'
import { decodeWords, encodeWords, needsEncoding } from './encoded-word.ts'
import { withoutControls } from './fold.ts'
import { trimWhiteSpace } from './header-block.ts'

/** Why the value of From, To, Cc or Reply-To is no list of mailboxes. `detail` is a sentence for its author. */
export interface MailboxListFault {
  readonly fault: 'empty' | 'unclosed' | 'group' | 'trailing' | 'address'
  readonly detail: string
}

const DETAIL = {
  empty: 'It names no address.',
  unclosed: 'A quoted string, a comment or an angle bracket is not closed.',
  group: 'It uses group syntax (a name followed by a colon); list the addresses themselves.',
  trailing: 'Something follows the closing angle bracket of an address; separate addresses by commas.',
} as const satisfies Record<Exclude<MailboxListFault['fault'], 'address'>, string>

/** The mailboxes of an address header (RFC 5322 §3.4), given its unfolded text. Comments are skipped, and one stands in
 *  for a missing name, as in `root@example.com (Cron)`. Display names may hold characters that should have been quoted
 *  (`Dr. X`, `a@b <c@d>`) as long as nobody could read two addresses out of them; groups are refused. It reads no
 *  further than `most` mailboxes. */
export function parseMailboxList(text: string, most = Infinity): readonly Mailbox[] | MailboxListFault {
  const elements = splitElements(text, most)
  if (!elements) return fault('unclosed')
  const mailboxes: Mailbox[] = []
  for (const element of elements) {
    const mailbox = parseElement(element)
    if (mailbox === undefined) continue
    if ('fault' in mailbox) return mailbox
    mailboxes.push(mailbox)
  }
  return mailboxes.length > 0 ? mailboxes : fault('empty')
}

/** One mailbox as it stands in a header, ASCII but for a local part that is not: bare where there is no name, the name as
 *  atoms, a quoted string or encoded-words. `used` is what stands before it on its line. */
export function formatMailbox({ address, name }: Mailbox, used = 0): string {
  const clean = name === undefined ? '' : trimWhiteSpace(withoutControls(name))
  // A quoted local part is clearer in brackets: it may hold commas and spaces.
  if (clean === '') return address.startsWith('"') ? `<${address}>` : address
  return `${formatPhrase(clean, used)} <${address}>`
}

function formatPhrase(name: string, used: number): string {
  // A line of 998 cannot hold a longer quoted string without a space; encoded-words split anywhere.
  if (needsEncoding(name) || name.length > 500) return encodeWords(name, used)
  if (/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(name)) return name
  return `"${name.replaceAll(/["\\]/g, '\\$&')}"`
}

export function formatMailboxList(mailboxes: readonly Mailbox[]): string {
  return mailboxes.map((mailbox) => formatMailbox(mailbox)).join(', ')
}

/** What one element of a list is made of once comments are out and quoted strings are marked off. */
interface Element {
  /** Before the angle bracket, or everything: runs of text and of quoted content. */
  readonly words: readonly { readonly text: string; readonly quoted: boolean }[]
  readonly angle: string | undefined
  readonly comment: string
  readonly flaw: 'group' | 'trailing' | undefined
}

/** One pass over the characters, so that a hostile header costs its length and no more. */
function splitElements(text: string, most: number): readonly Element[] | undefined {
  const elements: Element[] = []
  let at = 0
  let named = 0
  while (at <= text.length && named < most) {
    const words: { text: string; quoted: boolean }[] = []
    let angle: string | undefined
    let comment = ''
    let flaw: Element['flaw']
    let plain = ''
    const endRun = () => {
      if (plain.trim() !== '') words.push({ text: plain, quoted: false })
      plain = ''
    }
    for (; at < text.length && text[at] !== ','; at++) {
      const char = text.charAt(at)
      if (char === '"' || char === '(') {
        const close = char === '"' ? endOfQuoted(text, at) : endOfComment(text, at)
        if (close === undefined) return undefined
        const content = text.slice(at + 1, close).replaceAll(/\\(.)/gs, '$1')
        if (char === '(') {
          comment = content
          // A space in its place: `a(b)c@d` is two words, not the address ac@d.
          plain += ' '
        } else if (angle === undefined) {
          endRun()
          words.push({ text: content, quoted: true })
        } else flaw = 'trailing'
        at = close
      } else if (char === '<' && angle === undefined) {
        const close = endOfAngle(text, at)
        if (close === undefined) return undefined
        endRun()
        angle = text.slice(at + 1, close)
        at = close
      } else {
        if ((char === ':' || char === ';') && angle === undefined) flaw ??= 'group'
        if (angle !== undefined && !/\s/.test(char)) flaw = 'trailing'
        plain += char
      }
    }
    endRun()
    elements.push({ words, angle, comment, flaw })
    if (!isEmpty({ words, angle })) named++
    at++
  }
  return elements
}

function isEmpty({ words, angle }: Pick<Element, 'words' | 'angle'>): boolean {
  return words.length === 0 && angle === undefined
}

/** Undefined for an empty element: RFC 5322 §4.4 lets `a@b,,c@d` pass. */
function parseElement({ words, angle, comment, flaw }: Element): Mailbox | MailboxListFault | undefined {
  if (flaw !== undefined) return fault(flaw)
  if (isEmpty({ words, angle })) return undefined
  const bare = words
    .map(({ text, quoted }) => (quoted ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : text))
    .join('')
  const address = parseAddress((angle ?? bare).trim())
  if (!isAddress(address)) return { fault: 'address', detail: address.detail }
  const phrase = words.map(({ text, quoted }) => (quoted ? text : decodeWords(text.trim()))).join(' ')
  const name = trimWhiteSpace(withoutControls(angle === undefined ? decodeWords(comment) : phrase))
  return name === '' ? { address } : { address, name }
}

/** The local part inside may be quoted and hold a `>`. */
function endOfAngle(text: string, open: number): number | undefined {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '"') at = endOfQuoted(text, at) ?? text.length
    else if (text[at] === '>') return at
  }
  return undefined
}

function fault(kind: keyof typeof DETAIL): MailboxListFault {
  return { fault: kind, detail: DETAIL[kind] }
}
