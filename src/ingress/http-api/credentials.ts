import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Accounts, Authentication, Token } from '#registry/accounts/accounts.ts'
import { sessionSecretOf } from './session-cookie.ts'
import { sessionForgery } from './session-guard.ts'

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
function readCredentials(headers: IncomingHttpHeaders): Credentials {
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

/** What becomes of who asks. */
export type LetIn =
  | { readonly kind: 'valid'; readonly token: Token }
  /** What is wrong with it is nobody's to know. */
  | { readonly kind: 'not-valid' }
  /** Under a session, by a page that is not ours, as far as can be told. */
  | { readonly kind: 'forged'; readonly detail: string }
  | Extract<Credentials, { readonly kind: 'missing' | 'malformed' }>

/** By what the headers say, or else by the session whose cookie came with the request. Rejects when the store cannot be
 *  reached. */
export async function letIn(request: FastifyRequest, accounts: Accounts): Promise<LetIn> {
  const secret = sessionSecretOf(request)
  if (secret !== undefined) {
    const detail = sessionForgery(request, secret)
    if (detail !== undefined) return { kind: 'forged', detail }
    return known(await accounts.authenticateSession(secret))
  }
  const credentials = readCredentials(request.headers)
  switch (credentials.kind) {
    case 'missing':
    case 'malformed':
      return credentials
    case 'token':
      return known(await accounts.authenticate(credentials.secret, request.ip))
    case 'key':
      return known(await accounts.authenticateKey(credentials.email, credentials.key, request.ip))
  }
}

function known(found: Authentication): LetIn {
  return found.kind === 'valid' ? found : { kind: 'not-valid' }
}
