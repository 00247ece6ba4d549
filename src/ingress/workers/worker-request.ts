import type { IncomingMessage } from 'node:http'
import type { WorkerRequest } from '#workers/runtime/host-services.ts'
import { withoutSessions } from './session-cookies.ts'

/** Where a request wants to go. */
export interface Target {
  /** In lower case, without its port. */
  readonly host: string
  /** Without its query, and without the dots (`/a/../b`, `/a/%2e%2e/b`) in which a Worker would see another path than
   *  the one by which it was found. */
  readonly path: string
  /** Absolute, as a Worker is to see it, with the same path. */
  readonly url: string
}

const AUTHORITY = /^([a-z0-9_](?:[a-z0-9._-]*[a-z0-9_.])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** Undefined for a request without one clear target: who names two hosts is understood by none alike (RFC 9112 §3.2). */
export function targetOf({ url = '', headers, rawHeaders }: IncomingMessage): Target | undefined {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host')
  const authority = headers.host ?? ''
  const [, host] = AUTHORITY.exec(authority) ?? []
  if (hosts.length !== 1 || host === undefined || !url.startsWith('/')) return undefined
  const whole = URL.parse(`http://${authority}${url.replace(/#.*$/s, '')}`)
  if (!whole) return undefined
  return { host: host.toLowerCase().replace(/\.$/, ''), path: whole.pathname, url: whole.href }
}

/** What this door says about a request, and its client cannot. */
const OURS = /^(cf-.*|x-real-ip|x-forwarded-(for|proto|host))$/i

/** The request as its Worker gets it. `ray` names it, and `tooLarge` is told when its body has more than `limit`. */
export function workerRequest(
  request: IncomingMessage,
  {
    target,
    ray,
    limit,
    signal,
    tooLarge,
  }: {
    readonly target: Target
    readonly ray: string
    readonly limit: number
    readonly signal: AbortSignal
    readonly tooLarge: () => void
  },
): WorkerRequest {
  const { method = 'GET', rawHeaders, socket } = request
  const client = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  // RFC 9110 §7.6.1: what Connection names goes no further.
  const named = new Set((request.headers.connection ?? '').toLowerCase().split(/[\s,]+/))
  named.delete('transfer-encoding')
  named.delete('content-length')
  const headers: [string, string][] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const given = rawHeaders[at + 1] ?? ''
    const value = name.toLowerCase() === 'cookie' ? withoutSessions(given) : given
    if (value !== undefined && !OURS.test(name) && !named.has(name.toLowerCase())) headers.push([name, value])
  }
  headers.push(['cf-connecting-ip', client], ['cf-ray', ray], ['x-real-ip', client])
  headers.push(['x-forwarded-for', client], ['x-forwarded-proto', 'http'])
  return { method, url: target.url, headers, body: atMost(request, limit, tooLarge), signal }
}

async function* atMost(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  tooLarge: () => void,
): AsyncIterable<Uint8Array> {
  let octets = 0
  for await (const chunk of body) {
    octets += chunk.length
    if (octets > limit) {
      tooLarge()
      throw new Error('the body of a request is too large')
    }
    yield chunk
  }
}
