import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { isIP, isIPv6, type LookupFunction } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { checkDnsId } from './check-dns-id.ts'
import { isPublicAddress } from './private-address.ts'
import type { HostAddress, Resolver } from './resolver.ts'

/** HTTPS to hosts that strangers name. In: a URL. Out: the answer, or why there is none; it never rejects.
 *  Promise: it connects to public addresses alone, and to exactly the address that was checked, so that DNS cannot
 *  lead it elsewhere between check and connect; it verifies the certificate, follows no redirect, uses no proxy, and
 *  is over within its time and with no more than its octets in memory. */
export type GuardedFetch = (url: string, request: FetchRequest) => Promise<Fetched>

export interface FetchRequest {
  /** Of the whole: lookup, connection, answer. */
  readonly timeoutMs: number
  /** A longer body is a failure. */
  readonly maxOctets: number
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export type Fetched =
  /** Whatever the status: a redirect is an answer like another. */
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly contentType: string | undefined
      readonly body: Buffer
    }
  /** The URL is none that we go to, or it leads into a network that is not public. */
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'failed'; readonly reason: FetchFault; readonly detail: string }

export type FetchFault = 'dns' | 'connect' | 'tls' | 'http' | 'too-large' | 'timeout' | 'aborted'

export interface GuardedFetchOptions {
  readonly resolver: Pick<Resolver, 'addresses'>
  /** Hosts of our own, which may lie in private address space. */
  readonly allow?: (host: string) => boolean
  /** Instead of the system's authorities. */
  readonly ca?: ConnectionOptions['ca']
}

/** A stranger may list as many as fit in an answer. */
const MOST_ADDRESSES = 6
/** For one address while there are others. */
const CONNECT_MS = 2500

export function openGuardedFetch({ resolver, allow, ca }: GuardedFetchOptions): GuardedFetch {
  // Sessions are not resumed: Node checks no name in a session that is.
  const agent = new Agent({
    keepAlive: false,
    maxCachedSessions: 0,
    // One address after the other.
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: CONNECT_MS,
  })

  async function findAddresses(host: string): Promise<Found | Fetched> {
    const answer = isIP(host) ? literal(host) : await resolver.addresses(host)
    if (answer.kind === 'temporary-failure') return failed('dns', `${host}: ${answer.detail}`)
    if (answer.kind !== 'found') return failed('dns', `${host} has no address`)
    // A name that leads to both sides of the wall is no better than one that leads inside.
    const inside = allow?.(host) ? undefined : answer.records.find(({ address }) => !isPublicAddress(address))
    if (inside) return refused(`${host} is at ${inside.address}, which is not public`)
    return { kind: 'found', addresses: answer.records.slice(0, MOST_ADDRESSES) }
  }

  /** Rejects with what went wrong; `progress` tells how far it had come. */
  async function exchange(
    target: Target,
    addresses: readonly HostAddress[],
    { headers, signal, maxOctets, progress }: Exchange,
  ): Promise<Fetched> {
    const request = httpsRequest({
      ...target,
      headers: { ...headers },
      agent,
      signal,
      lookup: pinnedTo(addresses),
      servername: isIP(target.host) ? '' : target.host,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      checkServerIdentity: checkDnsId,
      ...(ca !== undefined && { ca }),
    })
    // Some may come when nobody waits any more.
    request.on('error', () => {})
    request.once('socket', (socket) => {
      socket.once('connect', () => (progress.stage = 'tls'))
      socket.once('secureConnect', () => (progress.stage = 'http'))
    })
    try {
      request.end()
      const response = await responseTo(request)
      const body = await readBody(response, maxOctets)
      if (body === undefined) return failed('too-large', `more than ${maxOctets} octets`)
      return {
        kind: 'answered',
        status: response.statusCode ?? 0,
        contentType: response.headers['content-type'],
        body,
      }
    } finally {
      request.destroy()
    }
  }

  return async (url, { timeoutMs, maxOctets, headers = {}, signal: given }) => {
    const target = readTarget(url)
    if (target === undefined) return refused('not an https URL without credentials')
    const deadline = AbortSignal.timeout(timeoutMs)
    const signal = given ? AbortSignal.any([deadline, given]) : deadline
    const progress: Progress = { stage: 'connect' }
    try {
      const found = await unlessAborted(findAddresses(target.host), signal)
      if (found.kind !== 'found') return found
      return await exchange(target, found.addresses, { headers, signal, maxOctets, progress })
    } catch (error) {
      if (deadline.aborted) return failed('timeout', `not over within ${timeoutMs} ms`)
      if (signal.aborted) return failed('aborted', 'aborted')
      return failed(progress.stage, messageOf(error))
    }
  }
}

interface Found {
  readonly kind: 'found'
  readonly addresses: readonly HostAddress[]
}

interface Target {
  readonly host: string
  readonly port: number
  readonly path: string
}

interface Progress {
  stage: 'connect' | 'tls' | 'http'
}

interface Exchange extends Pick<FetchRequest, 'maxOctets'> {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** The URL as WHATWG reads it, which turns every spelling of an IPv4 address (`0x7f.1`, `2130706433`) into the one that
 *  is checked and dialled. */
function readTarget(text: string): Target | undefined {
  const url = URL.parse(text)
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '')
    return undefined
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  if (host === '') return undefined
  return { host, port: url.port === '' ? 443 : Number(url.port), path: `${url.pathname}${url.search}` }
}

function literal(address: string): { readonly kind: 'found'; readonly records: readonly HostAddress[] } {
  return { kind: 'found', records: [{ address, family: isIPv6(address) ? 6 : 4 }] }
}

/** What the socket asks in place of DNS: the answer that was checked. */
function pinnedTo(addresses: readonly HostAddress[]): LookupFunction {
  return (_host, _options, answer) => answer(null, [...addresses])
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = once(signal, 'abort').then(() => {
    throw new Error('Aborted')
  })
  return Promise.race([promise, aborted])
}

function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.once('error', reject)
    request.once('close', () => reject(new Error('The peer closed the connection without an answer')))
  })
}

/** Undefined once it is longer than `maxOctets`. */
async function readBody(response: AsyncIterable<Buffer>, maxOctets: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of response) {
    octets += chunk.length
    if (octets > maxOctets) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, octets)
}

function refused(detail: string): Fetched {
  return { kind: 'refused', detail }
}

function failed(reason: FetchFault, detail: string): Fetched {
  return { kind: 'failed', reason, detail }
}

/** One line. Where several addresses were tried in vain, the error that gathers theirs has no words of its own. */
function messageOf(error: unknown): string {
  const [first = error] = error instanceof AggregateError ? error.errors : []
  const message = first instanceof Error ? first.message : String(first)
  return message.split('\n', 1)[0] ?? message
}
