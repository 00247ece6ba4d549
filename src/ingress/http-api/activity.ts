import type { FastifyInstance } from 'fastify'
import type { History } from '#analytics/history.ts'
import type { EventPosition, Scope } from '#analytics/history-query.ts'
import {
  type ActivityBody,
  type ActivityFilters,
  type ActivityPage,
  exportActivity,
  exportZoneActivity,
  listActivity,
  listZoneActivity,
} from '#contract/activity.ts'
import { activityBody } from './activity-body.ts'
import { decodeActivityCursor, encodeActivityCursor, sameFilters } from './activity-cursor.ts'
import { activityFile, type FoundPage } from './activity-file.ts'
import {
  type ActivityQuestion,
  askedMessageIds,
  invalidFilter,
  type Namesakes,
  readActivityQuestion,
} from './activity-question.ts'
import { openExportPlaces } from './export-places.ts'
import {
  type Answer,
  type Call,
  type Fault,
  type FileAnswer,
  type ServedBy,
  serveOperation,
} from './serve-operation.ts'

export interface ActivityWorld extends ServedBy {
  readonly history: Pick<History, 'events' | 'namesakes'>
  readonly now: () => number
}

const EXPORT_PAGE = 1000

/** The activity log: what history has of an account's mail, or of one of its zones, and the same as a file. History is
 *  about a second behind the mail. The order is by the time of the event, and then by its place in the record; so what a
 *  page has shown stays in its place, and what comes into history later stands on an earlier page, and on no later one
 *  twice. A page may end early, and even be empty, while its cursor goes on: nothing else in the time of one question
 *  was what it looks for. */
export function activityRoutes(api: FastifyInstance, world: ActivityWorld): void {
  const places = openExportPlaces()
  for (const operation of [listActivity, listZoneActivity]) {
    serveOperation(api, { operation, world }, (call) => showPage(world, call))
  }
  for (const operation of [exportActivity, exportZoneActivity]) {
    serveOperation(api, { operation, world }, async (call) => {
      const giveBack = places.take(call.accountId)
      if (typeof giveBack !== 'function') return giveBack
      let answer: Fault | FileAnswer | undefined
      try {
        answer = await showFile(world, call)
      } finally {
        if (!answer || !('file' in answer)) giveBack()
      }
      if ('file' in answer) answer.file.content.once('close', giveBack)
      return answer
    })
  }
}

async function showPage(
  world: ActivityWorld,
  call: Call<ActivityPage, unknown>,
): Promise<Answer<ActivityBody[]>> {
  const { cursor: text, per_page: limit, ...given } = call.query
  const cursor = text ? decodeActivityCursor(text) : undefined
  if (text && !cursor) return invalidFilter('cursor', 'not one of this list. Start without a cursor.')
  // Who pages by the cursor alone need not repeat the filters; who repeats them must not change them.
  if (cursor && Object.keys(given).length > 0 && !sameFilters(given, cursor.filters))
    return invalidFilter('cursor', 'of a list with other filters. Start without a cursor to change them.')
  const filters = cursor?.filters ?? given
  const namesakes = await findNamesakes(world, call, filters)
  if ('status' in namesakes) return namesakes
  const question = readActivityQuestion(filters, { now: world.now(), since: cursor?.since, namesakes })
  if ('fault' in question) return question.fault
  const read = readerOf(world, call, question.value)
  const found = await read(limit + 1, cursor?.after)
  if ('status' in found) return found
  const shown = found.rows.slice(0, limit)
  // A search that takes long ends its page early, and its cursor goes on where that was.
  const after = found.rows.length > limit ? shown.at(-1) : found.reached
  const next = after ? encodeActivityCursor({ filters, since: question.value.since, after }) : null
  const info = { count: shown.length, per_page: limit, cursor: next, next_cursor: next }
  return { result: shown.map(activityBody), info }
}

/** The first page is read before anything is answered: what cannot be looked for is told so. One that breaks off later
 *  ends its connection, so that it does not look whole. */
async function showFile(
  world: ActivityWorld,
  call: Call<ActivityFilters & { readonly format: 'csv' | 'ndjson' }, unknown>,
): Promise<Fault | FileAnswer> {
  const { format, ...filters } = call.query
  const namesakes = await findNamesakes(world, call, filters)
  if ('status' in namesakes) return namesakes
  const question = readActivityQuestion(filters, { now: world.now(), namesakes })
  if ('fault' in question) return question.fault
  const read = readerOf(world, call, question.value)
  const first = await read(EXPORT_PAGE)
  if ('status' in first) return first
  const next = async (after: EventPosition) => {
    try {
      const page = await read(EXPORT_PAGE, after)
      if ('status' in page) throw new Error(page.detail)
      return page
    } catch (error) {
      world.log.error({ err: error }, 'http: an export of the activity log broke off')
      throw error
    }
  }
  return { file: activityFile(format, first, next) }
}

async function findNamesakes(
  { history }: ActivityWorld,
  { accountId }: Call<unknown, unknown>,
  filters: ActivityFilters,
): Promise<Namesakes | typeof TOO_SLOW | typeof BUSY> {
  const asked = askedMessageIds(filters)
  const find = (headerId: string) => (headerId === '' ? NOBODY : history.namesakes(accountId, headerId))
  const [byId, bySearch] = await Promise.all([find(asked.message_id), find(asked.search)])
  if (byId.kind === 'busy' || bySearch.kind === 'busy') return BUSY
  if (byId.kind === 'too-slow' || bySearch.kind === 'too-slow') return TOO_SLOW
  return { message_id: byId.rows, search: bySearch.rows }
}

const NOBODY = { kind: 'answer', rows: [] as readonly string[] } as const

/** Reads pages of what is asked for, the newest first. */
function readerOf({ history }: ActivityWorld, call: Call<unknown, unknown>, question: ActivityQuestion) {
  const { since: _, ...asked } = question
  const query = { ...asked, scope: scopeOf(call) }
  return async (limit: number, after?: EventPosition): Promise<FoundPage | typeof TOO_SLOW | typeof BUSY> => {
    const page = { limit, partly: true, ...(after && { after: placeOf(after) }) }
    const answer = await history.events({ ...query, ...page })
    if (answer.kind === 'answer') return answer
    return answer.kind === 'busy' ? BUSY : TOO_SLOW
  }
}

function placeOf({ at, seq, ordinal }: EventPosition): EventPosition {
  return { at, seq, ordinal }
}

function scopeOf({ accountId, params }: Call<unknown, unknown>): Scope {
  const zoneId = params['zone_id']
  return { accountId, ...(zoneId !== undefined && { zoneIds: [zoneId] }) }
}

const TOO_SLOW = {
  status: 429,
  code: 10004,
  message: 'Too many requests',
  detail: 'Looking for it took too long. Narrow it by since and until, or by another filter.',
} as const satisfies Fault

const BUSY = {
  status: 429,
  code: 10004,
  message: 'Too many requests',
  detail: 'Too many questions about this account’s mail at once; try again.',
} as const satisfies Fault
