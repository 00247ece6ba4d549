import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** A new API token: 40 characters of base64url, the form of the original's, from 240 bits of chance. */
export function newTokenSecret(): string {
  return randomBytes(30).toString('base64url')
}

/** What is stored of a secret, and what it is looked up by. A plain hash is enough: nobody guesses 240 bits. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** Compares hashes in constant time. */
export function sameHash(stored: string, computed: string): boolean {
  const [a, b] = [Buffer.from(stored), Buffer.from(computed)]
  return a.length === b.length && timingSafeEqual(a, b)
}
