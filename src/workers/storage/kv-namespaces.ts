import { newId } from '#store/id.ts'
import { type Statement, type Store, statement, type Write } from '#store/store.ts'

export interface KvNamespace {
  readonly id: string
  readonly title: string
}

/** What else is to be in the commit that changes a namespace. */
export type RecordNamespace = (change: {
  readonly before?: KvNamespace
  readonly after?: KvNamespace
}) => readonly Write[]

export interface NamespacePage {
  readonly order: 'id' | 'title'
  readonly direction: 'asc' | 'desc'
  readonly offset: number
  readonly limit: number
}

export interface KvNamespaces {
  namespace(accountId: string, id: string): Promise<KvNamespace | undefined>
  /** `total`: how many there are on all pages. */
  listNamespaces(
    accountId: string,
    page: NamespacePage,
  ): Promise<{ readonly namespaces: readonly KvNamespace[]; readonly total: number }>
  createNamespace(
    accountId: string,
    title: string,
    record: RecordNamespace,
  ): Promise<KvNamespace | 'title-taken' | 'too-many'>
  renameNamespace(
    accountId: string,
    wish: KvNamespace,
    record: RecordNamespace,
  ): Promise<KvNamespace | 'title-taken' | undefined>
  /** It is gone at once, and its entries are not to be read any more; they are swept. */
  removeNamespace(accountId: string, id: string, record: RecordNamespace): Promise<KvNamespace | undefined>
}

export const NAMESPACES_PER_ACCOUNT = 1000

const LIVING = 'account_id = $1 and deleted_at is null'

const byId = statement<KvNamespace>(
  'kv-namespace.by-id',
  `select id, title from kv_namespace where ${LIVING} and id = $2`,
)
const byTitle = statement<KvNamespace>(
  'kv-namespace.by-title',
  `select id, title from kv_namespace where ${LIVING} and title = $2`,
)
const countAll = statement<{ readonly namespaces: number }>(
  'kv-namespace.count',
  `select count(*) as namespaces from kv_namespace where ${LIVING}`,
)
const insert = statement(
  'kv-namespace.insert',
  `insert into kv_namespace (id, account_id, title, created_at)
   select $2, $1, $3, cast($4 as bigint)
   where (select count(*) from kv_namespace where ${LIVING}) < ${NAMESPACES_PER_ACCOUNT}
   on conflict (account_id, title) where deleted_at is null do nothing`,
)
// The title is looked at in the same statement: a clash is an answer, not an error of the engine.
const rename = statement(
  'kv-namespace.rename',
  `update kv_namespace set title = $3 where ${LIVING} and id = $2 and not exists (
     select 1 from kv_namespace as other
     where other.account_id = $1 and other.deleted_at is null and other.title = $3 and other.id <> $2)`,
)
const remove = statement(
  'kv-namespace.remove',
  `update kv_namespace set deleted_at = $3 where ${LIVING} and id = $2`,
)

function pageOf(order: NamespacePage['order'], direction: NamespacePage['direction']) {
  return statement<KvNamespace>(
    `kv-namespace.page ${order} ${direction}`,
    `select id, title from kv_namespace where ${LIVING} order by ${order} ${direction} limit $2 offset $3`,
  )
}

const PAGES: Record<NamespacePage['order'], Record<NamespacePage['direction'], Statement<KvNamespace>>> = {
  id: { asc: pageOf('id', 'asc'), desc: pageOf('id', 'desc') },
  title: { asc: pageOf('title', 'asc'), desc: pageOf('title', 'desc') },
}

export function openKvNamespaces(store: Store, clock: () => number): KvNamespaces {
  const namespace = (accountId: string, id: string) => store.get(byId, [accountId, id])
  return {
    namespace,

    async listNamespaces(accountId, { order, direction, offset, limit }) {
      const [counted] = await store.all(countAll, [accountId])
      const total = counted?.namespaces ?? 0
      // An offset is a stranger's number, and may be beyond what an engine counts.
      if (offset >= total) return { namespaces: [], total }
      return { namespaces: await store.all(PAGES[order][direction], [accountId, limit, offset]), total }
    },

    async createNamespace(accountId, title, record) {
      const after = { id: newId(), title }
      const made = { statement: insert, params: [accountId, after.id, title, clock()], rows: 1 }
      const committed = await store.commit([made, ...record({ after })])
      if (committed.ok) return after
      return (await store.get(byTitle, [accountId, title])) ? 'title-taken' : 'too-many'
    },

    async renameNamespace(accountId, after, record) {
      const before = await namespace(accountId, after.id)
      if (!before || before.title === after.title) return before
      const write = { statement: rename, params: [accountId, after.id, after.title], rows: 1 }
      const committed = await store.commit([write, ...record({ before, after })])
      if (committed.ok) return after
      return (await namespace(accountId, after.id)) && 'title-taken'
    },

    async removeNamespace(accountId, id, record) {
      const before = await namespace(accountId, id)
      if (!before) return undefined
      const write = { statement: remove, params: [accountId, id, clock()], rows: 1 }
      const committed = await store.commit([write, ...record({ before })])
      return committed.ok ? before : undefined
    },
  }
}
