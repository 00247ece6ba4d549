import type { FastifyInstance } from 'fastify'
import { deleteKvBulk, getKvBulk, type KvPairBody, putKvBulk, removeKvBulk } from '#contract/kv.ts'
import type { KvEntry } from '#workers/storage/kv.ts'
import { isKvKey, type KvKey, parseKvKey } from '#workers/storage/kv-key.ts'
import { isKvFault, type KvWrite, readKvWrite } from '#workers/storage/kv-write.ts'
import { openBodyBudget } from './body-budget.ts'
import { INVALID, type KvWorld, NO_NAMESPACE, placeOf } from './kv-world.ts'
import { type Fault, serveOperation } from './serve-operation.ts'

/** One value of 25 MiB in base64, or many. */
const LARGEST_BULK = 48 * 1_048_576

/** `…/bulk` and what is below it. */
export function kvBulkRoutes(api: FastifyInstance, world: KvWorld): void {
  const { kv, now } = world
  const large = { limit: LARGEST_BULK, bodies: openBodyBudget(2 * LARGEST_BULK) }

  serveOperation(api, { operation: putKvBulk, world, large }, async (call) => {
    const writes = readPairs(call.body, now())
    if ('status' in writes) return writes
    const put = await kv.put(placeOf(call), writes)
    return put === 'stored' ? { result: done(writes) } : NO_NAMESPACE
  })

  for (const operation of [deleteKvBulk, removeKvBulk]) {
    serveOperation(api, { operation, world, large }, async (call) => {
      const keys = readKeys(call.body, '')
      if ('status' in keys) return keys
      const deleted = await kv.delete(placeOf(call), keys)
      return deleted === 'deleted' ? { result: done(keys) } : NO_NAMESPACE
    })
  }

  serveOperation(api, { operation: getKvBulk, world }, async (call) => {
    const { keys: names, type, withMetadata } = call.body
    const keys = readKeys(names, '/keys')
    if ('status' in keys) return keys
    const found = await kv.getAll(placeOf(call), keys)
    if (found === 'too-large') {
      const detail = 'Together the values have more than 25 MiB: ask for fewer.'
      return { ...INVALID, message: 'Too much at once', detail, pointer: '/keys' }
    }
    const place = placeOf(call)
    if (!(await kv.namespace(place.accountId, place.namespaceId))) return NO_NAMESPACE
    const values: [string, unknown][] = []
    for (const [index, name] of names.entries()) {
      const entry = found[index]
      const value = entry ? readValue(entry, type) : { value: null }
      if ('detail' in value) {
        return { ...INVALID, detail: `The value under "${name}" ${value.detail}`, pointer: `/keys/${index}` }
      }
      values.push([name, entry && withMetadata ? withMetadataOf(entry, value.value) : value.value])
    }
    return { result: { values: Object.fromEntries(values) } }
  })
}

function done(all: readonly unknown[]) {
  return { successful_key_count: all.length, unsuccessful_keys: [] }
}

function readPairs(pairs: readonly KvPairBody[], now: number): readonly KvWrite[] | Fault {
  const writes: KvWrite[] = []
  for (const [index, { value, base64, expiration_ttl: expirationTtl, ...rest }] of pairs.entries()) {
    // Node's own decoder passes over what is no base64.
    if (base64 && !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
      return { ...INVALID, detail: 'The value is not in base64.', pointer: `/${index}/value` }
    }
    const octets = Buffer.from(value, base64 ? 'base64' : 'utf8')
    const write = readKvWrite({ ...rest, value: octets, expirationTtl }, now)
    if (isKvFault(write)) return { ...INVALID, detail: write.detail, pointer: `/${index}/${write.field}` }
    writes.push(write)
  }
  return writes
}

function readKeys(names: readonly string[], pointer: string): readonly KvKey[] | Fault {
  const keys: KvKey[] = []
  for (const [index, name] of names.entries()) {
    const key = parseKvKey(name)
    if (!isKvKey(key)) return { ...INVALID, detail: key.detail, pointer: `${pointer}/${index}` }
    keys.push(key)
  }
  return keys
}

function readValue(
  { value }: KvEntry,
  type: 'text' | 'json',
): { readonly value: unknown } | { readonly detail: string } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
    return { value: type === 'json' ? (JSON.parse(text) as unknown) : text }
  } catch {
    return { detail: type === 'json' ? 'is not JSON.' : 'is not text.' }
  }
}

function withMetadataOf({ metadata, expiresAt }: KvEntry, value: unknown) {
  return {
    value,
    metadata: metadata === null ? null : (JSON.parse(metadata) as unknown),
    ...(expiresAt !== null && { expiration: expiresAt / 1000 }),
  }
}
