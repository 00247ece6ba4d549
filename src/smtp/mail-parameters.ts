import type { BareLineEnds } from './data-reader.ts'
import type { SmtpParameters } from './handler.ts'
import { messageTooBig } from './message-too-big.ts'
import type { Reply } from './reply.ts'

/** What a server offers beside what it always has; the extensions are on unless switched off. */
export interface SmtpFeatures {
  readonly pipelining: boolean
  readonly eightBitMime: boolean
  readonly smtpUtf8: boolean
  /** REQUIRETLS (RFC 8689 §2), over TLS only; off unless switched on: it promises what the next hop has to keep. */
  readonly requireTls: boolean
  /** What becomes of a content with a bare CR or LF; 'refuse' unless told otherwise. Commands always want CRLF. Who
   *  accepts them must make them CRLF, or encode them, before the content goes on to anyone. */
  readonly bareLineEnds: BareLineEnds
}

export interface MailTerms {
  readonly features: SmtpFeatures
  readonly messageBytes: number
  /** Whether AUTH is offered, and with it the parameter of RFC 4954 §5. */
  readonly auth: boolean
  /** Whether the session is over TLS. */
  readonly secure: boolean
}

/** Checks the parameters of MAIL against what EHLO offered; undefined when all of them hold. */
export function mailParameterRefusal(parameters: SmtpParameters, terms: MailTerms): Reply | undefined {
  for (const [keyword, value] of parameters) {
    const refusal = parameterRefusal(keyword, value, terms)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function parameterRefusal(keyword: string, value: string | true, terms: MailTerms): Reply | undefined {
  if (keyword === 'SIZE') {
    // RFC 1870 §3: up to 20 digits.
    if (value === true || !/^\d{1,20}$/.test(value)) return malformed('SIZE')
    return Number(value) > terms.messageBytes ? messageTooBig(terms.messageBytes) : undefined
  }
  if (keyword === 'BODY' && terms.features.eightBitMime) {
    if (value === true) return malformed('BODY')
    // RFC 3030 §3: right, but an extension that is not here (RFC 5321 §4.1.1.11).
    if (/^BINARYMIME$/i.test(value)) return unsupported(`BODY=${value.toUpperCase()}`)
    return /^(?:7BIT|8BITMIME)$/i.test(value) ? undefined : malformed('BODY')
  }
  if (keyword === 'SMTPUTF8' && terms.features.smtpUtf8)
    return value === true ? undefined : malformed('SMTPUTF8')
  if (keyword === 'REQUIRETLS' && terms.features.requireTls && terms.secure)
    return value === true ? undefined : malformed('REQUIRETLS')
  if (keyword === 'AUTH' && terms.auth) return value === true ? malformed('AUTH') : undefined
  return unsupported(`Parameter ${keyword}`)
}

/** The octets that SIZE announces, of parameters that were checked. */
export function declaredSize(parameters: SmtpParameters): number | undefined {
  const value = parameters.get('SIZE')
  return value === undefined || value === true ? undefined : Number(value)
}

function unsupported(what: string): Reply {
  return { code: 555, enhanced: '5.5.4', text: `${what} is not supported` }
}

function malformed(keyword: string): Reply {
  return { code: 501, enhanced: '5.5.4', text: `Malformed parameter ${keyword}` }
}
