import { toASCII } from 'tr46'

/** Why a text is no name that a record could stand at. `detail` is a sentence for the person who wrote it. */
export interface OwnerNameFault {
  readonly detail: string
}

// RFC 2181 §11 allows any octet; what people, panels and other servers take is letters, digits, hyphens, and the
// underscore of names that are no hosts (RFC 8552).
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const MAX_TEXT = 1000

/** A name in DNS as lower-case A-labels without the final dot: a host, `_dmarc.example.com`, or with `wildcard` also
 *  `*.example.com` (RFC 4592 §2.1.1: the star is a whole label, the leftmost). */
export function parseOwnerName(text: string, { wildcard = false } = {}): string | OwnerNameFault {
  const given = text.replace(/\.$/, '')
  if (given === '') return { detail: 'The name is empty; it must look like www.example.com.' }
  if (given.length > MAX_TEXT) return TOO_LONG
  const ascii = asciiOf(given)
  if (ascii === undefined)
    return { detail: 'The name holds characters that no internationalized domain name may have.' }
  if (ascii.length > 253) return TOO_LONG
  const labels = ascii.split('.')
  const star = labels[0] === '*'
  if (star && (!wildcard || labels.length === 1)) return { detail: 'The name may not be a wildcard here.' }
  for (const label of star ? labels.slice(1) : labels) {
    if (label === '')
      return { detail: 'The name has an empty label: two dots together, or one at its start.' }
    if (label.length > 63) return { detail: 'A label of the name may have 63 octets at most.' }
    if (!LABEL.test(label))
      return {
        detail:
          'The name may hold letters, digits, underscores, dots, and hyphens inside of labels; a wildcard is the whole leftmost label.',
      }
  }
  return ascii
}

const TOO_LONG: OwnerNameFault = { detail: 'The name may have 253 octets at most.' }

function asciiOf(text: string): string | undefined {
  if (/^[!-~]*$/.test(text)) return text.toLowerCase()
  const mapped = toASCII(text, {
    checkBidi: true,
    checkJoiners: true,
    useSTD3ASCIIRules: false,
    transitionalProcessing: false,
    checkHyphens: false,
    verifyDNSLength: false,
  })
  return mapped ?? undefined
}
