import type { Cause } from '#model/event.ts'
import type { AttemptReport } from '#outbound/outcome/attempt-event.ts'
import { type ClientTls, connectSmtp } from '#smtp/client.ts'
import type { SmtpTimeouts } from '#smtp/client-timeouts.ts'
import type { SmtpConnection } from '#smtp/smtp-connection.ts'
import { addressesOf, type Route, type RouteOptions, tryingOrder } from './route.ts'

export type OpenHost =
  | {
      readonly ok: true
      readonly connection: SmtpConnection
      readonly host: string
      readonly address: string
    }
  | { readonly ok: false; readonly report: AttemptReport; readonly cause: Cause }

export interface OpenHostOptions extends Pick<RouteOptions, 'resolver'> {
  readonly ehloName: string
  readonly random: () => number
  readonly timeouts?: Partial<SmtpTimeouts>
  readonly signal: AbortSignal
}

/** Of all hosts together, and of one, so that a host with many dead addresses does not hide the next host. */
const MOST_ADDRESSES = 10
const MOST_ADDRESSES_OF_HOST = 4

/** RFC 5321 §5.1: tries the hosts in order, and of each host its addresses, until one answers with a greeting. */
export async function openHost(route: Route, options: OpenHostOptions): Promise<OpenHost> {
  let failure: OpenHost & { ok: false } = {
    ok: false,
    report: { reply: 'no MX host has a usable address' },
    cause: 'dns',
  }
  let tries = 0
  for (const mx of tryingOrder(route, options.random)) {
    const addresses = await addressesOf(mx, options.resolver)
    for (const address of addresses.slice(0, MOST_ADDRESSES_OF_HOST)) {
      if (options.signal.aborted || tries++ === MOST_ADDRESSES) return failure
      const opened = await openAddress(mx.name, mx.port, address, options)
      if (opened.ok) return { ok: true, connection: opened, host: mx.name, address }
      const report = { host: mx.name, address, reply: opened.detail }
      failure = { ok: false, report, cause: 'host-unreachable' }
    }
  }
  return failure
}

/** Opportunistic TLS (RFC 3207, RFC 7435): encrypted where offered, unverified; where the handshake fails, in clear,
 *  since refusing would deliver in clear no safer. */
async function openAddress(host: string, port: number, address: string, options: OpenHostOptions) {
  const { ehloName, signal, timeouts = {} } = options
  const connect = (tls: ClientTls) => connectSmtp({ host, port, address, ehloName, signal, timeouts, tls })
  const first = await connect('opportunistic')
  return first.ok || first.kind !== 'tls-failed' ? first : connect('none')
}
