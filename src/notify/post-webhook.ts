import type { IncomingMessage } from 'node:http'
import type { ConnectionOptions } from 'node:tls'
import { openGuardedRequest, type RequestFault } from '#net/guarded-request.ts'
import { addressScope } from '#net/private-address.ts'
import type { HostAddress, Lookup, Resolver } from '#net/resolver.ts'
import { isLocalhost, readWebhookUrl, type UrlRules } from './webhook-url.ts'

/** One POST to an address that a customer named. In: a URL, headers, a body. Out: what was answered, or why nothing was;
 *  it never rejects. Promise: what `net/guarded-request.ts` promises, with no more than an excerpt of the answer in
 *  memory. */
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
export type PostFault = RequestFault | 'refused'

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
const LONGEST_WAIT_MS = 24 * 3_600_000

export function openPostWebhook(options: PostWebhookOptions): PostWebhook {
  const { resolver, mayDial, ca, timeoutMs = TIMEOUT_MS } = options
  const guarded = openGuardedRequest({
    resolver: { addresses: async (host) => (isLocalhost(host) ? THIS_MACHINE : resolver.addresses(host)) },
    mayDial: (address, { isPlain }) => mayDial(address) && (!isPlain || addressScope(address) === 'loopback'),
    ca,
  })

  return async (url, { headers: given, body, signal }) => {
    const target = readWebhookUrl(url, options)
    if ('detail' in target) return failed('refused', target.detail)
    const headers = { ...FIXED_HEADERS, ...given, 'content-length': Buffer.byteLength(body) }
    const came = await guarded(target, { method: 'POST', headers, body, timeoutMs, signal }, readAnswer)
    switch (came.kind) {
      case 'answered':
        return came.answer
      case 'refused':
        // What is there is not told.
        return failed('refused', `${target.host} leads to an address that we do not connect to.`)
      case 'failed': {
        const isLate = came.reason === 'timeout'
        return failed(came.reason, isLate ? `Nothing was answered within ${timeoutMs} ms.` : came.detail)
      }
      case 'aborted':
        return came
    }
  }
}

async function readAnswer(response: IncomingMessage): Promise<Posted> {
  const wait = retryAfter(response.headers['retry-after'])
  return {
    kind: 'answered',
    status: response.statusCode ?? 0,
    excerpt: await readExcerpt(response),
    ...(wait !== undefined && { retryAfterMs: wait }),
  }
}

/** RFC 6761 §6.3: whatever DNS says. */
const THIS_MACHINE: Lookup<HostAddress> = {
  kind: 'found',
  records: [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ],
}

const FIXED_HEADERS = {
  'content-type': 'application/json',
  'user-agent': 'Posthorn-Webhooks',
  'accept-encoding': 'identity',
} as const

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
