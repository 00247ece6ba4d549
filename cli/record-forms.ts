import type { ExpectedRecordBody } from '#contract/onboarding-records.ts'
import { plain } from './text-table.ts'
import { wrapText } from './wrap-text.ts'

/** A record for its owner to publish. */
export interface RecordToPublish {
  readonly type: ExpectedRecordBody['type'] | 'NS'
  /** Whole, without the final dot. */
  readonly name: string
  readonly content: string
  readonly priority?: number | undefined
}

/** What our own name servers say for automatic: soon corrected, not asked too often. */
const TTL_SECONDS = 300
/** Octets of a character-string (RFC 1035 §3.3). */
const LONGEST_STRING = 255

/** As a zone file has them (RFC 1035 §5). */
export function bindForm(records: readonly RecordToPublish[]): string {
  return records
    .map(({ type, name, content, priority }) => {
      const before = `${name}. ${TTL_SECONDS} IN ${type} `
      if (type === 'TXT') return `${before}${characterStrings(content)}`
      return `${before}${priority === undefined ? '' : `${priority} `}${content}.`
    })
    .join('\n')
}

/** A text as one or more quoted strings, each on a line of its own where there are more. */
function characterStrings(text: string): string {
  const octets = Buffer.from(text)
  const strings: string[] = []
  for (let at = 0; at === 0 || at < octets.length; at += LONGEST_STRING)
    strings.push(`"${[...octets.subarray(at, at + LONGEST_STRING)].map(quotedOctet).join('')}"`)
  return strings.length === 1 ? strings.join('') : `( ${strings.join('\n    ')} )`
}

/** RFC 1035 §5.1: `\X` for what is special, `\DDD` for what cannot be written. */
function quotedOctet(octet: number): string {
  const character = String.fromCharCode(octet)
  if (character === '"' || character === '\\') return `\\${character}`
  return octet >= 0x20 && octet < 0x7f ? character : `\\${String(octet).padStart(3, '0')}`
}

/** As the forms of DNS providers ask for them, field by field: names as they stand before the zone's, values whole, to
 *  be copied each. */
export function pasteForm(records: readonly RecordToPublish[], zone: string): string {
  return records
    .map(({ type, name, content, priority }) =>
      [
        `Type      ${type}`,
        `Name      ${shortName(name, zone)}`,
        `Value     ${content}`,
        ...(priority === undefined ? [] : [`Priority  ${priority}`]),
      ]
        .map(plain)
        .join('\n'),
    )
    .join('\n\n')
}

/** About `pasteForm`, for who meets another form. */
export function pasteNote(zone: string, width: number | undefined): string {
  return wrapText(
    `Names are given as they stand before .${zone}, and @ is ${zone} itself; where a form wants them whole, add it. Leave the TTL as it is. A long value goes in as one piece, unless the form says otherwise.`,
    width,
  )
}

/** As it stands before the zone's; `@` for the zone itself. */
export function shortName(name: string, zone: string): string {
  if (name === zone) return '@'
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : name
}
