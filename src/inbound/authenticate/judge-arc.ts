import type { ARCChainEntry, ARCData, DKIMVerifyResult } from 'mailauth'
import { arc } from 'mailauth/lib/arc/index.js'
import { parseAuthenticationResults } from '#protocol/authentication-results.ts'
import type { HeaderField } from '#protocol/header-block.ts'
import type { ArcClaims, ArcVerdict } from './authentication.ts'
import type { DnsFunction } from './dns-question.ts'

export const NO_ARC: ArcVerdict = {
  result: 'none',
  instances: 0,
  closed: false,
  undecided: false,
  sealers: [],
}

export interface ArcContext {
  readonly fields: readonly HeaderField[]
  /** Domain of the present author. */
  readonly from: string | undefined
  /** In lower case. */
  readonly trustedSealers: readonly string[]
}

/** ARC (RFC 8617) of a message whose newest ARC-Message-Signature mailauth has verified on the way. */
export async function judgeArc(
  found: DKIMVerifyResult['arc'],
  context: ArcContext,
  dns: DnsFunction,
): Promise<ArcVerdict> {
  const { instances, closed } = readPosition(context.fields)
  if (!found || instances === 0) return NO_ARC
  const failed: ArcVerdict = { ...NO_ARC, result: 'fail', instances, closed }
  // A chain whose structure is wrong.
  if (!hasChain(found)) return failed
  const unanswered: string[] = []
  const { status } = await arc(found, { strict: true, resolver: noting(dns, unanswered) })
  // The newest signature's key was asked for with the signatures.
  const isUndecided =
    unanswered.length > 0 || found.lastEntry?.messageSignature?.status.result === 'temperror'
  if (status.result !== 'pass') return { ...failed, undecided: isUndecided }
  const sets = found.chain.toReversed().map((entry) => ({ sealer: sealerOf(entry), instance: entry.i }))
  const sealers = sets.map(({ sealer }) => sealer)
  return { ...failed, result: 'pass', sealers, ...trustOf(sets, context) }
}

function hasChain(found: NonNullable<DKIMVerifyResult['arc']>): found is typeof found & ARCData {
  return found.chain !== false && found.error === undefined
}

function noting(dns: DnsFunction, unanswered: string[]): DnsFunction {
  return async (name, type) => {
    try {
      return await dns(name, type)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ESERVFAIL') unanswered.push(name)
      throw error
    }
  }
}

function sealerOf(entry: ARCChainEntry): string {
  return String(entry['arc-seal']?.parsed?.d?.value ?? '').toLowerCase()
}

/** Where a new set would go. Read here because a chain that fails may not have been read to its end. */
function readPosition(fields: readonly HeaderField[]): Pick<ArcVerdict, 'instances' | 'closed'> {
  let instances = 0
  let closed = false
  for (const { name, value } of fields) {
    if (!/^arc-(?:seal|message-signature|authentication-results)$/i.test(name)) continue
    const instance = Number(/(?:^|;)\s*i\s*=\s*(\d{1,4})\s*(?:;|$)/.exec(value)?.[1] ?? 1)
    if (instance < instances) continue
    if (instance > instances) closed = false
    instances = instance
    if (/^arc-seal$/i.test(name) && /(?:^|;)\s*cv\s*=\s*fail\s*(?:;|$)/i.test(value)) closed = true
  }
  return { instances, closed }
}

/** `sets`: the newest first. */
function trustOf(
  sets: readonly { readonly sealer: string; readonly instance: number }[],
  { fields, from, trustedSealers }: ArcContext,
): Pick<ArcVerdict, 'oldest' | 'trustedPass'> {
  const trusted = trustedSealers.map((name) => name.toLowerCase())
  const stranger = sets.findIndex(({ sealer }) => !trusted.includes(sealer))
  const oldest = (stranger === -1 ? sets : sets.slice(0, stranger)).at(-1)
  const claims = oldest && readClaims(oldest, fields)
  if (!claims) return {}
  if (stranger !== -1) return { oldest: claims }
  const isSameAuthor = claims.from === undefined || claims.from === from
  return {
    oldest: claims,
    trustedPass: {
      spf: claims.spf === 'pass',
      dkim: claims.dkim === 'pass',
      dmarc: claims.dmarc === 'pass' && isSameAuthor,
    },
  }
}

function readClaims(
  { sealer, instance }: { readonly sealer: string; readonly instance: number },
  fields: readonly HeaderField[],
): ArcClaims | undefined {
  for (const { name, value } of fields) {
    if (name.toLowerCase() !== 'arc-authentication-results') continue
    // RFC 8617 §4.1.1: the instance comes first; comments there are allowed, and written by nobody.
    const start = /^\s*i\s*=\s*(\d{1,2})\s*;/.exec(value)
    if (!start || Number(start[1]) !== instance) continue
    const read = parseAuthenticationResults(value.slice(start[0].length))
    if (!read) return undefined
    const of = (method: string) => read.results.filter((result) => result.method === method)
    // Of several results none is more right than another: only all of one mind are a claim, but for signatures.
    const only = (method: string) => (of(method).length === 1 ? of(method)[0] : undefined)
    const dkim = of('dkim').map(({ result }) => result)
    const author = only('dmarc')?.properties.find(([property]) => property === 'header.from')?.[1]
    return {
      sealer,
      spf: only('spf')?.result,
      dkim: dkim.includes('pass') ? 'pass' : dkim[0],
      dmarc: only('dmarc')?.result,
      from: author?.toLowerCase().replace(/\.$/, ''),
    }
  }
  return undefined
}
