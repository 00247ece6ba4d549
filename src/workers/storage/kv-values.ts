import { setImmediate } from 'node:timers/promises'
import { newId } from '#store/id.ts'
import { type Param, type Store, statement, type Write } from '#store/store.ts'
import type { KvPlace } from './kv.ts'
import type { KvKey } from './kv-key.ts'
import type { KvWrite } from './kv-write.ts'

/** What is under a key. */
export interface KvEntry {
  readonly value: Buffer
  readonly size: number
  /** JSON. */
  readonly metadata: string | null
  /** Milliseconds; null for never. */
  readonly expiresAt: number | null
}

/** The same, a piece at a time in memory. */
export interface KvStream extends Omit<KvEntry, 'value'> {
  open(): AsyncIterable<Uint8Array>
}

/** The same, before its value is in memory. */
export interface KvFound {
  readonly size: number
  /** One that was replaced meanwhile is the later one; undefined where it has gone. */
  whole(): Promise<KvEntry | undefined>
}

/** The namespace `$1`, where it is the account's `$2`. */
export const NAMESPACE =
  '(select id from kv_namespace where id = $1 and account_id = $2 and deleted_at is null)'

interface EntryRow {
  readonly size: number
  readonly metadata: string | null
  readonly expires_at: number | null
  readonly value_id: string | null
  readonly value: Uint8Array | null
}

const WHERE = `where namespace_id = ${NAMESPACE} and key = $3 and (expires_at is null or expires_at > $4)`

const selectEntry = statement<EntryRow>(
  'kv.get',
  `select size, metadata, expires_at, value_id, value from kv_entry ${WHERE}`,
)
const selectMetadata = statement<Omit<EntryRow, 'value' | 'value_id'>>(
  'kv.metadata',
  `select size, metadata, expires_at from kv_entry ${WHERE}`,
)
const selectWhole = statement<Omit<EntryRow, 'value_id'> & { readonly content: Uint8Array | null }>(
  'kv.get-whole',
  `select size, metadata, expires_at, value, content
   from kv_entry left join kv_chunk on kv_chunk.value_id = kv_entry.value_id ${WHERE} order by seq`,
)
const selectChunk = statement<{ readonly content: Uint8Array }>(
  'kv.chunk',
  'select content from kv_chunk where value_id = $1 and seq = $2',
)
const insertChunk = statement(
  'kv.chunk-insert',
  'insert into kv_chunk (value_id, seq, content) values ($1, $2, $3)',
)
const dropChunks = statement(
  'kv.chunks-drop',
  `delete from kv_chunk where value_id =
     (select value_id from kv_entry where namespace_id = ${NAMESPACE} and key = $3)`,
)
const upsert = statement(
  'kv.put',
  `insert into kv_entry (namespace_id, key, expires_at, metadata, size, value_id, value)
   select id, $3, $4, $5, $6, $7, $8 from kv_namespace where id = $1 and account_id = $2 and deleted_at is null
   on conflict (namespace_id, key) do update set expires_at = excluded.expires_at, metadata = excluded.metadata,
     size = excluded.size, value_id = excluded.value_id, value = excluded.value`,
)
const deleteEntry = statement(
  'kv.delete',
  `delete from kv_entry where namespace_id = ${NAMESPACE} and key = $3`,
)

const INLINE_OCTETS = 65_536
const CHUNK_OCTETS = 1_048_576
/** Of one commit: it holds up mail for milliseconds. */
const SET_OCTETS = 1_048_576
const SET_WRITES = 200
/** A value that is replaced while it is read is read anew, and after that at one go. */
const READS = 2

/** False where the namespace is not there. */
export async function writeValues(
  store: Store,
  place: KvPlace,
  writes: readonly KvWrite[],
): Promise<boolean> {
  const { namespaceId, accountId } = place
  let set: Write[] = []
  let octets = 0
  const flush = async () => {
    const committed = set.length === 0 || (await store.commit(set)).ok
    set = []
    octets = 0
    return committed
  }
  for (const { key, value, metadata, expiresAt } of inKeyOrder(writes)) {
    const isSmall = value.length <= INLINE_OCTETS
    const valueId = isSmall ? null : await writeChunks(store, value)
    const head = [namespaceId, accountId, key, expiresAt, metadata, value.length]
    set.push(
      { statement: dropChunks, params: [namespaceId, accountId, key] },
      { statement: upsert, params: [...head, valueId, isSmall ? value : null], rows: 1 },
    )
    octets += isSmall ? value.length : 0
    if ((set.length >= SET_WRITES || octets >= SET_OCTETS) && !(await flush())) return false
  }
  return flush()
}

