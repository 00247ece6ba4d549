import type { Cause } from '#model/event.ts'
import type { AttemptReport } from '#outbound/outcome/outcome.ts'
import { connectSmtp, type SmtpConnection } from '#smtp/client.ts'
import { addressesOf, type Route, type RouteOptions } from './route.ts'

export type OpenHost =
  | { readonly ok: true; readonly connection: SmtpConnection; readonly host: string; readonly address: string }
  | { readonly ok: false; readonly report: AttemptReport; readonly cause: Cause }

export interface OpenHostOptions extends Pick<RouteOptions, 'resolver'> {
  readonly ehloName: string
  readonly signal: AbortSignal
}

/** RFC 5321 §5.1: tries the hosts in order, and of each host its addresses, until one answers with a greeting. More
 *  than this many addresses are a stranger's attempt to keep us busy. */
const MOST_ADDRESSES = 10

export async function openHost(route: Route, options: OpenHostOptions): Promise<OpenHost> {
  let report: AttemptReport = { reply: 'no MX host has a usable address' }
  let cause: Cause = 'dns'
  let tries = 0
  for (const mx of route.hosts) {
    for (const address of await addressesOf(mx, options.resolver)) {
      if (tries++ === MOST_ADDRESSES) return { ok: false, report, cause }
      const opened = await openAddress(mx.name, mx.port, address, options)
      if (opened.ok) return { ok: true, connection: opened, host: mx.name, address }
      report = { host: mx.name, address, reply: opened.detail }
      cause = 'host-unreachable'
    }
  }
  return { ok: false, report, cause }
}

/** Opportunistic TLS (RFC 3207, RFC 7435): encrypted where offered, unverified; where the handshake fails, in clear,
 *  since refusing would deliver in clear no safer. */
async function openAddress(host: string, port: number, address: string, { ehloName, signal }: OpenHostOptions) {
  const first = await connectSmtp({ host, port, address, ehloName, signal, tls: 'opportunistic' })
  if (first.ok || first.kind !== 'tls-failed') return first
  return connectSmtp({ host, port, address, ehloName, signal, tls: 'none' })
}
