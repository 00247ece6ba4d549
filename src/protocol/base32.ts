// RFC 4648 §6, in lower case: a local part may meet hosts that fold case, and this alphabet survives that.
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** Base32 in lower case without padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((value >> (bits - 5)) & 31)
  }
  return bits === 0 ? text : text + ALPHABET.charAt((value << (5 - bits)) & 31)
}

/** The bytes of unpadded base32 in either case; undefined for anything else, also for left-over bits that are not
 *  zero (RFC 4648 §3.5), so that each value has exactly one spelling but for case. */
export function decodeBase32(text: string): Buffer | undefined {
  const bytes = Buffer.alloc(Math.floor((text.length * 5) / 8))
  let bits = 0
  let value = 0
  let at = 0
  // Lower-casing outside ASCII may turn foreign letters (U+212A) into ours.
  if (!/^[A-Za-z2-7]*$/.test(text)) return undefined
  for (const char of text.toLowerCase()) {
    value = ((value << 5) | ALPHABET.indexOf(char)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (value >> bits) & 0xff
  }
  return bits >= 5 || (value & ((1 << bits) - 1)) !== 0 ? undefined : bytes
}
