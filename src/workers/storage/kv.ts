/** KV: values of up to 25 MiB under keys, in namespaces of an account. In: Workers' bindings and the API. Out: the
 *  values, with their metadata. Promise: once a put or delete resolves it survives a crash, whoever reads afterwards
 *  sees it, and of two writes to one key the later commit counts; what expired is not to be read, and goes. */
import type { Store } from '#store/store.ts'
import { decodeKeyCursor, encodeKeyCursor, type KvKey } from './kv-key.ts'
import { listKvKeys } from './kv-list.ts'
import { type KvNamespaces, openKvNamespaces } from './kv-namespaces.ts'
import { sweepKv } from './kv-sweep.ts'
import {
  deleteValues,
  findValue,
  type KvEntry,
  type KvFound,
  type KvStream,
  readMetadata,
  readValue,
  streamValue,
  writeValues,
} from './kv-values.ts'
import type { KvWrite } from './kv-write.ts'

export type { KvEntry } from './kv-values.ts'

/** A namespace, as the one who asks about it may: another account's is none. */
export interface KvPlace {
  readonly accountId: string
  readonly namespaceId: string
}

/** What a list shows of a key. */
export interface KvListed {
  readonly name: string
  /** JSON. */
  readonly metadata: string | null
  /** Milliseconds; null for never. */
  readonly expiresAt: number | null
}

export interface KvPage {
  readonly keys: readonly KvListed[]
  /** Where the next page begins; undefined on the last. A page that is not the last one is full. */
  readonly cursor: string | undefined
}

export interface Kv extends KvNamespaces {
  /** Of two to one key the later counts. Many are several commits: a crash in between leaves some of them. */
  put(place: KvPlace, writes: readonly KvWrite[]): Promise<'stored' | 'no-namespace'>
  /** Undefined for a key that is not there, in a namespace that is not there too. */
  get(place: KvPlace, key: KvKey): Promise<KvEntry | undefined>
  /** The same, for whoever wants to know its size first. */
  find(place: KvPlace, key: KvKey): Promise<KvFound | undefined>
  /** A value that is replaced while it is streamed breaks off. */
  stream(place: KvPlace, key: KvKey): Promise<KvStream | undefined>
  metadata(place: KvPlace, key: KvKey): Promise<Omit<KvEntry, 'value'> | undefined>
  /** Several at once, in their order. 'too-large': together they have more than 25 MiB. */
  getAll(place: KvPlace, keys: readonly KvKey[]): Promise<readonly (KvEntry | undefined)[] | 'too-large'>
  /** In the order of the keys' octets. `limit` up to 1000. */
  list(
    place: KvPlace,
    page: { readonly prefix: string; readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<KvPage | 'no-namespace' | 'bad-cursor'>
  /** Keys that are not there do no harm. */
  delete(place: KvPlace, keys: readonly KvKey[]): Promise<'deleted' | 'no-namespace'>
  /** Deletes what expired, and what is left of namespaces and values that are gone; some of it, often enough called. */
  sweep(): Promise<void>
}

/** The most that one answer holds. */
const MOST_TOGETHER = 25 * 1_048_576

export function openKv({ store, clock }: { store: Store; clock: () => number }): Kv {
  const namespaces = openKvNamespaces(store, clock)
  const isThere = async ({ accountId, namespaceId }: KvPlace) =>
    (await namespaces.namespace(accountId, namespaceId)) !== undefined
  return {
    ...namespaces,

    put: async (place, writes) =>
      (await isThere(place)) && (await writeValues(store, place, writes)) ? 'stored' : 'no-namespace',

    get: (place, key) => readValue(store, place, { key, now: clock() }),

    find: (place, key) => findValue(store, place, { key, now: clock() }),

    stream: (place, key) => streamValue(store, place, { key, now: clock() }),

    metadata: (place, key) => readMetadata(store, place, { key, now: clock() }),

    async getAll(place, keys) {
      const found: (KvEntry | undefined)[] = []
      let octets = 0
      for (const key of keys) {
        const entry = await readMetadata(store, place, { key, now: clock() })
        octets += entry?.size ?? 0
        if (octets > MOST_TOGETHER) return 'too-large'
        const whole = entry && (await readValue(store, place, { key, now: clock() }))
        // It may have been replaced in between.
        octets += (whole?.value.length ?? 0) - (entry?.size ?? 0)
        if (octets > MOST_TOGETHER) return 'too-large'
        found.push(whole)
      }
      return found
    },

    async list(place, { prefix, cursor, limit }) {
      const after = cursor ? decodeKeyCursor(cursor) : undefined
      if (cursor && !after) return 'bad-cursor'
      const { rows, isLast } = await listKvKeys(store, place, { prefix, after, limit, now: clock() })
      if (rows.length === 0 && !(await isThere(place))) return 'no-namespace'
      const last = rows.at(-1)
      return {
        keys: rows.map(({ key, metadata, expires_at: expiresAt }) => ({
          name: Buffer.from(key).toString('utf8'),
          metadata,
          expiresAt,
        })),
        cursor: last && !isLast ? encodeKeyCursor(last.key) : undefined,
      }
    },

    async delete(place, keys) {
      if (!(await isThere(place))) return 'no-namespace'
      await deleteValues(store, place, keys)
      return 'deleted'
    },

    sweep: () => sweepKv(store, clock()),
  }
}
