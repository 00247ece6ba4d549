import { type DKIMResult, dkimVerify, spf } from 'mailauth'
import { domainOf } from '#model/address.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import type { ArrivedMail, Authentication, DkimVerdict, SpfVerdict } from './authentication.ts'
import type { DnsAnswer, DnsQuestion } from './dns-question.ts'

/** More than any honest message has (RFC 6376 §8.4: a verifier may limit the signatures that it looks at). */
export const MOST_SIGNATURES = 10
const HEADER_LIMITS = { fields: 1000, bytes: 256 * 1024 }
/** Each signature may have the body canonicalised and hashed in a way of its own, which takes a tenth of a second a MiB:
 *  of a large message fewer are looked at. */
const MOST_HASHED = 100 * 1024 * 1024

/** SPF (RFC 7208) and DKIM (RFC 6376, RFC 8301, RFC 8463) of one message, by the letter. Of a header that two readers
 *  might split in two ways, or that is larger than any honest one, nothing is believed: no signature, no author. */
export async function verifyMail(
  mail: ArrivedMail,
  ask: (question: DnsQuestion) => Promise<DnsAnswer>,
): Promise<Authentication> {
  const resolver = async (name: string, type: string) => {
    const answer = await ask({ name, type })
    if ('code' in answer) throw Object.assign(new Error(`${answer.code} ${name}`), { code: answer.code })
    // mailauth takes what `node:dns` gives, of which its types know a part.
    return answer.records as string[][]
  }
  const content = withFewSignatures(mail.content)
  const [signed, sent] = await Promise.all([
    content && dkimVerify(content, { resolver, strict: true, sender: mail.mailFrom }),
    spf({
      resolver,
      strict: true,
      sender: mail.mailFrom,
      ip: mail.remoteAddress,
      ...(mail.helo !== undefined && { helo: mail.helo }),
      mta: 'localhost',
    }),
  ])
  const from = signed && authorOf(signed)
  return {
    spf: spfVerdict(sent, from),
    dkim: signed ? signed.results.filter(({ signingDomain }) => signingDomain).map(dkimVerdict) : [],
    from,
  }
}

/** Without the DKIM-Signature fields past the tenth, or past fewer; undefined for a header that cannot be read in one way only. */
function withFewSignatures(content: Buffer): Buffer | undefined {
  const header = parseHeaderBlock(content, HEADER_LIMITS)
  if ('fault' in header) return undefined
  const signatures = header.fields.filter(({ name }) => name.toLowerCase() === 'dkim-signature')
  const most = Math.min(MOST_SIGNATURES, Math.ceil(MOST_HASHED / content.length))
  const kept: Buffer[] = []
  let from = 0
  for (const { start, end } of signatures.slice(most)) {
    kept.push(content.subarray(from, start))
    from = end
  }
  return from === 0 ? content : Buffer.concat([...kept, content.subarray(from)])
}

/** RFC 7489 §6.6.1: a message with several authors, or none, has none that could be proven. */
function authorOf(signed: { readonly fromFields: number; readonly headerFrom: readonly string[] }) {
  const [author, ...others] = signed.headerFrom
  if (signed.fromFields !== 1 || author === undefined || others.length > 0) return undefined
  const address = parseAddress(author)
  return isAddress(address) ? domainOf(address) : undefined
}

const SPF_RESULTS = ['pass', 'fail', 'softfail', 'neutral', 'none', 'temperror', 'permerror'] as const
const DKIM_RESULTS = ['pass', 'fail', 'policy', 'neutral', 'temperror', 'permerror', 'none'] as const

function spfVerdict(
  { domain, status }: { readonly domain: string; readonly status: { readonly result: string } },
  from: string | undefined,
): SpfVerdict {
  return {
    result: SPF_RESULTS.find((result) => result === status.result) ?? 'permerror',
    domain,
    aligned: from !== undefined && isKin(domain.toLowerCase(), from),
  }
}

function isKin(one: string, other: string): boolean {
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`)
}

function dkimVerdict({ signingDomain = '', selector = '', status }: DKIMResult): DkimVerdict {
  return {
    domain: signingDomain.toLowerCase(),
    selector,
    result: DKIM_RESULTS.find((result) => result === status.result) ?? 'permerror',
    aligned: typeof status.aligned === 'string',
    coversBody: (status.underSized ?? 0) === 0,
  }
}
