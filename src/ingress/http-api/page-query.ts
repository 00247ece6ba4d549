import { decodePageCursor, type PageCursor } from './page-cursor.ts'
import { readQuery } from './read-query.ts'

export interface PageQuery {
  /** What the query says beside the page; nothing that is empty. */
  readonly values: ReadonlyMap<string, string>
  readonly limit: number
  readonly after: PageCursor | undefined
}

const PER_PAGE = { usual: 100, most: 1000 }

/** The query of a list. A parameter that the route does not know is refused: a misspelled filter would list all. */
export function readPageQuery(
  query: unknown,
  known: readonly string[],
): PageQuery | { readonly detail: string } {
  const values = readQuery(query)
  if ('twice' in values) return { detail: `The parameter '${values.twice}' must stand once.` }
  const names = [...known, 'per_page', 'cursor']
  const unknown = [...values.keys()].find((name) => !names.includes(name))
  if (unknown !== undefined)
    return { detail: `There is no parameter '${unknown.slice(0, 50)}'; there are ${names.join(', ')}.` }
  const limit = readPerPage(values.get('per_page'))
  if (limit === undefined) return { detail: `per_page must be a number from 1 to ${PER_PAGE.most}.` }
  const text = values.get('cursor')
  const after = text ? decodePageCursor(text) : undefined
  if (text && !after) return { detail: 'The cursor is not one of this list. Start without a cursor.' }
  const given = [...values].filter(([name, value]) => known.includes(name) && value !== '')
  return { values: new Map(given), limit, after }
}

function readPerPage(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return PER_PAGE.usual
  const perPage = /^\d{1,4}$/.test(text) ? Number(text) : 0
  return perPage >= 1 && perPage <= PER_PAGE.most ? perPage : undefined
}
