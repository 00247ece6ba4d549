import { toASCII } from 'tr46'

/** Why a text is no domain name that mail can go to. `detail` is a sentence for the person who wrote it. */
export interface DomainFault {
  readonly fault:
    | 'empty'
    | 'address-literal'
    | 'character'
    | 'empty-label'
    | 'hyphen'
    | 'not-idna'
    | 'label-too-long'
    | 'too-long'
    | 'single-label'
    | 'numeric'
  readonly detail: string
}

const DETAIL = {
  empty: 'The domain is missing; it must look like example.com.',
  'address-literal':
    'An IP address in brackets is not accepted as a domain; use a domain name such as example.com.',
  character: 'A domain may hold letters, digits, hyphens and dots only.',
  'empty-label':
    'The domain has an empty label: no dot may stand at its start or end, nor two dots together.',
  hyphen: 'A label of a domain may not start or end with a hyphen.',
  'not-idna': 'The domain holds characters that no internationalized domain name (IDNA, UTS #46) may have.',
  'label-too-long':
    'A label of a domain may have 63 octets at most, as A-label (xn--) where it is not ASCII.',
  'too-long': 'A domain may have 253 octets at most.',
  'single-label': 'The domain needs a top-level domain, as in example.com.',
  numeric: 'The domain reads as an IP address; use a domain name such as example.com.',
} as const satisfies Record<DomainFault['fault'], string>

// A U-label of one octet per character never shrinks to a legal name from beyond this, and mapping costs time.
const MAX_TEXT = 1000

// RFC 1035 §2.3.1 as relaxed by RFC 1123 §2.1: letters, digits, hyphens inside.
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/

/** A domain name as lower-case A-labels, of two labels or more and without a trailing dot. Everything tr46 maps is
 *  checked again afterwards: its result, not its input, is what DNS and headers will carry. */
export function parseDomainName(text: string): string | DomainFault {
  if (text === '') return fault('empty')
  if (text.length > MAX_TEXT) return fault('too-long')
  if (text.startsWith('[')) return fault('address-literal')
  // oxlint-disable-next-line no-control-regex -- controls are what it looks for
  if (/[\x00-\x20\x7f]/.test(text)) return fault('character')
  const ascii = toAsciiLabels(text)
  if (ascii === undefined) return fault('not-idna')
  const labels = ascii.split('.')
  for (const label of labels) {
    if (label === '') return fault('empty-label')
    if (label.length > 63) return fault('label-too-long')
    if (label.startsWith('-') || label.endsWith('-')) return fault('hyphen')
    if (!LABEL.test(label)) return fault('character')
  }
  if (ascii.length > 253) return fault('too-long')
  const top = labels.at(-1) ?? ''
  if (labels.length === 1) return fault('single-label')
  // WHATWG URL calls such hosts IPv4 addresses (`1.2.0x7f`), and RFC 3696 §2 forbids all-numeric TLDs.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(top)) return fault('numeric')
  return ascii
}

/** tr46 only where it has something to say: it rejects `r4---sn.example` and costs 20 times the plain path. */
function toAsciiLabels(text: string): string | undefined {
  if (/^[!-~]*$/.test(text) && !/(?:^|\.)xn--/i.test(text)) return text.toLowerCase()
  const mapped = toASCII(text, {
    checkBidi: true,
    checkJoiners: true,
    useSTD3ASCIIRules: true,
    transitionalProcessing: false,
    // Hyphens and lengths are checked above, where the fault can be named.
    checkHyphens: false,
    verifyDNSLength: false,
  })
  return mapped ?? undefined
}

function fault(kind: DomainFault['fault']): DomainFault {
  return { fault: kind, detail: DETAIL[kind] }
}
