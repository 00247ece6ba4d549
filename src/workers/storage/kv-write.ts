import { isKvKey, type KvKey, parseKvKey } from './kv-key.ts'

/** What is to be under a key. */
export interface KvWrite {
  readonly key: KvKey
  readonly value: Uint8Array
  /** JSON. */
  readonly metadata: string | null
  /** Milliseconds; null for never. */
  readonly expiresAt: number | null
}

/** The same as its sender says it; times in seconds. */
export interface KvWish {
  readonly key: string
  readonly value: Uint8Array
  /** Anything that JSON can say; undefined and null for none. */
  readonly metadata?: unknown
  readonly expiration?: number | undefined
  readonly expirationTtl?: number | undefined
}

/** What was wrong, and where. */
export interface KvFault {
  readonly field: 'key' | 'value' | 'metadata' | 'expiration' | 'expiration_ttl'
  readonly detail: string
}

export const LARGEST_VALUE = 25 * 1_048_576
const LARGEST_METADATA = 1024
const SHORTEST_LIFE_S = 60
/** In seconds: 9999-12-31. */
const LATEST = 253_402_300_799

/** The one place that knows what KV takes. `now` in milliseconds. */
export function readKvWrite(wish: KvWish, now: number): KvWrite | KvFault {
  const key = parseKvKey(wish.key)
  if (!isKvKey(key)) return { field: 'key', detail: key.detail }
  if (wish.value.length > LARGEST_VALUE) {
    const detail = `A value may have ${LARGEST_VALUE} octets; this one has ${wish.value.length}.`
    return { field: 'value', detail }
  }
  const metadata = wish.metadata == null ? null : JSON.stringify(wish.metadata)
  const octets = metadata === null ? 0 : Buffer.byteLength(metadata)
  if (octets > LARGEST_METADATA) {
    const detail = `Metadata may have ${LARGEST_METADATA} octets as JSON; these have ${octets}.`
    return { field: 'metadata', detail }
  }
  const expiresAt = readExpiry(wish, now)
  if (typeof expiresAt === 'object' && expiresAt !== null) return expiresAt
  return { key, value: wish.value, metadata, expiresAt }
}

export function isKvFault(read: KvWrite | KvFault): read is KvFault {
  return 'detail' in read
}

/** The time to live counts where both are said. */
function readExpiry({ expiration, expirationTtl }: KvWish, now: number): number | null | KvFault {
  const nowS = Math.floor(now / 1000)
  if (expirationTtl !== undefined) {
    if (isWhole(expirationTtl) && expirationTtl >= SHORTEST_LIFE_S && nowS + expirationTtl <= LATEST) {
      return (nowS + expirationTtl) * 1000
    }
    const detail = `The time to live must be a whole number of seconds, at least ${SHORTEST_LIFE_S}.`
    return { field: 'expiration_ttl', detail }
  }
  if (expiration === undefined) return null
  if (isWhole(expiration) && expiration >= nowS + SHORTEST_LIFE_S && expiration <= LATEST) {
    return expiration * 1000
  }
  const detail = `The expiration must be in seconds since 1970, at least ${SHORTEST_LIFE_S} ahead of now (${nowS}).`
  return { field: 'expiration', detail }
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value)
}
