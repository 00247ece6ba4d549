import type { Address } from '#model/address.ts'
import type { SigningIdentity } from '#model/draft.ts'
import { type ArcChain, sealArc } from '#protocol/arc-seal.ts'
import { coverArc, coverForward, splitFields } from '#protocol/dkim-header.ts'
import { signCovered } from '#protocol/dkim-sign.ts'
import { foldAddresses, foldField } from '#protocol/fold.ts'
import { LOOP_FIELD } from './loop-mark.ts'

/** What a forward gets put before it. In: the header of a message that came in, the hash of its body, and what is known
 *  about it. Out: fields of ours alone; the message itself stays octet for octet, so that the signatures that it came with
 *  hold. The body is hashed by the caller, once for all recipients (`hashBody`, `hashBodyOf`); RSA runs on the thread
 *  pool, the two DKIM signatures beside the ARC set. */
export interface ForwardedMessage {
  /** The header as it goes on, one that `parseHeaderBlock` reads, with or without the blank line that ends it. CRLF line
   *  ends. */
  readonly header: Buffer
  readonly bodyHash: string
}

export interface ForwardFacts {
  /** The whole value of our Received field, unfolded. Beyond ASCII only where the forward travels with SMTPUTF8. */
  readonly received: string
  /** Whom the message was for, and where it goes. */
  readonly recipient: Address
  readonly destination: Address
  /** Of the recipient. */
  readonly loopMark: string
  /** The value of our Authentication-Results field, as `formatAuthenticationResults` writes it. */
  readonly authenticationResults: string
  /** The chain that it came with; absent where sealing is switched off. */
  readonly arc?: ArcChain | undefined
  /** The service's forwarding domain, which seals too, and the customer's domain, where it has a key of its own. */
  readonly identities: readonly [service: SigningIdentity, customer?: SigningIdentity]
  readonly at: Date
}

/** The octets to put before the header; each line ends in CRLF. Throws for a key that is not RSA, and for results that
 *  would not stay one field. */
export async function sealForward(
  { header, bodyHash }: ForwardedMessage,
  facts: ForwardFacts,
): Promise<Buffer> {
  const { identities, arc, at } = facts
  const authenticationResults = checkedResults(facts.authenticationResults)
  const fields = splitFields(header.toString('latin1'))
  const covered = coverForward(fields)
  const [service] = identities
  const signing = identities.filter((identity) => identity !== undefined)
  const [set, ...signatures] = await Promise.all([
    arc &&
      sealArc(fields, {
        ...{ chain: arc, authenticationResults, covered: coverArc(fields) },
        ...{ bodyHash, identity: service, at },
      }),
    ...signing.map((identity) => signCovered(covered, { bodyHash, identity, at })),
  ])
  // From the bottom up: that it came in, what was found out (RFC 8601 §4: above the Received field of the same host), the
  // set that seals it, and signatures that cover none of these.
  const prefix = [
    ...signatures,
    set ?? '',
    `Authentication-Results: ${authenticationResults}\r\n`,
    traceFields(facts),
  ]
  return Buffer.from(prefix.join(''), 'utf8')
}

/** X-Forwarded-For as Gmail writes it: from whom to whom. Encoded where it is not ASCII (RFC 2047 §5), since an address
 *  at which a message was received must not decide what the next host has to offer. */
function traceFields({ recipient, destination, loopMark, received }: ForwardFacts): string {
  return (
    foldField('X-Forwarded-To', destination) +
    foldField('X-Forwarded-For', `${recipient} ${destination}`) +
    foldField(LOOP_FIELD, loopMark) +
    foldAddresses('Received', received)
  )
}

function checkedResults(value: string): string {
  if (/^[!-~](?:[ -~]|\r\n[ \t]+(?=[!-~]))*$/.test(value)) return value
  throw new Error('Authentication-Results that are not one folded field of ASCII')
}
