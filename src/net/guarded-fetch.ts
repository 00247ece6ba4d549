import type { ConnectionOptions } from 'node:tls'
import { type HttpTarget, openGuardedRequest, type RequestFault } from './guarded-request.ts'
import { isPublicAddress } from './private-address.ts'
import type { Resolver } from './resolver.ts'

/** HTTPS to hosts that strangers name. In: a URL. Out: the answer, or why there is none; it never rejects.
 *  Promise: what `guarded-request.ts` promises, with public addresses alone and no more octets in memory than it may
 *  have. */
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
  | Answered
  /** The URL is none that we go to, or it leads into a network that is not public. */
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'failed'; readonly reason: FetchFault; readonly detail: string }

interface Answered {
  readonly kind: 'answered'
  readonly status: number
  readonly contentType: string | undefined
  readonly body: Buffer
}

export type FetchFault = RequestFault | 'too-large' | 'aborted'

export interface GuardedFetchOptions {
  readonly resolver: Pick<Resolver, 'addresses'>
  /** Hosts of our own, which may lie in private address space. */
  readonly allow?: (host: string) => boolean
  /** Instead of the system's authorities. */
  readonly ca?: ConnectionOptions['ca']
}

export function openGuardedFetch({ resolver, allow, ca }: GuardedFetchOptions): GuardedFetch {
  const guarded = openGuardedRequest({
    resolver,
    mayDial: (address, { host }) => isPublicAddress(address) || allow?.(host) === true,
    ca,
  })

  return async (url, { timeoutMs, maxOctets, headers = {}, signal }) => {
    const target = readTarget(url)
    if (target === undefined) return refused('not an https URL without credentials')
    const said = { method: 'GET', headers, timeoutMs, signal } as const
    const came = await guarded(target, said, async (response): Promise<Fetched> => {
      const body = await readBody(response, maxOctets)
      if (body === undefined) return failed('too-large', `more than ${maxOctets} octets`)
      const { statusCode: status = 0, headers } = response
      return { kind: 'answered', status, contentType: headers['content-type'], body }
    })
    switch (came.kind) {
      case 'answered':
        return came.answer
      case 'refused':
        return refused(`${target.host} is at ${came.address}, which is not public`)
      case 'failed':
        return came
      case 'aborted':
        return failed('aborted', 'aborted')
    }
  }
}

/** The URL as WHATWG reads it, which turns every spelling of an IPv4 address (`0x7f.1`, `2130706433`) into the one that
 *  is checked and dialled. */
function readTarget(text: string): HttpTarget | undefined {
  const url = URL.parse(text)
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '')
    return undefined
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  if (host === '') return undefined
  const port = url.port === '' ? 443 : Number(url.port)
  return { host, port, path: `${url.pathname}${url.search}`, isPlain: false }
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
