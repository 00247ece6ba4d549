import { foldText } from './fold-text.ts'
import type { MailboxView, MessageSummary } from './message-summary.ts'

/** What a search looks at: a message as listed, and its folded text. */
export interface Searchable {
  readonly summary: MessageSummary
  readonly searchText: string
}

export interface SearchQuery {
  readonly terms: readonly Term[]
  /** Whether any term looks into the text, which is the costly part to read back. */
  readonly wantsText: boolean
}

interface Term {
  readonly negated: boolean
  readonly kind: 'text' | 'state'
  readonly holds: (message: Searchable) => boolean
}

/** RFC 5321 allows a path of 256 octets; the rest of the room is for phrases. */
const MAX_QUERY_LENGTH = 2_000
const MAX_TERMS = 50

/** Reads a query in Mailpit's syntax. Terms are separated by blanks and all must hold; quotes keep a phrase together;
 *  `-` or `!` before a term negates it. A prefix that Mailpit has and the inbox lacks is refused by name rather than
 *  searched for as a word, which would silently match nothing. `to:` looks at the To field, as in Mailpit: of one message
 *  to several recipients it finds every copy. `recipient:` is ours and finds the copy of the one that the envelope names,
 *  a blind one too. `invalid` is a sentence for the person who asked. */
export function parseSearch(query: string): SearchQuery | { readonly invalid: string } {
  if (query.length > MAX_QUERY_LENGTH)
    return {
      invalid: `A search query may have ${MAX_QUERY_LENGTH} characters, this one has ${query.length}.`,
    }
  const terms: Term[] = []
  for (const word of splitWords(query)) {
    const term = parseTerm(word)
    if (term === undefined) continue
    if ('invalid' in term) return term
    terms.push(term)
  }
  if (terms.length === 0) return { invalid: 'Error: no search query' }
  if (terms.length > MAX_TERMS)
    return { invalid: `A search query may have ${MAX_TERMS} terms, this one has ${terms.length}.` }
  return { terms, wantsText: terms.some((term) => term.kind === 'text') }
}

export function matchesSearch(query: SearchQuery, message: Searchable): boolean {
  return query.terms.every((term) => term.holds(message) !== term.negated)
}

/** A quote may open anywhere in a word, as in `subject:"order 17"`, and an unclosed one runs to the end. */
function splitWords(query: string): string[] {
  const words = query.match(/(?:[^\s"]|"[^"]*(?:"|$))+/g) ?? []
  return words.map((word) => word.replaceAll('"', ''))
}

function parseTerm(word: string): Term | { readonly invalid: string } | undefined {
  const negated = word.length > 1 && (word.startsWith('-') || word.startsWith('!'))
  const term = negated ? word.slice(1) : word
  const colon = term.indexOf(':')
  const prefix = term.slice(0, colon).toLowerCase()
  const value = foldText(term.slice(colon + 1))

  if (colon > 0 && UNSUPPORTED.has(prefix))
    return { invalid: `The search prefix "${prefix}:" is not supported here.` }
  if (colon > 0 && (prefix === 'is' || prefix === 'has')) {
    const holds = STATES.get(`${prefix}:${value}`)
    if (holds === undefined) return { invalid: `"${prefix}:" takes one of ${[...STATES.keys()].join(', ')}.` }
    return { negated, kind: 'state', holds }
  }
  const field = colon > 0 ? FIELDS.get(prefix) : undefined
  if (field) {
    if (value === '') return undefined
    return {
      negated,
      kind: 'state',
      holds: ({ summary }) => field(summary).some((text) => text.includes(value)),
    }
  }
  const text = foldText(term)
  if (text === '') return undefined
  return { negated, kind: 'text', holds: ({ searchText }) => searchText.includes(text) }
}

const UNSUPPORTED: ReadonlySet<string> = new Set(['tag', 'after', 'before', 'larger', 'smaller'])

const STATES: ReadonlyMap<string, (message: Searchable) => boolean> = new Map([
  ['is:read', ({ summary }) => summary.Read],
  ['is:unread', ({ summary }) => !summary.Read],
  ['has:attachment', ({ summary }) => summary.Attachments > 0],
  ['has:attachments', ({ summary }) => summary.Attachments > 0],
  ['has:inline', ({ summary }) => summary.Inline > 0],
  ['has:inlines', ({ summary }) => summary.Inline > 0],
])

const FIELDS: ReadonlyMap<string, (summary: MessageSummary) => string[]> = new Map([
  ['from', ({ From }) => fold([From])],
  ['to', ({ To }) => fold(To)],
  ['cc', ({ Cc }) => fold(Cc)],
  ['bcc', ({ Bcc }) => fold(Bcc)],
  ['reply-to', ({ ReplyTo }) => fold(ReplyTo)],
  ['addressed', ({ From, To, Cc, Bcc, ReplyTo }) => fold([From, ...To, ...Cc, ...Bcc, ...ReplyTo])],
  ['recipient', ({ Envelope }) => Envelope.To.map(foldText)],
  ['subject', ({ Subject }) => [foldText(Subject)]],
  ['message-id', ({ MessageID }) => [foldText(MessageID)]],
])

function fold(mailboxes: readonly MailboxView[]): string[] {
  return mailboxes.map(({ Name, Address }) => foldText(`${Name} ${Address}`))
}
