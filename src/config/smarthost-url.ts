import { isIPv6 } from 'node:net'
import type { Smarthost } from '#model/smarthost.ts'

/** The operator's smarthost as POSTHORN_SMARTHOST has it. */
export interface SmarthostUrl {
  readonly host: string
  readonly port: number
  readonly tls: Smarthost['tls']
  readonly username?: string
  readonly password?: string
}

/** Names a URL of it in error messages, which never show the one that was given: it may hold a password. */
export const SMARTHOST_URL =
  'smtps://[user[:password]@]host[:port] (TLS from the first byte), smtp://… (STARTTLS, or no connection) or smtp+clear://… (a host in your own network); percent-encode what is special in user and password'

const SCHEMES: Readonly<Record<string, { readonly tls: Smarthost['tls']; readonly port: number }>> = {
  'smtps:': { tls: 'implicit', port: 465 },
  'smtp:': { tls: 'starttls', port: 587 },
  'smtp+clear:': { tls: 'none', port: 25 },
}
const HOST = /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/

/** Out: undefined for what is no such URL. */
export function parseSmarthostUrl(text: string): SmarthostUrl | undefined {
  const url = URL.parse(text)
  const scheme = url && SCHEMES[url.protocol]
  if (!url || !scheme) return undefined
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') return undefined
  const host = url.hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  if (!HOST.test(host) && !isIPv6(host)) return undefined
  const username = decode(url.username)
  const password = decode(url.password)
  if (username === undefined || password === undefined || (username === '' && password !== ''))
    return undefined
  const port = url.port === '' ? scheme.port : Number(url.port)
  if (port === 0) return undefined
  return {
    host,
    port,
    tls: scheme.tls,
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
  }
}

/** Undefined for what is no percent-encoded text, and for what no login can hold. */
function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text)
    return /\p{Cc}/u.test(decoded) ? undefined : decoded
  } catch {
    return undefined
  }
}
