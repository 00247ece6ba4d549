import { decodeTag, encodeTag, type TagKey } from './keyed-tag.ts'

const PURPOSE = 'return-path'

/** The local part of a delivery's envelope sender: 47 characters of the 64 allowed (RFC 5321 §4.5.3.1.1). It survives
 *  hosts that fold case, and nobody without the key can make one that names a delivery. */
export function encodeReturnPath(deliveryId: string, key: TagKey): string {
  return encodeTag(PURPOSE, deliveryId, key)
}

/** The delivery that a local part names, whatever its case; undefined for anything not made with one of the keys.
 *  Compares in constant time. */
export function decodeReturnPath(localPart: string, keys: readonly TagKey[]): string | undefined {
  return decodeTag(PURPOSE, localPart, keys)
}
