import { isIP } from 'node:net'
import type { HttpTarget } from '#net/guarded-request.ts'

/** Where a webhook may be. */
export interface UrlRules {
  /** Whether an address may be connected to: in production those of the public internet alone. */
  readonly mayDial: (address: string) => boolean
  /** Whether `http:` is taken, which leads to loopback alone; for development. */
  readonly plainHttp: boolean
}

const LONGEST = 2048

/** The URL as WHATWG reads it, which turns every spelling of an IPv4 address (`0x7f.1`, `2130706433`) into the one that is
 *  checked and dialled. Where a name leads is looked at when it is connected to, and each time anew. Out: what is wrong,
 *  in a sentence for the person who wrote it. */
export function readWebhookUrl(
  text: string,
  { mayDial, plainHttp }: UrlRules,
): HttpTarget | { readonly detail: string } {
  if (text.length > LONGEST) return { detail: `A URL may have ${LONGEST} characters.` }
  // WHATWG leaves out some of these where it finds them: the URL would be shown as one and called as another.
  const url = /[\p{C}\p{Z}]/u.test(text) ? null : URL.parse(text)
  if (!url) return { detail: 'This is no URL; one is https://example.com/hooks/mail.' }
  const isPlain = url.protocol === 'http:'
  if (url.protocol !== 'https:' && !(isPlain && plainHttp))
    return { detail: 'The URL must begin with https://.' }
  if (url.username !== '' || url.password !== '')
    return { detail: 'The URL must hold no user and no password; the signature says who calls.' }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  const usual = isPlain ? 80 : 443
  const port = url.port === '' ? usual : Number(url.port)
  if (host === '') return { detail: 'The URL names no host.' }
  // The others below 1024 belong to services that a customer has no business to make us talk to.
  if (port < 1024 && port !== usual) return { detail: `The port must be ${usual}, or from 1024 to 65535.` }
  const address = isIP(host) ? host : isLocalhost(host) ? '127.0.0.1' : undefined
  if (address !== undefined && !mayDial(address))
    return { detail: 'The host must be a public address, or a name that leads to one.' }
  return { isPlain, host, port, path: `${url.pathname}${url.search}` }
}

/** RFC 6761 §6.3: such names are this machine, whatever DNS says. */
export function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost')
}
