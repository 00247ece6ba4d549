import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Characters of a secret at most. */
export const LONGEST_SECRET = 512

/** A new API token: 40 characters of base64url, the form of the original's, from 240 bits of chance. */
export function newTokenSecret(): string {
  return randomBytes(30).toString('base64url')
}

/** What is stored of a secret, and what it is looked up by: SHA-256 in hex. A plain hash is enough: nobody guesses 240
 *  bits. Of what is longer than any secret, no more is hashed than makes it differ from all of them. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret.slice(0, LONGEST_SECRET + 1), 'hex')
}

// Of no secret that anybody knows.
const NO_HASH = '0'.repeat(64)

/** Compares hashes in constant time, also where nothing is stored. */
export function sameHash(stored: string | undefined, computed: string): boolean {
  const [a, b] = [Buffer.from(stored ?? NO_HASH), Buffer.from(computed)]
  const same = a.length === b.length && timingSafeEqual(a, b)
  return same && stored !== undefined
}
