/** What the client has said so far in an AUTH exchange (RFC 4954 §4). */
export type AuthExchange =
  | { readonly mechanism: 'PLAIN' }
  | { readonly mechanism: 'LOGIN'; readonly username?: string }

export type AuthStep =
  | { readonly kind: 'challenge'; readonly text: string; readonly exchange: AuthExchange }
  | { readonly kind: 'credentials'; readonly username: string; readonly password: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'malformed' }

const MALFORMED: AuthStep = { kind: 'malformed' }
const USERNAME = Buffer.from('Username:').toString('base64')
const PASSWORD = Buffer.from('Password:').toString('base64')
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Begins the exchange of `AUTH <mechanism> [initial-response]`; undefined for a mechanism we do not have. */
export function beginAuth(argument: string): AuthStep | undefined {
  const [mechanism, initial, ...more] = argument.split(' ')
  const exchange = exchangeOf(mechanism?.toUpperCase())
  if (exchange === undefined) return undefined
  if (more.length > 0) return MALFORMED
  // RFC 4954 §4: "=" is an initial response of no bytes.
  if (initial !== undefined) return continueAuth(exchange, initial === '=' ? '' : initial)
  return { kind: 'challenge', text: exchange.mechanism === 'LOGIN' ? USERNAME : '', exchange }
}

function exchangeOf(mechanism: string | undefined): AuthExchange | undefined {
  return mechanism === 'PLAIN' || mechanism === 'LOGIN' ? { mechanism } : undefined
}

/** Takes the client's next line. */
export function continueAuth(exchange: AuthExchange, line: string): AuthStep {
  if (line === '*') return { kind: 'cancelled' }
  const response = decode(line)
  if (response === undefined) return MALFORMED
  if (exchange.mechanism === 'PLAIN') return plainCredentials(response)
  if (response.includes('\0')) return MALFORMED
  if (exchange.username !== undefined) {
    return { kind: 'credentials', username: exchange.username, password: response }
  }
  return { kind: 'challenge', text: PASSWORD, exchange: { mechanism: 'LOGIN', username: response } }
}

/** RFC 4616 §2: authzid NUL authcid NUL passwd. To act as somebody else than one authenticates as is not offered. */
function plainCredentials(response: string): AuthStep {
  const [authorize, username, password, ...more] = response.split('\0')
  if (authorize === undefined || username === undefined || password === undefined || more.length > 0)
    return MALFORMED
  if (authorize !== '' && authorize !== username) return MALFORMED
  return { kind: 'credentials', username, password }
}

function decode(line: string): string | undefined {
  if (!BASE64.test(line)) return undefined
  try {
    return utf8.decode(Buffer.from(line, 'base64'))
  } catch {
    return undefined
  }
}
