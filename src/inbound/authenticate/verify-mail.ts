import type { DKIMResult } from 'mailauth'
import { domainOf } from '#model/address.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { type HeaderBlock, unfold } from '#protocol/header-block.ts'
import { parseMailboxList } from '#protocol/mailbox-list.ts'
import type { ArrivedMail, Authentication, DkimVerdict, SpfVerdict } from './authentication.ts'
import { besideAuthor, checkSpf } from './check-spf.ts'
import { type DnsAnswer, type DnsQuestion, dnsFunction } from './dns-question.ts'
import { judgeArc, NO_ARC } from './judge-arc.ts'
import { judgeDmarc } from './judge-dmarc.ts'
import { openMessage } from './open-message.ts'
import { type VerifiedSignatures, verifySignatures } from './verify-signatures.ts'

export interface VerifyOptions {
  readonly ask: (question: DnsQuestion) => Promise<DnsAnswer>
  /** What was found at RCPT already. */
  readonly spf?: SpfVerdict | undefined
  readonly trustedSealers?: readonly string[] | undefined
}

/** SPF (RFC 7208), DKIM (RFC 6376, RFC 8301, RFC 8463), DMARC (RFC 9989) and ARC (RFC 8617) of one message, by the letter.
 *  Of a header that two readers might split in two ways, or that is larger than any honest one, nothing is believed: no
 *  signature, no chain, no author. */
export async function verifyMail(
  mail: ArrivedMail,
  { ask, spf, trustedSealers = [] }: VerifyOptions,
): Promise<Authentication> {
  const dns = dnsFunction(ask)
  await using message = await openMessage(mail.content)
  const { header } = message
  const [signed, sent] = await Promise.all([
    header && verifySignatures(message, { resolver: dns, strict: true, sender: mail.mailFrom }),
    spf ?? checkSpf(mail, dns),
  ])
  const dkim = signed ? signed.results.filter(({ signingDomain }) => signingDomain).map(dkimVerdict) : []
  const author = header && signed && isPlain(header, signed) ? signed : undefined
  const from = author && authorOf(author)
  const [dmarc, arc] = await Promise.all([
    judgeDmarc(author, { spf: sent, dkim }, dns),
    header && signed ? judgeArc(signed.arc, { fields: header.fields, from, trustedSealers }, dns) : NO_ARC,
  ])
  return { spf: besideAuthor(sent, from), dkim, from, dmarc, arc }
}

/** More mailboxes than any author has. */
const MOST_AUTHORS = 100

/** Whether another reader of the From field finds the same domains in it. What only one of them objects to, such as a
 *  local part with two dots together, is left to those that were found. */
function isPlain({ fields }: HeaderBlock, { headerFrom, fromFields }: VerifiedSignatures): boolean {
  const [field, ...others] = fields.filter(({ name }) => name.toLowerCase() === 'from')
  if (!field || others.length > 0 || fromFields !== 1 || headerFrom.length > MOST_AUTHORS) return false
  const value = Buffer.from(unfold(field.value), 'latin1').toString('utf8')
  const mailboxes = parseMailboxList(value, MOST_AUTHORS)
  if ('fault' in mailboxes) return mailboxes.fault !== 'unclosed' && mailboxes.fault !== 'trailing'
  const domains = new Set(mailboxes.map(({ address }) => domainOf(address)))
  return headerFrom.every((text) => {
    const address = parseAddress(text)
    return isAddress(address) && domains.has(domainOf(address))
  })
}

/** RFC 7489 §6.6.1: a message with several authors, or none, has none that could be proven. */
function authorOf({ fromFields, headerFrom }: VerifiedSignatures): string | undefined {
  const [author, ...others] = headerFrom
  if (fromFields !== 1 || author === undefined || others.length > 0) return undefined
  const address = parseAddress(author)
  return isAddress(address) ? domainOf(address) : undefined
}

const DKIM_RESULTS = ['pass', 'fail', 'policy', 'neutral', 'temperror', 'permerror', 'none'] as const

function dkimVerdict(signed: DKIMResult): DkimVerdict {
  const { signingDomain = '', selector = '', algo, signature, status } = signed
  const { canonBodyLengthLimit = 0, canonBodyLengthTotal = Infinity } = signed
  // RFC 6376 §3.5: l= must not be larger than the body. mailauth lets it pass.
  const isBeyond = status.result === 'pass' && canonBodyLengthLimit > canonBodyLengthTotal
  return {
    domain: signingDomain.toLowerCase(),
    selector,
    result: isBeyond ? 'neutral' : (DKIM_RESULTS.find((result) => result === status.result) ?? 'permerror'),
    aligned: typeof status.aligned === 'string',
    coversBody: (status.underSized ?? 0) === 0,
    algorithm: algo ?? '',
    signature: (signature ?? '').slice(0, 8),
  }
}
