import type { FastifyRequest } from 'fastify'
import { SESSION_COOKIE_NAME } from '#model/session-cookie-name.ts'

/** The cookie of somebody who is signed in. Reached by HTTPS it has the prefix `__Host-`, so that no neighbour below the
 *  same domain can plant one (RFC 6265bis §4.1.3.2); on plain loopback browsers would not take that. */
export interface SessionCookie {
  /** Keeps the secret that a request bears for whoever asks `sessionSecretOf`. */
  read(request: FastifyRequest): void
  /** The header `set-cookie` of a session that begins. */
  set(secret: string): string
  readonly clear: string
}

const LIFE_SECONDS = 30 * 86_400
const SECRET = /^[\w-]{43}$/

const secrets = new WeakMap<FastifyRequest, string>()

export function sessionCookie(isSecure: boolean): SessionCookie {
  const name = SESSION_COOKIE_NAME[isSecure ? 'secure' : 'plain']
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  return {
    read(request) {
      const [secret, ...others] = new Set(valuesOf(request.headers.cookie, name))
      // A neighbour has planted one of them, to have who comes act in its name: which, nobody can tell.
      if (secret !== undefined && others.length === 0 && SECRET.test(secret)) secrets.set(request, secret)
    },
    set: (secret) => `${name}=${secret}; ${attributes}; Max-Age=${LIFE_SECONDS}`,
    clear: `${name}=; ${attributes}; Max-Age=0`,
  }
}

/** The secret of the session that the request bears, if the cookie has the form of one. Whatever says who asks in a
 *  header comes before it: clients that have a token mean the token. */
export function sessionSecretOf(request: FastifyRequest): string | undefined {
  const { authorization, 'x-auth-email': email, 'x-auth-key': key } = request.headers
  if (authorization !== undefined || email !== undefined || key !== undefined) return undefined
  return secrets.get(request)
}

function valuesOf(header: string | undefined, name: string): readonly string[] {
  return (header ?? '').split(';').flatMap((pair) => {
    const [key = '', ...value] = pair.split('=')
    return key.trim() === name ? [value.join('=').trim()] : []
  })
}
