import type { IncomingHttpHeaders } from 'node:http'
import type { Accounts, Authentication } from '#registry/accounts/accounts.ts'

/** Who says they ask: an API token, or a user by address and API key. Or what is wrong with the headers. */
export type Credentials =
  | { readonly kind: 'token'; readonly secret: string }
  | { readonly kind: 'key'; readonly email: string; readonly key: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed'; readonly header: keyof typeof MALFORMED }

/** The codes behind 6003 "Invalid request headers" (clients.md §3.6). */
export const MALFORMED = {
  Authorization: 6111,
  'X-Auth-Email': 6102,
  'X-Auth-Key': 6103,
} as const

const SECRET = /^[\x21-\x7e]{1,512}$/
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,255}$/

/** Of the two ways the token counts where both are there: it says more precisely who asks. */
export function readCredentials(headers: IncomingHttpHeaders): Credentials {
  const { authorization } = headers
  if (authorization !== undefined) {
    const secret = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(authorization)?.[1]
    return secret === undefined ? { kind: 'malformed', header: 'Authorization' } : { kind: 'token', secret }
  }
  const email = headers['x-auth-email']
  const key = headers['x-auth-key']
  if (email === undefined || key === undefined) return { kind: 'missing' }
  if (typeof email !== 'string' || !EMAIL.test(email)) return { kind: 'malformed', header: 'X-Auth-Email' }
  if (typeof key !== 'string' || !SECRET.test(key)) return { kind: 'malformed', header: 'X-Auth-Key' }
  return { kind: 'key', email, key }
}

/** Rejects when the store cannot be reached. */
export function checkCredentials(
  accounts: Accounts,
  given: Extract<Credentials, { readonly kind: 'token' | 'key' }>,
  address: string,
): Promise<Authentication> {
  return given.kind === 'token'
    ? accounts.authenticate(given.secret, address)
    : accounts.authenticateKey(given.email, given.key, address)
}
