import type { ExpectedRecordBody } from '#contract/onboarding-records.ts'

/** A record as its owner publishes it; NS where names are to be delegated. */
export interface RecordToPublish {
  readonly type: ExpectedRecordBody['type'] | 'NS'
  readonly name: string
  /** Absent for the DKIM record of a key that is not made yet. */
  readonly content?: string | undefined
  readonly priority?: number | undefined
}

/** The name as it stands before the zone's, which is what the forms of DNS providers ask for; `@` for the zone. */
export function shortName(name: string, zone: string): string {
  if (name === zone) return '@'
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : name
}

/** Tells records apart: a name may have several of a type. */
export function recordKey({ type, name, content = '', priority = 0 }: RecordToPublish): string {
  return `${type} ${name} ${priority} ${content}`
}

/** What our own name servers say for automatic. */
const TTL_SECONDS = 300
/** Octets of a character-string (RFC 1035 §3.3). */
const LONGEST_STRING = 255

/** As a zone file has them (RFC 1035 §5). */
export function zoneFileText(records: readonly RecordToPublish[]): string {
  return records
    .map(({ type, name, content = '', priority }) => {
      const before = `${name}. ${TTL_SECONDS} IN ${type} `
      if (type === 'TXT') return `${before}${characterStrings(content)}`
      return `${before}${priority === undefined ? '' : `${priority} `}${content}.`
    })
    .join('\n')
}

function characterStrings(text: string): string {
  const octets = new TextEncoder().encode(text)
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
