import { createHmac, timingSafeEqual } from 'node:crypto'
import { decodeBase32, encodeBase32 } from './base32.ts'

/** A MAC key with the version that its tags carry, 0 to 255. */
export interface TagKey {
  readonly version: number
  readonly key: Uint8Array
}

const ID_BYTES = 16
const MAC_BYTES = 12
const TAG_BYTES = 1 + ID_BYTES + MAC_BYTES

/** A tag that names an id of 32 hex digits and cannot be forged: version, id and 96 bits of HMAC-SHA256 in 47
 *  characters of lower-case base32. `purpose` keeps a tag made for one use from passing in another. */
export function encodeTag(purpose: string, id: string, { version, key }: TagKey): string {
  const bytes = Buffer.alloc(TAG_BYTES)
  bytes[0] = version
  if (bytes.write(id, 1, ID_BYTES, 'hex') !== ID_BYTES || id.length !== ID_BYTES * 2) {
    throw new RangeError('A tag names an id of 32 hex digits')
  }
  mac(purpose, bytes, key).copy(bytes, 1 + ID_BYTES, 0, MAC_BYTES)
  return encodeBase32(bytes)
}

/** The id that a tag names, in lower-case hex; undefined unless one of the keys made it for this purpose. */
export function decodeTag(purpose: string, tag: string, keys: readonly TagKey[]): string | undefined {
  // The length first, so that a stranger's text costs nothing.
  if (tag.length !== Math.ceil((TAG_BYTES * 8) / 5)) return undefined
  const bytes = decodeBase32(tag)
  const key = bytes && keys.find((candidate) => candidate.version === bytes[0])
  if (!bytes || !key) return undefined
  const expected = mac(purpose, bytes, key.key).subarray(0, MAC_BYTES)
  if (!timingSafeEqual(expected, bytes.subarray(1 + ID_BYTES))) return undefined
  return bytes.toString('hex', 1, 1 + ID_BYTES)
}

function mac(purpose: string, bytes: Buffer, key: Uint8Array): Buffer {
  return createHmac('sha256', key)
    .update(`${purpose}\0`)
    .update(bytes.subarray(0, 1 + ID_BYTES))
    .digest()
}
