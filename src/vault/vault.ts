import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

/** The vault: encryption at rest and derived keys, all under one master key. In: secrets, and the place each belongs
 *  to. Out: sealed text for the store. Promise: a sealed value opens only in its own place (table, row, account) and
 *  only as it was sealed; keys of different purposes tell nothing of each other. */
export interface Vault {
  /** AES-256-GCM under a nonce of its own. The text names format version and key, so that keys can be rotated. */
  seal(plaintext: string | Buffer, place: Place): string
  /** Throws SealBroken for a value that was changed, moved, or sealed under another master key. */
  open(sealed: string, place: Place): Buffer
  /** 32 bytes for one purpose, the same at every start. A new version is a new, unrelated key. */
  macKey(purpose: string, version?: number): Buffer
}

/** Where a sealed value lives: associated data, so that a value copied elsewhere does not open. */
export interface Place {
  readonly table: string
  readonly row: string
  /** Empty for the service's own. */
  readonly account: string
}

export class SealBroken extends Error {
  override readonly name = 'SealBroken'
}

const VERSION = 'v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16

export function openVault(masterKey: Buffer): Vault {
  if (masterKey.length !== 32) throw new RangeError('A master key has 32 bytes')
  const derive = (label: string) => Buffer.from(hkdfSync('sha256', masterKey, '', `posthorn ${label}`, 32))
  const sealing = derive('seal v1')
  const keyId = createHash('sha256').update(derive('key id')).digest('hex').slice(0, 8)

  return {
    seal(plaintext, place) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(associated(place))
      const sealed = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
      return `${VERSION}.${keyId}.${sealed.toString('base64url')}`
    },
    open(sealed, place) {
      const [version, id, text = '', ...rest] = sealed.split('.')
      const bytes = Buffer.from(text, 'base64url')
      // Decoding skips what is no base64; such a text was changed, even where its bytes were not.
      const whole = rest.length === 0 && bytes.toString('base64url') === text
      if (version !== VERSION || !whole || bytes.length < NONCE_BYTES + TAG_BYTES) {
        throw new SealBroken('Not a sealed value')
      }
      if (id !== keyId)
        throw new SealBroken(`The database was sealed under another master key (${id}); this one is ${keyId}`)
      const decipher = createDecipheriv('aes-256-gcm', sealing, bytes.subarray(0, NONCE_BYTES))
        .setAAD(associated(place))
        .setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
      } catch (cause) {
        throw new SealBroken(`A sealed value of ${place.table} does not open in its place`, { cause })
      }
    },
    macKey: (purpose, version = 1) => derive(`mac ${purpose} v${version}`),
  }
}

/** JSON keeps the parts apart whatever they contain. */
function associated({ table, row, account }: Place): Buffer {
  return Buffer.from(JSON.stringify([table, row, account]))
}
