import { shortenReferences } from '#outbound/compose/ease-header.ts'
import { foldField } from '#protocol/fold.ts'
import type { HeaderBlock } from '#protocol/header-block.ts'
import { messageIds } from '#protocol/header-formats.ts'
import { subjectOf, textOf } from './prepare-forward.ts'

/** What makes a reply one of the thread of what it answers. */
export interface Thread {
  readonly subject: string
  /** In-Reply-To and References; empty where the message has no Message-ID that a header could carry. */
  readonly references: readonly (readonly [name: string, value: string])[]
}

// api-sending.md
const LONGEST_SUBJECT = 998

/** What a program sends because mail came in says so (RFC 3834 §3.1.7): two that answer each other would not end. */
const AUTOMATIC = ['Auto-Submitted', 'auto-replied'] as const

export function threadOf(block: HeaderBlock): Thread {
  const asked = subjectOf(block)
  const subject = /^re:/i.test(asked) ? asked : `Re: ${asked}`
  return {
    subject: Array.from(subject).slice(0, LONGEST_SUBJECT).join('').trim(),
    references: referencesTo(block),
  }
}

/** RFC 5322 §3.6.4. */
function referencesTo(block: HeaderBlock): Thread['references'] {
  const [messageId] = idsIn(block, 'message-id')
  if (messageId === undefined) return []
  const before = idsIn(block, 'references')
  const parents = idsIn(block, 'in-reply-to')
  const chain = before.length > 0 ? before : parents.length === 1 ? parents : []
  const value = ` ${[...chain, messageId].join(' ')}`
  const { value: shortened } = shortenReferences({ name: 'References', value, start: 0, end: 0 })
  return [
    ['In-Reply-To', messageId],
    ['References', shortened.trim()],
  ]
}

/** Those that we could write ourselves. */
function idsIn(block: HeaderBlock, name: string): readonly string[] {
  const ids = textOf(block, name)?.match(/<[^<>\s]+>/g) ?? []
  return ids.filter((id) => messageIds(id) === undefined)
}

/** The builder's fields, of any shape, with what the Worker left out. */
export function threadBuilder(given: unknown, { subject, references }: Thread): unknown {
  if (!isRecord(given)) return given
  const headers = given['headers'] ?? {}
  return {
    ...given,
    subject: given['subject'] ?? subject,
    ...(isRecord(headers) && {
      headers: { ...headers, ...Object.fromEntries(missing(Object.keys(headers), references)) },
    }),
  }
}

/** A raw message with what the Worker left out put before it; `names` of its header fields. */
export function threadRaw(mime: Buffer, names: readonly string[], { references }: Thread): Buffer {
  const fields = missing(names, references).map(([name, value]) => foldField(name, value))
  const lineFeed = mime.indexOf('\n')
  // A message has line ends of one kind.
  const isBare = lineFeed !== -1 && mime[lineFeed - 1] !== 13
  const added = fields.join('')
  const start = mime.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0
  return Buffer.concat([Buffer.from(isBare ? added.replaceAll('\r\n', '\n') : added), mime.subarray(start)])
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** A Worker that names one of the two has its own idea of the thread. */
function missing(
  names: readonly string[],
  references: Thread['references'],
): readonly (readonly [name: string, value: string])[] {
  const given = new Set(names.map((name) => name.toLowerCase()))
  return [
    ...(given.has('in-reply-to') || given.has('references') ? [] : references),
    ...(given.has('auto-submitted') ? [] : [AUTOMATIC]),
  ]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
