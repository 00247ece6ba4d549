import type { MethodResult } from '#protocol/authentication-results.ts'
import type { ArcVerdict, Authentication, DkimVerdict, DmarcVerdict, SpfVerdict } from './authentication.ts'

/** What an Authentication-Results field says of a message, by the registry of RFC 8601 §2.7 (`b`: RFC 6008; `arc`: RFC
 *  8617 §10.2; `policy.dmarc`: RFC 9989). Of MAIL FROM the domain alone, which is what was asked (RFC 8601 §2.7.2). */
export function methodResults(
  { spf, dkim, dmarc, arc, from }: Authentication,
  { remoteAddress }: { readonly remoteAddress: string },
): MethodResult[] {
  return [
    spfResult(spf),
    ...(dkim.length > 0 ? dkim.map(dkimResult) : [NOT_SIGNED]),
    dmarcResult(dmarc, from),
    arcResult(arc, remoteAddress),
  ]
}

const NOT_SIGNED: MethodResult = { method: 'dkim', result: 'none', properties: [] }

function spfResult({ result, domain, identity }: SpfVerdict): MethodResult {
  return { method: 'spf', result, properties: [[`smtp.${identity}`, domain || undefined]] }
}

/** RFC 8601 §2.7.1: `policy` is for a signature that is right and yet not accepted. */
function dkimResult({
  domain,
  selector,
  result,
  coversBody,
  algorithm,
  signature,
}: DkimVerdict): MethodResult {
  const isOpen = result === 'pass' && !coversBody
  return {
    method: 'dkim',
    result: isOpen ? 'policy' : result,
    ...(isOpen && { comment: 'the end of the body is not signed' }),
    properties: [
      ['header.d', domain],
      ['header.s', selector || undefined],
      ['header.a', algorithm || undefined],
      ['header.b', signature || undefined],
    ],
  }
}

function dmarcResult({ result, policy }: DmarcVerdict, from: string | undefined): MethodResult {
  const isAsked = result === 'pass' || result === 'fail'
  return {
    method: 'dmarc',
    result,
    ...(isAsked && { comment: `policy=${policy}` }),
    properties: [
      ['header.from', from],
      ['policy.dmarc', isAsked ? policy : undefined],
    ],
  }
}

function arcResult({ result, instances }: ArcVerdict, remoteAddress: string): MethodResult {
  return {
    method: 'arc',
    result,
    ...(result !== 'none' && { comment: `i=${instances}` }),
    properties: [['smtp.remote-ip', remoteAddress]],
  }
}
