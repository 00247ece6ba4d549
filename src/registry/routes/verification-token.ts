import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a link in a verification mail says: that whoever has it reads the mail of this destination. */
export interface VerificationToken {
  readonly destinationId: string
  readonly verifyRound: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Links live as long (config-routing-rules-addresses.md leaves it open). */
export const VERIFICATION_LIFE_MS = 24 * 3_600_000

const ID_BYTES = 16
const ROUND_BYTES = 4
const TIME_BYTES = 6
const SAID_BYTES = ID_BYTES + ROUND_BYTES + TIME_BYTES
const MAC_BYTES = 16
const TEXT = /^[A-Za-z0-9_-]{56}$/

/** 56 characters for a URL. `key` is of this purpose alone (`vault.macKey`). */
export function encodeVerification(token: VerificationToken, key: Uint8Array): string {
  const said = Buffer.alloc(SAID_BYTES)
  if (said.write(token.destinationId, 0, ID_BYTES, 'hex') !== ID_BYTES) {
    throw new RangeError('a verification names an id of 32 hex digits')
  }
  said.writeUInt32BE(token.verifyRound, ID_BYTES)
  said.writeUIntBE(token.expiresAt, ID_BYTES + ROUND_BYTES, TIME_BYTES)
  return Buffer.concat([said, mac(said, key)]).toString('base64url')
}

/** Undefined for whatever was not made with the key. Says nothing of time: an expired one has a page of its own. */
export function decodeVerification(text: string, key: Uint8Array): VerificationToken | undefined {
  if (!TEXT.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  const said = bytes.subarray(0, SAID_BYTES)
  if (!timingSafeEqual(mac(said, key), bytes.subarray(SAID_BYTES))) return undefined
  return {
    destinationId: said.toString('hex', 0, ID_BYTES),
    verifyRound: said.readUInt32BE(ID_BYTES),
    expiresAt: said.readUIntBE(ID_BYTES + ROUND_BYTES, TIME_BYTES),
  }
}

function mac(said: Buffer, key: Uint8Array): Buffer {
  return createHmac('sha256', key)
    .update('destination-verification\0')
    .update(said)
    .digest()
    .subarray(0, MAC_BYTES)
}
