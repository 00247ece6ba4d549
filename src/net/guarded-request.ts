import { once } from 'node:events'
import {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  Agent as PlainAgent,
  request as plainRequest,
} from 'node:http'
import { Agent, request as tlsRequest } from 'node:https'
import { isIP, isIPv6, type LookupFunction } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { checkDnsId } from './check-dns-id.ts'
import type { HostAddress, Resolver } from './resolver.ts'

/** One HTTP request to a host that strangers name. In: where to, what to say, and who reads the answer. Out: what that
 *  made of it, or why there is no answer; it never rejects. Promise: it connects only where `mayDial` allows, and to
 *  exactly the address that was checked, so that DNS cannot lead it elsewhere between check and connect; it verifies the
 *  certificate, follows no redirect, uses no proxy, and is over within its time. Each has a connection of its own, so that
 *  one check speaks for one request. */
export type GuardedRequest = <T>(
  target: HttpTarget,
  said: HttpRequest,
  /** May give up at any point; its answer is what counts. */
  read: (response: IncomingMessage) => T | Promise<T>,
) => Promise<Requested<T>>

/** A URL taken apart. `host` is a name or an address without brackets. */
export interface HttpTarget {
  readonly host: string
  readonly port: number
  readonly path: string
  /** `http:`. */
  readonly isPlain: boolean
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<OutgoingHttpHeaders>
  readonly body?: string
  /** Of the whole: lookup, connection, answer. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export type Requested<T> =
  /** Whatever the status: a redirect is an answer like another. */
  | { readonly kind: 'answered'; readonly answer: T }
  /** It leads to an address that may not be dialled. */
  | { readonly kind: 'refused'; readonly address: string }
  | { readonly kind: 'failed'; readonly reason: RequestFault; readonly detail: string }
  /** `signal` ended it: nothing is known. */
  | { readonly kind: 'aborted' }

/** The step at which it came to nothing; `timeout`: its time was over, wherever it was. */
export type RequestFault = 'dns' | 'connect' | 'tls' | 'http' | 'timeout'

export interface GuardedRequestOptions {
  readonly resolver: Pick<Resolver, 'addresses'>
  /** A name that leads to both sides of the wall is no better than one that leads inside: all must be allowed. */
  readonly mayDial: (address: string, target: HttpTarget) => boolean
  /** Instead of the system's authorities. */
  readonly ca?: ConnectionOptions['ca'] | undefined
}

/** A stranger may list as many as fit in an answer. */
const MOST_ADDRESSES = 6
/** For one address while there are others. */
const CONNECT_MS = 2500
/** Answers before the answer (RFC 9110 §15.2), of which a peer could send any number. */
const MOST_INTERIM = 10

export function openGuardedRequest({ resolver, mayDial, ca }: GuardedRequestOptions): GuardedRequest {
  // One address after the other.
  const inTurn = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: CONNECT_MS }
  // Sessions are not resumed: Node checks no name in a session that is.
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 0, ...inTurn })
  const plainAgent = new PlainAgent({ keepAlive: false, ...inTurn })

  async function findAddresses(target: HttpTarget): Promise<Found | Missed> {
    const { host } = target
    const answer = isIP(host) ? literally(host) : await resolver.addresses(host)
    if (answer.kind === 'temporary-failure') return failed('dns', `${host}: ${answer.detail}`)
    if (answer.kind !== 'found') return failed('dns', `${host} has no address`)
    const inside = answer.records.find(({ address }) => !mayDial(address, target))
    if (inside) return { kind: 'refused', address: inside.address }
    return { kind: 'found', addresses: answer.records.slice(0, MOST_ADDRESSES) }
  }

  function start(
    { host, port, path, isPlain }: HttpTarget,
    { method, headers }: HttpRequest,
    { addresses, signal }: { readonly addresses: readonly HostAddress[]; readonly signal: AbortSignal },
  ): ClientRequest {
    const common = { host, port, path, method, headers, signal, lookup: pinnedTo(addresses) }
    if (isPlain) return plainRequest({ ...common, agent: plainAgent })
    return tlsRequest({
      ...common,
      agent,
      servername: isIP(host) ? '' : host,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      checkServerIdentity: checkDnsId,
      ...(ca !== undefined && { ca }),
    })
  }

  return async (target, said, read) => {
    const deadline = AbortSignal.timeout(said.timeoutMs)
    const signal = said.signal ? AbortSignal.any([deadline, said.signal]) : deadline
    const progress: Progress = { stage: 'connect' }
    try {
      const found = await unlessAborted(findAddresses(target), signal)
      if (found.kind !== 'found') return found
      const request = start(target, said, { addresses: found.addresses, signal })
      const answer = await exchange(request, { body: said.body, read, progress })
      return { kind: 'answered', answer }
    } catch (error) {
      if (said.signal?.aborted) return { kind: 'aborted' }
      if (deadline.aborted) return failed('timeout', `not over within ${said.timeoutMs} ms`)
      return failed(progress.stage, messageOf(error))
    }
  }
}

interface Found {
  readonly kind: 'found'
  readonly addresses: readonly HostAddress[]
}

type Missed = Exclude<Requested<never>, { readonly kind: 'answered' | 'aborted' }>

/** How far it had come. */
interface Progress {
  stage: 'connect' | 'tls' | 'http'
}

/** Rejects with what went wrong. */
async function exchange<T>(
  request: ClientRequest,
  {
    body,
    read,
    progress,
  }: {
    readonly body: string | undefined
    readonly read: (response: IncomingMessage) => T | Promise<T>
    readonly progress: Progress
  },
): Promise<T> {
  // Some may come when nobody waits any more.
  request.on('error', () => {})
  request.once('socket', (socket) => {
    socket.once('connect', () => (progress.stage = 'encrypted' in socket ? 'tls' : 'http'))
    socket.once('secureConnect', () => (progress.stage = 'http'))
  })
  try {
    request.end(body)
    return await read(await responseTo(request))
  } finally {
    request.destroy()
  }
}

function literally(address: string): { readonly kind: 'found'; readonly records: readonly HostAddress[] } {
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
    let interim = 0
    request.on('information', () => {
      interim += 1
      if (interim > MOST_INTERIM) reject(new Error('The peer sends interim answers and no other'))
    })
  })
}

function failed(reason: RequestFault, detail: string): Extract<Missed, { readonly kind: 'failed' }> {
  return { kind: 'failed', reason, detail }
}

const LONGEST_MESSAGE = 500

/** One line. Where several addresses were tried in vain, the error that gathers theirs has no words of its own. */
function messageOf(error: unknown): string {
  const [first = error] = error instanceof AggregateError ? error.errors : []
  const message = first instanceof Error ? first.message : String(first)
  return (message.split('\n', 1)[0] ?? message).slice(0, LONGEST_MESSAGE)
}
