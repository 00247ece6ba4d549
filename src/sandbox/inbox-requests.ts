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

const wholeNumber = z
  .string('must be given once')
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number)

const listQuery = z.object({
  start: wholeNumber.default(0),
  limit: wholeNumber.default(50),
  query: z.string('must be given once').default(''),
  wait: wholeNumber.refine((wait) => wait <= MAX_WAIT_MS, `may be ${MAX_WAIT_MS} ms at most`).default(0),
  dl: z.string('must be given once').default(''),
})

const selectionBody = z.object({
  IDs: z.array(z.string(), 'must be a list of ids').max(MAX_IDS, `may hold ${MAX_IDS} ids at most`).nullish(),
  Read: z.boolean('must be true or false').nullish(),
  Search: z.string('must be a text').nullish(),
})

export function readListQuery(query: unknown): ListRequest | InvalidRequest {
  const read = listQuery.safeParse(query)
  if (!read.success) return explain(read.error)
  const { start, limit, wait, dl } = read.data
  const request = { range: { start, limit }, query: undefined, waitMs: wait, download: dl === '1' }
  if (read.data.query.trim() === '') return request
  const asked = parseSearch(read.data.query)
  return 'invalid' in asked ? asked : { ...request, query: asked }
}

/** Takes the body under any Content-Type, as Mailpit does. No body and no ids mean all messages; a body that is not
 *  JSON is refused, where Mailpit would delete everything. */
export function readSelection(body: unknown): SelectionRequest | InvalidRequest {
  const json = parseJson(body)
  if (json === undefined) return { invalid: 'The body is not JSON; it should look like {"IDs": ["…"]}.' }
  const parsed = selectionBody.safeParse(json)
  if (!parsed.success) return explain(parsed.error)
  const { IDs, Search } = parsed.data
  const read = parsed.data.Read ?? false
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

function explain(error: z.ZodError): InvalidRequest {
  const [issue] = error.issues
  const field = issue?.path.join('.') ?? ''
  return { invalid: field === '' ? 'The body must be a JSON object.' : `"${field}" ${issue?.message}.` }
}
