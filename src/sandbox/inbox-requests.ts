import { z } from 'zod'
import type { Range, Selection } from './inbox.ts'
import { parseSearch, type SearchQuery } from './search-query.ts'

/** A request that cannot be meant: the sentence says what would be right. */
export interface InvalidRequest {
  readonly invalid: string
}

/** The query string of any GET. */
export interface ListRequest {
  readonly range: Range
  /** Where the request asks a question. */
  readonly query: SearchQuery | undefined
  readonly waitMs: number
  /** Whether the source is to be saved rather than shown. */
  readonly download: boolean
}

/** The body of PUT and DELETE. */
export interface SelectionRequest {
  readonly which: Selection
  readonly read: boolean
}

const MAX_WAIT_MS = 60_000
const MAX_IDS = 10_000
/** Messages of one answer. */
export const MAX_LIMIT = 1_000
const MAX_KEY_SHOWN = 50

const wholeNumber = z
  .string('must be given once')
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number)

const listQuery = z.object({
  start: wholeNumber.default(0),
  limit: wholeNumber.transform((limit) => Math.min(limit, MAX_LIMIT)).default(50),
  query: z.string('must be given once').default(''),
  wait: wholeNumber.refine((wait) => wait <= MAX_WAIT_MS, `may be ${MAX_WAIT_MS} ms at most`).default(0),
  dl: z.string('must be given once').default(''),
})

const markBody = z.strictObject({
  IDs: z.array(z.string(), 'must be a list of ids').max(MAX_IDS, `may hold ${MAX_IDS} ids at most`).nullish(),
  Read: z.boolean('must be true or false').nullish(),
  Search: z.string('must be a text').nullish(),
})
// Whoever asks to delete what was read must not lose the rest.
const deleteBody = markBody.omit({ Read: true })
const KEYS = Object.keys(markBody.shape)

export function readListQuery(query: unknown): ListRequest | InvalidRequest {
  const read = listQuery.safeParse(query)
  if (!read.success) return explain(read.error)
  const { start, limit, wait, dl } = read.data
  const request = { range: { start, limit }, query: undefined, waitMs: wait, download: dl === '1' }
  if (read.data.query.trim() === '') return request
  const asked = parseSearch(read.data.query)
  return 'invalid' in asked ? asked : { ...request, query: asked }
}

/** Takes the body under any Content-Type and the keys in any case, as Mailpit does. No body and no ids mean all
 *  messages; a body that is not JSON, or that has a key nobody knows, is refused, where Mailpit would delete everything. */
export function readSelection(to: 'mark' | 'delete', body: unknown): SelectionRequest | InvalidRequest {
  const json = parseJson(body)
  if (json === undefined) return { invalid: 'The body is not JSON; it should look like {"IDs": ["…"]}.' }
  const named = nameKeys(json)
  if ('invalid' in named) return named
  const parsed = (to === 'mark' ? markBody : deleteBody).safeParse(named.value)
  if (!parsed.success) return explain(parsed.error)
  const { IDs, Search, Read } = { Read: false, ...parsed.data }
  const read = Read ?? false
  const ids = IDs ?? []
  if (!Search) return { which: ids.length > 0 ? { ids: ids.filter(isMessageId) } : 'all', read }
  if (ids.length > 0) return { invalid: 'You may specify either IDs or a search query, not both' }
  const query = parseSearch(Search)
  return 'invalid' in query ? query : { which: { query }, read }
}

/** Only such a text is worth asking the store about. */
export function isMessageId(id: string): boolean {
  return /^[0-9a-f]{32}$/.test(id)
}

function parseJson(body: unknown): unknown {
  if (typeof body !== 'string' || body.trim() === '') return {}
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Go matches the keys of an object without regard to case; two that are the same then contradict each other. */
function nameKeys(json: unknown): { readonly value: unknown } | InvalidRequest {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { value: json }
  const named = new Map<string, unknown>()
  for (const [key, value] of Object.entries(json)) {
    const name = KEYS.find((known) => known.toLowerCase() === key.toLowerCase())
    if (name === undefined) return { invalid: unknownKey(key) }
    if (named.has(name)) return { invalid: `"${name}" must be given once.` }
    named.set(name, value)
  }
  return { value: Object.fromEntries(named) }
}

function unknownKey(key: string): string {
  return `${JSON.stringify(key.slice(0, MAX_KEY_SHOWN))} is not a field of this request.`
}

function explain(error: z.ZodError): InvalidRequest {
  const [issue] = error.issues
  if (issue?.code === 'unrecognized_keys') return { invalid: unknownKey(issue.keys[0] ?? '') }
  const field = issue?.path.join('.') ?? ''
  return { invalid: field === '' ? 'The body must be a JSON object.' : `"${field}" ${issue?.message}.` }
}
