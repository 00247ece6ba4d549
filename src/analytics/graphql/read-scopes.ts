import type { Scope } from '../history-query.ts'
import type { QueryContext } from './query-context.ts'
import { QueryFault } from './query-fault.ts'
import { listOf, wrong } from './read-filter.ts'
import { quoted } from './read-value.ts'

/** A zone or an account in the answer, which its datasets are asked of. */
export interface ScopeNode {
  readonly tag: string
  readonly scope: Scope
}

export interface ScopeArguments {
  readonly filter?: unknown
  readonly limit?: unknown
}

/** As in the original: zones of a query, and there is one account. */
export const MOST_ZONES = 10

/** Every permission that is asked for here. */
const PERMISSION = 'the API token lacks the permission "Analytics:Read"'

/** `zones(filter, limit)`, in the order of their ids; without a filter those that there are. */
export async function readZones(
  { filter, limit }: ScopeArguments,
  { asker }: QueryContext,
): Promise<readonly ScopeNode[]> {
  const most = readLimit(limit, MOST_ZONES)
  const asked = readTags(filter, 'zoneTag')
  if (asked.kind !== 'tags') {
    const all = await asker.zones()
    const after = asked.kind === 'after' ? all.filter(({ zoneTag }) => zoneTag > asked.tag) : all
    return after.slice(0, most).map(zoneNode)
  }
  if (asked.tags.length > MOST_ZONES)
    throw new QueryFault('limit', `number of zones can't be more than ${MOST_ZONES}`)
  const reached = await Promise.all(
    asked.tags.map(async (zoneTag) => ({ zoneTag, reach: await asker.reach('zone', zoneTag) })),
  )
  const refused = reached.filter(({ reach }) => reach.kind !== 'readable')
  if (refused.length > 0) {
    const tags = refused.map(({ zoneTag }) => zoneTag).join(', ')
    const isThere = refused.every(({ reach }) => reach.kind === 'lacking')
    throw new QueryFault('forbidden', `zones [${tags}] are not authorized${isThere ? `: ${PERMISSION}` : ''}`)
  }
  return reached
    .flatMap(({ zoneTag, reach }) =>
      reach.kind === 'readable' ? [zoneNode({ zoneTag, accountId: reach.accountId })] : [],
    )
    .slice(0, most)
}

/** `accounts(filter)`: one, which has to be named. */
export async function readAccounts(
  { filter, limit }: ScopeArguments,
  { asker }: QueryContext,
): Promise<readonly ScopeNode[]> {
  readLimit(limit, 1)
  const asked = readTags(filter, 'accountTag')
  const [accountTag, ...more] = asked.kind === 'tags' ? asked.tags : []
  if (accountTag === undefined || more.length > 0)
    throw wrong('accounts.filter', 'it names exactly one account: {accountTag: "…"}')
  const reach = await asker.reach('account', accountTag)
  if (reach.kind !== 'readable') {
    const why = reach.kind === 'lacking' ? `: ${PERMISSION}` : ''
    throw new QueryFault('forbidden', `not authorized for that account${why}`)
  }
  return [{ tag: accountTag, scope: { accountId: accountTag } }]
}

function zoneNode({
  zoneTag,
  accountId,
}: {
  readonly zoneTag: string
  readonly accountId: string
}): ScopeNode {
  return { tag: zoneTag, scope: { accountId, zoneIds: [zoneTag] } }
}

type AskedTags =
  | { readonly kind: 'all' }
  | { readonly kind: 'after'; readonly tag: string }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }

/** One of `{tag}`, `{tag_in}` and `{tag_gt}`: as in the original they do not combine. */
function readTags(filter: unknown, name: 'zoneTag' | 'accountTag'): AskedTags {
  if (filter === undefined || filter === null) return { kind: 'all' }
  const given = typeof filter === 'object' ? Object.entries(filter).filter(([, value]) => value != null) : []
  const [first, ...more] = given
  // A variable that was not given must not turn into everything.
  if (!first || more.length > 0) throw wrong('filter', `it is one of ${name}, ${name}_in and ${name}_gt`)
  const [key, value] = first
  switch (key) {
    case name:
      return { kind: 'tags', tags: [readTag(value, name)] }
    case `${name}_in`: {
      const list = listOf(value)
      if (list.length > MOST_TAGS) throw wrong(`filter.${key}`, `it has at most ${MOST_TAGS} ids`)
      return { kind: 'tags', tags: [...new Set(list.map((tag) => readTag(tag, name)))].sort() }
    }
    case `${name}_gt`:
      return { kind: 'after', tag: readTag(value, name) }
    default:
      throw wrong(`filter.${key}`, 'there is no such filter')
  }
}

const MOST_TAGS = 100

/** Ids count in any case. */
function readTag(raw: unknown, name: string): string {
  if (typeof raw === 'string' && raw.length <= 64 && !raw.includes('\0')) return raw.toLowerCase()
  throw wrong(`filter.${name}`, `${quoted(raw)} is no id, which is 32 hexadecimal digits`)
}

/** The original's words. */
export function readLimit(raw: unknown, most: number): number {
  if (raw === undefined || raw === null) return most
  if (typeof raw === 'number' && Number.isInteger(raw) && raw > 0 && raw <= most) return raw
  throw new QueryFault(
    'limit',
    `limit must be positive number and not greater than ${most}, not ${quoted(raw)}`,
  )
}
