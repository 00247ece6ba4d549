import { parseOwnerName } from '#protocol/owner-name.ts'
import type { RecordToPut } from './dns-provider.ts'
import { contentOf, isRecordType, RECORD_TYPES, type RecordType } from './record-types.ts'
import { inside } from './zone-contents.ts'
import { AUTOMATIC_TTL, type RecordData } from './zone-record.ts'

/** A record as somebody writes it, its fields of the right types and nothing else known of them. */
export interface GivenRecord {
  /** Whole, or as far as it stands above the zone; `@` for the zone itself. */
  readonly name: string
  readonly type: string
  readonly content?: string | undefined
  /** In place of the content, for the types that have parts. */
  readonly data?: Readonly<Record<string, unknown>> | undefined
  readonly priority?: number | null | undefined
  readonly ttl?: number | undefined
  readonly comment?: string | null | undefined
  readonly tags?: readonly string[] | undefined
}

export interface RecordFault {
  readonly field: keyof GivenRecord
  /** A sentence for the person who wrote it. */
  readonly detail: string
}

export const SHORTEST_TTL = 60
export const LONGEST_TTL = 86_400
const LONGEST_COMMENT = 500
const MOST_TAGS = 20
const LONGEST_TAG = 100

/** The record as the zone keeps it, in the one spelling that it has, or its first fault. Whether it goes with the zone's
 *  other records is not asked here. */
export function readRecord(zoneName: string, given: GivenRecord): RecordToPut | RecordFault {
  const { type, ttl = AUTOMATIC_TTL, comment = null, tags = [] } = given
  if (!isRecordType(type)) {
    const types = Object.keys(RECORD_TYPES).join(', ')
    return {
      field: 'type',
      detail: `Records of type ${type.slice(0, 20)} are not answered here; there are ${types}.`,
    }
  }
  const name = readName(zoneName, given.name)
  if (typeof name !== 'string') return { field: 'name', detail: name.detail }
  const data = readData(type, given)
  if ('field' in data) return data
  const misplaced = misplacedAt(name, zoneName, data)
  if (misplaced !== undefined) return { field: 'name', detail: misplaced }
  if (ttl !== AUTOMATIC_TTL && !(Number.isInteger(ttl) && ttl >= SHORTEST_TTL && ttl <= LONGEST_TTL))
    return {
      field: 'ttl',
      detail: `A TTL is a number of seconds from ${SHORTEST_TTL} to ${LONGEST_TTL}, or 1 for automatic.`,
    }
  if (comment !== null && comment.length > LONGEST_COMMENT)
    return { field: 'comment', detail: `A comment may have ${LONGEST_COMMENT} characters at most.` }
  if (tags.length > MOST_TAGS || tags.some((tag) => tag.length > LONGEST_TAG))
    return { field: 'tags', detail: `There may be ${MOST_TAGS} tags of ${LONGEST_TAG} characters each.` }
  return { name, type, content: contentOf(data), priority: priorityOf(data), ttl, comment, tags }
}

/** A name in the zone, whole, in lower case and A-labels, without the final dot. */
export function readName(zoneName: string, given: string): string | { readonly detail: string } {
  const text = given.trim()
  if (text === '@') return zoneName
  if (text === '*') return `*.${zoneName}`
  const name = parseOwnerName(text, { wildcard: true })
  if (typeof name !== 'string') return name
  if (inside(name, zoneName)) return name
  if (text.endsWith('.')) return { detail: `${name} lies outside of the zone ${zoneName}.` }
  return parseOwnerName(`${name}.${zoneName}`, { wildcard: true })
}

function readData(type: RecordType, given: GivenRecord): RecordData | RecordFault {
  const { read, join, needsPriority } = RECORD_TYPES[type]
  const { data, priority = null } = given
  const field = data && join ? 'data' : 'content'
  const content = data && join ? join({ ...(priority !== null && { priority }), ...data }) : given.content
  if (content === undefined) return { field: 'content', detail: `A record of type ${type} needs a content.` }
  if (needsPriority && !isPriority(priority ?? (content.trim() === '.' ? 0 : -1)))
    return { field: 'priority', detail: `A record of type ${type} needs a priority from 0 to 65535.` }
  const found = read(content.trim(), priority)
  return typeof found === 'string' ? { field, detail: found } : found
}

function isPriority(priority: number): boolean {
  return Number.isInteger(priority) && priority >= 0 && priority <= 65_535
}

function priorityOf(data: RecordData): number | null {
  if (data.type === 'MX') return data.preference
  return data.type === 'SRV' ? data.priority : null
}

/** Why such a record cannot stand at this name, whatever else the zone holds. */
function misplacedAt(name: string, zoneName: string, data: RecordData): string | undefined {
  const apex = name === zoneName
  // RFC 1034 §3.6.2: an alias stands alone, and the apex always has SOA and NS.
  if (data.type === 'CNAME' && apex) return `${name} is the zone itself, which cannot be an alias.`
  if (data.type === 'CNAME' && data.data === name) return 'An alias cannot lead to itself.'
  if (data.type === 'NS' && apex) return `The name servers of ${name} itself are not to be changed.`
  // RFC 4592 §4.2: what a wildcard delegates is undefined.
  if (data.type === 'NS' && name.startsWith('*.')) return 'A wildcard cannot be delegated.'
  return undefined
}
