/** A key of KV as it is stored and ordered: UTF-8, 1 to 512 octets. */
export type KvKey = Buffer & { readonly __brand: 'KvKey' }

const MOST_OCTETS = 512

/** The only way to obtain a KvKey from text. Out: what is wrong with it, in a sentence. */
export function parseKvKey(text: string): KvKey | { readonly detail: string } {
  if (text === '') return { detail: 'A key must not be empty.' }
  if (text === '.' || text === '..') return { detail: `A key must not be "${text}".` }
  if (!text.isWellFormed()) return { detail: 'A key must be well-formed Unicode.' }
  const key = Buffer.from(text, 'utf8')
  if (key.length > MOST_OCTETS) {
    return { detail: `A key may have ${MOST_OCTETS} octets as UTF-8; this one has ${key.length}.` }
  }
  return key as KvKey
}

export function isKvKey(key: KvKey | { readonly detail: string }): key is KvKey {
  return Buffer.isBuffer(key)
}

/** Keys from `low` on and below `high`, in the order of their octets. */
export interface KeyRange {
  readonly low: Buffer
  readonly high: Buffer
}

/** No octet of UTF-8 is as high. */
const BEYOND = Buffer.of(0xff)

/** The keys that begin with `prefix` and come behind the key `after`. */
export function keyRange(prefix: string, after?: Buffer): KeyRange {
  const low = Buffer.from(prefix, 'utf8')
  const high = successor(low)
  // The next octet string there is.
  const next = after && Buffer.concat([after, Buffer.of(0)])
  return { low: next && Buffer.compare(next, low) > 0 ? next : low, high }
}

/** The first octet string behind all that begin with `prefix`, which has no 0xff. */
function successor(prefix: Buffer): Buffer {
  const last = prefix.at(-1)
  if (last === undefined) return BEYOND
  const next = Buffer.from(prefix)
  next[next.length - 1] = last + 1
  return next
}

/** Where a page of a list begins: behind this key. It says nothing about whose keys they are, which is asked anew. */
export function encodeKeyCursor(key: Uint8Array): string {
  return Buffer.from(key).toString('base64url')
}

/** Undefined for what `encodeKeyCursor` cannot have made of a key. */
export function decodeKeyCursor(text: string): Buffer | undefined {
  if (!/^[\w-]{2,700}$/.test(text)) return undefined
  const key = Buffer.from(text, 'base64url')
  const isOurs = key.length <= MOST_OCTETS && key.toString('base64url') === text
  return isOurs ? key : undefined
}
