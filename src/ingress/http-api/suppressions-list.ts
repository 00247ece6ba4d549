import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Envelope } from '#contract/envelope.ts'
import type { CursorInfo } from '#contract/paging.ts'
import type { SuppressionBody } from '#contract/suppressions.ts'
import { decodeCursor, encodeCursor, sameFilter } from '#registry/suppressions/list-cursor.ts'
import type { ListFilter, Position } from '#registry/suppressions/list-suppressions.ts'
import { readListFilter } from '#registry/suppressions/read-list-filter.ts'
import { turnAway } from './answer.ts'
import type { HttpWorld } from './http-world.ts'
import { readQuery } from './read-query.ts'
import { suppressionBody } from './suppressions-answers.ts'
import { principalOf } from './suppressions-door.ts'

const PER_PAGE = { usual: 100, most: 1000 }

/** `GET …/suppressions`. An intermediate page is never empty: the official client would stop there. */
export async function listRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: HttpWorld,
): Promise<FastifyReply> {
  const { accountId } = principalOf(request)
  const asked = readListQuery(request.query, accountId, world.suppressionCursorKey)
  if ('detail' in asked) return turnAway(reply, 'invalidSchema', asked.detail)
  const { filter, perPage, after } = asked
  const { entries, next } = await world.suppressions.list(accountId, { filter, limit: perPage, after })
  const cursor = next
    ? encodeCursor({ filter, perPage, after: next }, accountId, world.suppressionCursorKey)
    : null
  const envelope: Envelope<readonly SuppressionBody[]> & { readonly result_info: CursorInfo } = {
    success: true,
    errors: [],
    messages: [],
    result: entries.map(suppressionBody),
    result_info: { count: entries.length, per_page: perPage, cursor, next_cursor: cursor },
  }
  return reply.code(200).send(envelope)
}

interface Asked {
  readonly filter: ListFilter
  readonly perPage: number
  readonly after?: Position
}

function readListQuery(query: unknown, accountId: string, key: Uint8Array): Asked | { detail: string } {
  const values = readQuery(query)
  if ('twice' in values) return { detail: `The parameter '${values.twice}' must stand once.` }
  const filter = filterOf(values)
  if ('detail' in filter) return filter
  const perPageText = values.get('per_page')
  const perPage = perPageText === undefined ? undefined : readPerPage(perPageText)
  if (perPageText !== undefined && perPage === undefined) {
    return { detail: `per_page must be a number from 1 to ${PER_PAGE.most}.` }
  }
  const text = values.get('cursor')
  if (text === undefined || text === '') return { filter, perPage: perPage ?? PER_PAGE.usual }
  const cursor = decodeCursor(text, accountId, key)
  if (!cursor) {
    return {
      detail:
        'The cursor is not one of this account’s lists, or was changed on its way. Start without a cursor.',
    }
  }
  // Who pages by the cursor alone need not repeat the filters; who repeats them must not change them.
  if (Object.keys(filter).length > 0 && !sameFilter(filter, cursor.filter)) {
    return {
      detail: 'The cursor belongs to a list with other filters. Start without a cursor to change them.',
    }
  }
  return { filter: cursor.filter, perPage: perPage ?? cursor.perPage, after: cursor.after }
}

export function filterOf(values: ReadonlyMap<string, string>): ListFilter | { readonly detail: string } {
  // Clients send filters that their form left empty.
  const value = (name: string) => values.get(name) || undefined
  return readListFilter({
    email: value('email'),
    search: value('search'),
    reason: value('reason'),
    scope_type: value('scope_type'),
    scope_value: value('scope_value'),
  })
}

function readPerPage(text: string): number | undefined {
  const perPage = /^\d{1,4}$/.test(text) ? Number(text) : 0
  return perPage >= 1 && perPage <= PER_PAGE.most ? perPage : undefined
}
