import { type Statement, type Store, statement } from '#store/store.ts'
import { DESTINATION_COLUMNS, type Destination, type DestinationRow, destinationOf } from './destination.ts'

/** Which destinations, and where in their list a page begins. */
export interface DestinationPage {
  readonly verified?: boolean | undefined
  readonly order: 'created' | 'modified' | 'email'
  readonly direction: 'asc' | 'desc'
  readonly offset: number
  readonly limit: number
}

const wanted = `from destination where account_id = $1
    and (cast($2 as integer) is null or case when verified_at is null then 0 else 1 end = $2)`

const countDestinations = statement<{ readonly destinations: number }>(
  'destination.count',
  `select count(*) as destinations ${wanted}`,
)

const ORDERS = {
  created: 'created_at',
  modified: 'modified_at',
  email: 'email_key',
} as const satisfies Record<DestinationPage['order'], string>

const pages = new Map<string, Statement<DestinationRow>>()

/** One statement for each of six orders. */
function pageOf(order: DestinationPage['order'], direction: DestinationPage['direction']) {
  const name = `destination.page ${order} ${direction}`
  let page = pages.get(name)
  if (!page) {
    const by = `${ORDERS[order]} ${direction}, id ${direction}`
    const sql = `select ${DESTINATION_COLUMNS} ${wanted} order by ${by} limit $3 offset $4`
    page = statement<DestinationRow>(name, sql)
    pages.set(name, page)
  }
  return page
}

/** `total`: how many there are on all pages. */
export async function listDestinations(
  store: Store,
  accountId: string,
  { verified, order, direction, offset, limit }: DestinationPage,
): Promise<{ readonly destinations: readonly Destination[]; readonly total: number }> {
  const filter = [accountId, verified === undefined ? null : verified ? 1 : 0]
  const [counted] = await store.all(countDestinations, filter)
  const total = counted?.destinations ?? 0
  // An offset is a stranger's number, and may be beyond what an engine counts.
  if (offset >= total) return { destinations: [], total }
  const rows = await store.all(pageOf(order, direction), [...filter, limit, offset])
  return { destinations: rows.map(destinationOf), total }
}
