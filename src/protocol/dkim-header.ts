import { unfold } from './header-block.ts'

/** The header half of DKIM and ARC. Fields are octet strings (latin1) without their final CRLF. */

/** What a signature covers: the names for `h=`, and the fields that they choose as they are signed. */
export interface Covered {
  readonly names: readonly string[]
  /** Relaxed, each with its CRLF (RFC 6376 §3.7). */
  readonly octets: string
}

/** What is covered where it is present. Trace fields (Received, Return-Path, Authentication-Results) change on the way
 *  and are never signed (RFC 6376 §5.4.1); X- fields neither: filters rewrite them. RFC 9477 §3.1 wants the CFBL
 *  fields covered, RFC 8058 §4 the List-Unsubscribe pair. */
const SIGNED = new Set(
  [
    'from reply-to subject date to cc message-id in-reply-to references sender',
    'mime-version content-type content-transfer-encoding content-id content-disposition content-description',
    'content-language list-id list-unsubscribe list-unsubscribe-post list-archive list-help list-owner list-post',
    'list-subscribe precedence auto-submitted keywords comments importance sensitivity organization archived-at',
    'require-recipient-valid-since feedback-id cfbl-address cfbl-feedback-id',
  ].flatMap((line) => line.split(' ')),
)

/** What is named once more than it occurs, present or not, so that nobody can add one and keep the signature valid
 *  (RFC 6376 §8.15). */
const OVERSIGNED = [
  'from',
  'to',
  'cc',
  'subject',
  'date',
  'reply-to',
  'message-id',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'in-reply-to',
  'references',
  'list-unsubscribe',
  'list-unsubscribe-post',
] as const

/** What hosts add where an author left it out (RFC 6409 §8, RFC 5321 §6.4, RFC 822's need of a recipient). On mail that
 *  we did not write it is sealed against a second one, but not against a first. */
const ADDED_ON_THE_WAY: ReadonlySet<string> = new Set(['date', 'message-id', 'to'])

/** No honest header has as many; beyond it a stranger would choose how long our `h=` is. */
const MOST_NAMES = 250

/** The header of a message that begins with it. */
export function splitFields(header: string): readonly string[] {
  return header.split(/\r\n(?![ \t])/).filter((field) => field !== '')
}

export function fieldName(field: string): string {
  return field
    .slice(0, Math.max(field.indexOf(':'), 0))
    .trim()
    .toLowerCase()
}

/** Of a message of our own. */
export function coverOwn(fields: readonly string[]): Covered {
  return coverFields(fields, [...namesIn(fields, SIGNED), ...OVERSIGNED])
}

/** Of somebody else's, which may lack what ours has. */
export function coverForward(fields: readonly string[]): Covered {
  return coverFields(fields, forwardNames(fields, SIGNED))
}

/** The same for an ARC-Message-Signature, which covers the message's DKIM signatures and neither Authentication-Results
 *  nor ARC fields (RFC 8617 §4.1.2). */
export function coverArc(fields: readonly string[]): Covered {
  return coverFields(fields, forwardNames(fields, SIGNED_BY_ARC))
}

const SIGNED_BY_ARC = new Set([...SIGNED, 'dkim-signature'])

function forwardNames(fields: readonly string[], signed: ReadonlySet<string>): readonly string[] {
  const names = namesIn(fields, signed)
  const present = new Set(fields.map(fieldName))
  return [...names, ...OVERSIGNED.filter((name) => present.has(name) || !ADDED_ON_THE_WAY.has(name))]
}

/** From the bottom up, as verifiers take them. */
function namesIn(fields: readonly string[], signed: ReadonlySet<string>): readonly string[] {
  return fields
    .map(fieldName)
    .filter((name) => signed.has(name))
    .slice(-MOST_NAMES)
    .toReversed()
}

/** RFC 6376 §5.4.2: of a field that occurs more than once, each mention of its name takes the next instance from the
 *  bottom up; a mention too many takes nothing. */
export function coverFields(fields: readonly string[], names: readonly string[]): Covered {
  const instances = Map.groupBy(fields, fieldName)
  const taken = new Map<string, number>()
  let octets = ''
  for (const name of names) {
    const already = taken.get(name) ?? 0
    taken.set(name, already + 1)
    const field = instances.get(name)?.at(-1 - already)
    if (field !== undefined) octets += `${relaxField(field)}\r\n`
  }
  return { names, octets }
}

/** RFC 6376 §3.4.2: name in lower case, unfolded, runs of white space one space, none at the end or at the colon. */
export function relaxField(field: string): string {
  const colon = Math.max(field.indexOf(':'), 0)
  const value = unfold(field.slice(colon + 1)).replaceAll(/[ \t]+/g, ' ')
  const start = value.startsWith(' ') ? 1 : 0
  const end = value.endsWith(' ') && value.length > start ? value.length - 1 : value.length
  return `${fieldName(field)}:${value.slice(start, end)}`
}

/** The tag `h=` on lines of its own. RFC 6376 §3.5: white space is ignored around the colons. */
export function foldNames(names: readonly string[]): string {
  const lines: string[] = []
  let line = ' h='
  for (const [i, name] of names.entries()) {
    const item = i < names.length - 1 ? `${name}:` : `${name};`
    if (line.length + item.length > 76) {
      lines.push(line)
      line = '  '
    }
    line += item
  }
  lines.push(line)
  return lines.join('\r\n')
}
