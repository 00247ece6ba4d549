import { LRUCache } from 'lru-cache'
import { networkOf } from '#net/network-of.ts'
import { questionEnd } from './dns-query.ts'

/** How many responses a second one network gets over UDP, whose addresses may be forged: an IPv4 /24, or an IPv6 /56. For
 *  some seconds it may be more at once. What is beyond goes unanswered, or with an answer that is no larger than its
 *  question. */
export interface ResponseLimits {
  /** The same answer to the same question. */
  readonly sameAnswer: number
  /** Names and types that do not exist, referrals, and what does not fit. */
  readonly absences: number
  readonly errors: number
  readonly all: number
  /** Of those beyond, every so many-th is sent empty and truncated: who really asked comes back over TCP. */
  readonly slip: number
}

export const RESPONSE_LIMITS: ResponseLimits = {
  ...{ sameAnswer: 20, absences: 100, errors: 20, all: 500, slip: 2 },
}

/** What becomes of a response. */
export type RateVerdict = 'send' | 'truncate' | 'drop'

export type ResponseRate = (client: string, response: Buffer) => RateVerdict

const BURST_SECONDS = 5
/** Networks and kinds of answers that are remembered. Who is hit by an attack is asked about again and again, and stays. */
const REMEMBERED = 20_000

interface Bucket {
  tokens: number
  at: number
  beyond: number
}

/** `now` in milliseconds, never stepping back. */
export function openResponseRate(limits: ResponseLimits, now: () => number): ResponseRate {
  const buckets = new LRUCache<string, Bucket>({ max: REMEMBERED })

  /** Takes one token; the bucket where there was none. */
  function take(key: string, perSecond: number): Bucket | undefined {
    const at = now()
    const most = perSecond * BURST_SECONDS
    const bucket = buckets.get(key) ?? { tokens: most, at, beyond: 0 }
    bucket.tokens = Math.min(most, bucket.tokens + ((at - bucket.at) / 1000) * perSecond)
    bucket.at = at
    buckets.set(key, bucket)
    if (bucket.tokens < 1) return bucket
    bucket.tokens -= 1
    return undefined
  }

  return (client, response) => {
    const network = prefixOf(client)
    const { kind, key } = kindOf(response)
    const empty = take(`${network} ${key}`, limits[kind]) ?? take(network, limits.all)
    if (!empty) return 'send'
    empty.beyond += 1
    return kind !== 'errors' && empty.beyond % limits.slip === 0 ? 'truncate' : 'drop'
  }
}

function prefixOf(address: string): string {
  if (!address.includes(':')) return address.slice(0, address.lastIndexOf('.'))
  const groups = networkOf(address).split(':')
  const last = Number.parseInt(groups[3] ?? '0', 16) >> 8
  return `${groups.slice(0, 3).join(':')}:${last.toString(16)}`
}

const NO_ERROR = 0
const NX_DOMAIN = 3

function kindOf(response: Buffer): {
  readonly kind: 'sameAnswer' | 'absences' | 'errors'
  readonly key: string
} {
  const rcode = response.readUInt8(3) & 0xf
  if (rcode !== NO_ERROR && rcode !== NX_DOMAIN) return { kind: 'errors', key: '!' }
  const hasAnswer = response.readUInt16BE(6) > 0
  if (!hasAnswer) return { kind: 'absences', key: '-' }
  // Lengths of labels are below every letter, so that they stay what they are.
  const question = response.toString('latin1', 12, questionEnd(response)).toLowerCase()
  return { kind: 'sameAnswer', key: `=${question}` }
}
