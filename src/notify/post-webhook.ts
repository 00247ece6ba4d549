import { once } from 'node:events'
import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
} from 'node:http'
import { Agent, request as tlsRequest } from 'node:https'
import { isIP, isIPv6, type LookupFunction } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { checkDnsId } from '#net/check-dns-id.ts'
import { addressScope } from '#net/private-address.ts'
import type { HostAddress, Resolver } from '#net/resolver.ts'
import { isLocalhost, readWebhookUrl, type UrlRules, type WebhookTarget } from './webhook-url.ts'

/** One POST to an address that a customer named. In: a URL, headers, a body. Out: what was answered, or why nothing was;
 *  it never rejects. Promise: it connects only where `mayDial` allows, and to exactly the address that was checked, so
 *  that DNS cannot lead it elsewhere between check and connect; it verifies the certificate, follows no redirect, uses
 *  no proxy, and is over within its time and with no more than an excerpt of the answer in memory. Each has a connection
 *  of its own, so that one check speaks for one request. */
export type PostWebhook = (url: string, request: WebhookRequest) => Promise<Posted>

export interface WebhookRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal?: AbortSignal
}

export type Posted =
  /** Whatever the status: a redirect is an answer like another. */
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly excerpt: string
      /** What `Retry-After` asks for, in ms. */
      readonly retryAfterMs?: number
    }
  | { readonly kind: 'failed'; readonly fault: PostFault; readonly detail: string }
  /** `signal` ended it: nothing is known. */
  | { readonly kind: 'aborted' }

/** `refused`: the URL leads where we do not go. */
export type PostFault = 'refused' | 'dns' | 'connect' | 'tls' | 'http' | 'timeout'

export interface PostWebhookOptions extends UrlRules {
  readonly resolver: Pick<Resolver, 'addresses'>
  /** Instead of the system's authorities. */
  readonly ca?: ConnectionOptions['ca']
  /** Of the whole: lookup, connection, status. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 15_000
/** For what comes after the status, which says all that counts. */
const EXCERPT_MS = 1000
const EXCERPT_OCTETS = 1024
/** A stranger may list as many as fit in an answer. */
const MOST_ADDRESSES = 6
/** For one address while there are others. */
const CONNECT_MS = 2500
const LONGEST_WAIT_MS = 24 * 3_600_000

export function openPostWebhook(options: PostWebhookOptions): PostWebhook {
  const { resolver, mayDial, ca, timeoutMs = TIMEOUT_MS } = options
  const inTurn = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: CONNECT_MS }
  // Sessions are not resumed: Node checks no name in a session that is.
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 0, ...inTurn })
  const plainAgent = new PlainAgent({ keepAlive: false, ...inTurn })

  async function findAddresses({ host, isPlain }: WebhookTarget): Promise<readonly HostAddress[] | Posted> {
    const answer = isIP(host)
      ? known(host)
      : isLocalhost(host)
        ? known('127.0.0.1', '::1')
        : await resolver.addresses(host)
    if (answer.kind === 'temporary-failure') return failed('dns', `${host}: ${answer.detail}`)
    if (answer.kind !== 'found') return failed('dns', `${host} has no address.`)
    const may = (address: string) => mayDial(address) && (!isPlain || addressScope(address) === 'loopback')
    // A name that leads to both sides of the wall is no better than one that leads inside. What is there is not told.
    if (!answer.records.every(({ address }) => may(address)))
      return failed('refused', `${host} leads to an address that we do not connect to.`)
    return answer.records.slice(0, MOST_ADDRESSES)
  }

  function start(
    target: WebhookTarget,
    addresses: readonly HostAddress[],
    { headers, body, signal }: WebhookRequest,
  ): ClientRequest {
    const { host, port, path, isPlain } = target
    const common = {
      ...{ method: 'POST', host, port, path, signal, lookup: pinnedTo(addresses) },
      headers: { ...FIXED_HEADERS, ...headers, 'content-length': Buffer.byteLength(body) },
    }
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

  /** Rejects with what went wrong; `progress` tells how far it had come. */
  async function exchange(request: ClientRequest, body: string, progress: Progress): Promise<Posted> {
    // Some may come when nobody waits any more.
    request.on('error', () => {})
    request.once('socket', (socket) => {
      socket.once('connect', () => (progress.stage = 'encrypted' in socket ? 'tls' : 'http'))
      socket.once('secureConnect', () => (progress.stage = 'http'))
    })
    try {
      request.end(body)
      const response = await responseTo(request)
      const wait = retryAfter(response.headers['retry-after'])
      return {
        kind: 'answered',
        status: response.statusCode ?? 0,
        excerpt: await readExcerpt(response),
        ...(wait !== undefined && { retryAfterMs: wait }),
      }
    } finally {
      request.destroy()
    }
  }

  return async (url, { headers, body, signal: given }) => {
    const target = readWebhookUrl(url, options)
    if ('detail' in target) return failed('refused', target.detail)
    const deadline = AbortSignal.timeout(timeoutMs)
    const signal = given ? AbortSignal.any([deadline, given]) : deadline
    const progress: Progress = { stage: 'connect' }
    try {
      const addresses = await unlessAborted(findAddresses(target), signal)
      if ('kind' in addresses) return addresses
      return await exchange(start(target, addresses, { headers, body, signal }), body, progress)
    } catch (error) {
      if (given?.aborted) return { kind: 'aborted' }
      if (deadline.aborted) return failed('timeout', `Nothing was answered within ${timeoutMs} ms.`)
      return failed(progress.stage, messageOf(error))
    }
  }
}

interface Progress {
  stage: 'connect' | 'tls' | 'http'
}

const FIXED_HEADERS = {
  'content-type': 'application/json',
  'user-agent': 'Posthorn-Webhooks',
  'accept-encoding': 'identity',
} as const

function known(...addresses: string[]): { readonly kind: 'found'; readonly records: readonly HostAddress[] } {
  const records = addresses.map((address) => ({
    address,
    family: isIPv6(address) ? (6 as const) : (4 as const),
  }))
  return { kind: 'found', records }
}

/** What the socket asks in place of DNS: the answer that was checked. */
function pinnedTo(addresses: readonly HostAddress[]): LookupFunction {
  return (_host, _options, answer) => answer(null, [...addresses])
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = once(signal, 'abort').then(() => {
    throw new Error('aborted')
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

/** The beginning of the answer, as much of it as comes soon: text of a stranger, without what no log should hold. */
async function readExcerpt(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let octets = 0
  const timer = setTimeout(() => response.destroy(), EXCERPT_MS)
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      octets += chunk.length
      if (octets >= EXCERPT_OCTETS) break
    }
  } catch {
    // It broke off or took too long: the status was there.
  } finally {
    clearTimeout(timer)
  }
  const text = Buffer.concat(chunks).subarray(0, EXCERPT_OCTETS).toString('utf8')
  return text.replaceAll(/[^\P{Cc}\t\n]/gu, ' ').trim()
}

/** Seconds, or a date (RFC 9110 §10.2.3). */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) || ms <= 0 ? undefined : Math.min(ms, LONGEST_WAIT_MS)
}

function failed(fault: PostFault, detail: string): Posted {
  return { kind: 'failed', fault, detail }
}

/** One line. Where several addresses were tried in vain, the error that gathers theirs has no words of its own. */
function messageOf(error: unknown): string {
  const [first = error] = error instanceof AggregateError ? error.errors : []
  const message = first instanceof Error ? first.message : String(first)
  return (message.split('\n', 1)[0] ?? message).slice(0, 500)
}