async function writeChunks(store: Store, value: Uint8Array): Promise<string> {
  const valueId = newId()
  for (let seq = 0; seq * CHUNK_OCTETS < value.length; seq++) {
    const content = value.subarray(seq * CHUNK_OCTETS, (seq + 1) * CHUNK_OCTETS)
    await store.commit([{ statement: insertChunk, params: [valueId, seq, content], rows: 1 }])
  }
  return valueId
}

/** Two that write the same keys in one order never wait for each other in a circle. Of two writes to one key the later
 *  stays the later. */
function inKeyOrder<T extends { readonly key: KvKey }>(all: readonly T[]): readonly T[] {
  return all.toSorted((a, b) => Buffer.compare(a.key, b.key))
}

interface Wanted {
  readonly key: KvKey
  /** Milliseconds. */
  readonly now: number
}

export async function readValue(store: Store, place: KvPlace, wanted: Wanted): Promise<KvEntry | undefined> {
  const found = await findValue(store, place, wanted)
  return found?.whole()
}

export async function findValue(
  store: Store,
  { namespaceId, accountId }: KvPlace,
  { key, now }: Wanted,
): Promise<KvFound | undefined> {
  const params = [namespaceId, accountId, key, now]
  const first = await store.get(selectEntry, params)
  if (!first) return undefined
  return {
    size: first.size,
    async whole() {
      let row: EntryRow | undefined = first
      for (let reads = 0; reads < READS; reads++) {
        if (!row) return undefined
        const value = row.value_id === null ? asBuffer(row.value ?? EMPTY) : await readChunks(store, row)
        if (value?.length === row.size) return { value, ...shownOf(row) }
        row = await store.get(selectEntry, params)
      }
      return readWhole(store, params)
    },
  }
}

export async function readMetadata(
  store: Store,
  { namespaceId, accountId }: KvPlace,
  { key, now }: Wanted,
): Promise<Omit<KvEntry, 'value'> | undefined> {
  const row = await store.get(selectMetadata, [namespaceId, accountId, key, now])
  return row && shownOf(row)
}

export async function deleteValues(
  store: Store,
  { namespaceId, accountId }: KvPlace,
  keys: readonly KvKey[],
): Promise<void> {
  const ordered = inKeyOrder(keys.map((key) => ({ key })))
  for (let start = 0; start < ordered.length; start += SET_WRITES / 2) {
    await store.commit(
      ordered.slice(start, start + SET_WRITES / 2).flatMap(({ key }) => [
        { statement: dropChunks, params: [namespaceId, accountId, key] },
        { statement: deleteEntry, params: [namespaceId, accountId, key] },
      ]),
    )
  }
}

const EMPTY = Buffer.alloc(0)

/** One statement sees one state, whoever writes meanwhile; it holds the value twice, in a reader process too. */
async function readWhole(store: Store, params: readonly Param[]): Promise<KvEntry | undefined> {
  const rows = await store.all(selectWhole, params)
  const [row] = rows
  if (!row) return undefined
  const value = row.value ? asBuffer(row.value) : Buffer.concat(rows.map(({ content }) => content ?? EMPTY))
  if (value.length !== row.size) throw new Error('a value of KV is not whole')
  return { value, ...shownOf(row) }
}

/** The value in pieces. One that is replaced meanwhile breaks off: the stream throws. */
export async function streamValue(
  store: Store,
  { namespaceId, accountId }: KvPlace,
  { key, now }: Wanted,
): Promise<KvStream | undefined> {
  const row = await store.get(selectEntry, [namespaceId, accountId, key, now])
  if (!row) return undefined
  const { value_id: id, size, value } = row
  async function* open(): AsyncGenerator<Uint8Array> {
    if (id === null) {
      if (value) yield value
      return
    }
    for (let seq = 0; seq * CHUNK_OCTETS < size; seq++) {
      const chunk = await store.get(selectChunk, [id, seq])
      if (!chunk) throw new Error('a value of KV was replaced while it was read')
      yield chunk.content
    }
  }
  return { ...shownOf(row), open }
}

/** Undefined once a chunk is not there any more. */
async function readChunks(store: Store, { value_id: id, size }: EntryRow): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  for (let seq = 0; seq * CHUNK_OCTETS < size; seq++) {
    const chunk = await store.get(selectChunk, [id, seq])
    if (!chunk) return undefined
    chunks.push(chunk.content)
    // On SQLite each read runs on this thread: others get their turn in between.
    await setImmediate()
  }
  return Buffer.concat(chunks)
}

function shownOf({ size, metadata, expires_at: expiresAt }: Omit<EntryRow, 'value' | 'value_id'>) {
  return { size, metadata, expiresAt }
}

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}
