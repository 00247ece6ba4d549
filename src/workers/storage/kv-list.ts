import { type Store, statement } from '#store/store.ts'
import type { KvPlace } from './kv.ts'
import { keyRange } from './kv-key.ts'
import { NAMESPACE } from './kv-values.ts'

export interface KvKeyRow {
  readonly key: Uint8Array
  readonly expires_at: number | null
  readonly metadata: string | null
}

export interface KvRange {
  readonly prefix: string
  readonly after: Buffer | undefined
  readonly limit: number
  readonly now: number
}

const page = statement<KvKeyRow>(
  'kv.list',
  `select key, expires_at, metadata from kv_entry
   where namespace_id = ${NAMESPACE} and key >= $3 and key < $4 and (expires_at is null or expires_at > $5)
   order by key limit $6`,
)

export async function listKvKeys(
  store: Store,
  { namespaceId, accountId }: KvPlace,
  { prefix, after, limit, now }: KvRange,
): Promise<{ readonly rows: readonly KvKeyRow[]; readonly isLast: boolean }> {
  const { low, high } = keyRange(prefix, after)
  // One more than asked for tells whether there is a next page, so that none is empty.
  const rows = await store.all(page, [namespaceId, accountId, low, high, now, limit + 1])
  return { rows: rows.slice(0, limit), isLast: rows.length <= limit }
}
