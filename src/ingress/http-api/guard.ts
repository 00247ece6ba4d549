import type { IncomingMessage } from 'node:http'

export type Unwelcome = { readonly reason: 'misdirected' | 'foreignOrigin'; readonly detail: string }

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** What the guard looks at. */
export type Asked = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>

/** Turns away what a page in somebody's browser could send here. A Host that is neither loopback nor configured is DNS
 *  rebinding, which would read magic links from the inbox; an unsafe method with a foreign Origin or Sec-Fetch-Site is
 *  a cross-site request. There is no CORS. */
export function guard(request: Asked, allowedHosts: readonly string[]): Unwelcome | undefined {
  const { method = '', url = '', headers } = request
  const host = hostName(headers.host)
  if (host === undefined || !(isLoopback(host) || allowedHosts.includes(host))) {
    const detail = `This server does not answer for Host ${JSON.stringify(headers.host ?? '')}. Add the name to POSTHORN_ALLOWED_HOSTS if it should.`
    return { reason: 'misdirected', detail }
  }
  // RFC 9112 §3.2: a target in absolute form outranks Host, and a second Host makes the request malformed.
  const hosts = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host')
  if (hosts.length > 1 || !(url.startsWith('/') || url === '*')) {
    return { reason: 'misdirected', detail: 'Send one Host header, and a path as the request target.' }
  }
  if (isSafe(method)) return undefined
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return {
      reason: 'foreignOrigin',
      detail: `Sec-Fetch-Site is ${JSON.stringify(site)}; only this server's own pages may send this.`,
    }
  }
  const origin = headers.origin
  if (origin !== undefined && !sameOrigin(origin, headers.host)) {
    return { reason: 'foreignOrigin', detail: `Origin ${JSON.stringify(origin)} is not this server.` }
  }
  return undefined
}

/** A method by which nothing is changed (RFC 9110 §9.2.1). */
export function isSafe(method: string): boolean {
  return SAFE.has(method)
}

function sameOrigin(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false
  return new URL(origin).host === host?.toLowerCase()
}

/** The host of `host[:port]`, lower-case, without the brackets of an IPv6 address. */
export function hostName(host: string | undefined): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^:\s/@]+)(?::\d{1,5})?$/i.exec(host ?? '')
  return match?.[1]?.replaceAll(/[[\]]/g, '').replace(/\.$/, '').toLowerCase()
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
