import type { Dataset, Filter, TextField } from '#analytics/history-query.ts'
import { ACTIVITY_STATUSES, type ActivityFilters } from '#contract/activity.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { Fault } from './fault.ts'
import { readMessageId } from './message-id.ts'
import { readDomain } from './read-domain.ts'
import { readDuration, readTime } from './read-moment.ts'

/** What is asked of history, but for whose events and how many. */
export interface ActivityQuestion {
  readonly dataset?: Dataset
  /** Absent: everything, which is the quickest to answer. */
  readonly filter?: Filter
  readonly steps: boolean
  /** Where the time begins, in ms since 1970; undefined where that was left open. */
  readonly since: number | undefined
}

const MINUTE_MS = 60_000
/** observability-logs.md: between 30 minutes and 30 days. */
const SHORTEST_MS = 30 * MINUTE_MS
const LONGEST_MS = 30 * 24 * 60 * MINUTE_MS
const SECOND_MS = 1000

type Read<T> = { readonly value: T } | { readonly fault: Fault }

/** The filters of a query as history understands them. `since`: what `last` meant when the list began, where it goes on.
 *  `namesakes`: what history finds for `askedMessageIds`. */
export function readActivityQuestion(
  filters: ActivityFilters,
  {
    now,
    since,
    namesakes,
  }: {
    readonly now: number
    readonly since?: number | undefined
    readonly namesakes: Namesakes
  },
): Read<ActivityQuestion> {
  const span = readSpan(filters, now)
  if ('fault' in span) return span
  const from = filters.last === undefined ? span.value.from : (since ?? span.value.from)
  const and: Filter[] = []
  if (from !== undefined) and.push({ field: 'datetime', is: 'geq', value: from })
  if (span.value.to !== undefined) and.push({ field: 'datetime', is: 'lt', value: span.value.to })
  for (const name of NAMES) {
    const text = filters[name]
    // Clients send filters that their form left empty.
    if (text === undefined || text === '') continue
    const condition = CONDITIONS[name](text, namesakes)
    if (typeof condition === 'string') return { fault: invalidFilter(name, condition) }
    and.push(condition)
  }
  if (filters.latest === 'true') and.push({ field: 'isLastEvent', is: 'eq', value: 1 })
  return {
    value: {
      ...(filters.direction && { dataset: filters.direction }),
      ...(and.length > 0 && { filter: { and } }),
      steps: filters.steps === 'true',
      since: from,
    },
  }
}

export function invalidFilter(name: string, wrong: string): Fault {
  const detail = `The query parameter '${name}': ${wrong}`
  return { status: 400, code: 1004, message: 'Invalid query', detail, pointer: `?${name}` }
}

/** Whole seconds, as history compares times: what began within the first one is shown, as is what ended within the
 *  last. */
function readSpan(
  { last, since, until }: ActivityFilters,
  now: number,
): Read<{ readonly from: number | undefined; readonly to: number | undefined }> {
  if (last !== undefined && last !== '') {
    if (since || until)
      return { fault: invalidFilter('last', 'stands in place of since and until, and not beside them.') }
    const ms = readDuration(last)
    if (ms === undefined || ms < SHORTEST_MS || ms > LONGEST_MS)
      return { fault: invalidFilter('last', 'must be a duration from 30m to 30d, such as 2h.') }
    return { value: { from: wholeSecond(now - ms), to: undefined } }
  }
  const [from, to] = [since, until].map((text) => (text ? readTime(text) : undefined))
  for (const [name, text, at] of [
    ['since', since, from],
    ['until', until, to],
  ] as const) {
    if (text && (at === undefined || at < 0))
      return {
        fault: invalidFilter(name, 'must be a time with its offset, such as 2026-11-20T09:00:00Z, or a day.'),
      }
  }
  if (from !== undefined && to !== undefined && from >= to)
    return { fault: invalidFilter('until', 'must be later than since.') }
  return {
    value: {
      from: from === undefined ? undefined : wholeSecond(from),
      to: to === undefined ? undefined : wholeSecond(to + SECOND_MS - 1),
    },
  }
}

function wholeSecond(at: number): number {
  return at - (at % SECOND_MS)
}

/** Each filter's condition, or a sentence that says what would be one. */
const CONDITIONS = {
  status(text) {
    const words = text.split(',').map((word) => word.trim())
    if (words.every(isStatus)) return { field: 'status', is: 'in', values: words }
    return `must be one of ${ACTIVITY_STATUSES.join(', ')}, or several with commas between them.`
  },
  domain(text) {
    const domain = readDomain(text)
    return domain === undefined
      ? 'must be the name of a domain.'
      : { field: 'sendingDomain', is: 'eq', value: domain }
  },
  recipient: (text) => addressIs('to', text),
  sender: (text) => (text === '<>' ? { field: 'from', is: 'eq', value: '' } : addressIs('from', text)),
  subject: (text) => ({ field: 'subject', is: 'contains', text }),
  message_id: (text, namesakes) => ({
    field: 'messageId',
    is: 'in',
    values: messagesMeant(text, namesakes.message_id),
  }),
  rule: (text) =>
    /^[0-9a-f]{32}$/i.test(text)
      ? { field: 'ruleMatched', is: 'eq', value: text.toLowerCase() }
      : 'must be the id of a rule.',
  cause: (text) => ({ field: 'errorCause', is: 'eq', value: text }),
  search(text, namesakes) {
    const parts = SEARCHED.map((field): Filter => ({ field, is: 'contains', text }))
    const values = messagesMeant(text, namesakes.search)
    return { or: values.length > 0 ? [...parts, { field: 'messageId', is: 'in', values }] : parts }
  },
} as const satisfies Partial<
  Record<keyof ActivityFilters, (text: string, namesakes: Namesakes) => Filter | string>
>

/** What may be a Message-ID of a header; of `search`, where it looks like one. */
export function askedMessageIds({ message_id, search }: ActivityFilters): Readonly<Record<Named, string>> {
  const looksSo = search !== undefined && /^<?[^\s<>@]+@[^\s<>@]+>?$/.test(search)
  return { message_id: message_id ?? '', search: looksSo ? search : '' }
}

type Named = 'message_id' | 'search'

/** Ids of messages whose headers have the Message-ID that a filter asks for. */
export type Namesakes = Readonly<Record<Named, readonly string[]>>

/** By their ids in history. */
function messagesMeant(text: string, namesakes: readonly string[]): readonly string[] {
  const own = readMessageId(text)
  return own ? [own.id, ...namesakes] : namesakes
}

const NAMES = [
  ...(['status', 'domain', 'recipient', 'sender', 'subject'] as const),
  ...(['message_id', 'rule', 'cause', 'search'] as const),
] as const satisfies readonly (keyof typeof CONDITIONS)[]

const SEARCHED = ['from', 'to', 'subject', 'errorDetail'] as const satisfies readonly TextField[]

function isStatus(word: string): boolean {
  return ACTIVITY_STATUSES.some((known) => known === word)
}

function addressIs(field: 'from' | 'to', text: string): Filter | string {
  const address = parseAddress(text)
  return isAddress(address) ? { field, is: 'eq', value: address } : address.detail
}
