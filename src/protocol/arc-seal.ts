import type { SigningIdentity } from '#model/draft.ts'
import { type Covered, fieldName, foldNames, relaxField } from './dkim-header.ts'
import { signRsa } from './dkim-rsa.ts'

/** ARC as a sealer (RFC 8617 §5.1), rsa-sha256. In: the header as it is forwarded, its chain's verdict, and what was
 *  found out about the message. Out: one more ARC set, or undefined where there must be none. */

/** What validating the chain that the message came with said. */
export interface ArcChain {
  readonly result: 'none' | 'pass' | 'fail'
  /** The highest instance that the message bears, in a chain that fails too. */
  readonly instances: number
  /** The newest set says cv=fail already. */
  readonly closed: boolean
}

export interface ArcSealing {
  readonly chain: ArcChain
  /** The value of our Authentication-Results field, which begins with our authserv-id. Folded; printable ASCII. */
  readonly authenticationResults: string
  /** What the ARC-Message-Signature covers of the header, and the hash of the body. */
  readonly covered: Covered
  readonly bodyHash: string
  readonly identity: SigningIdentity
  readonly at: Date
}

/** RFC 8617 §4.2.1: positions go from 1 to 50. */
const MOST_INSTANCES = 50

/** The three fields of a set, folded, each with its final CRLF, the newest seal on top. `fields` are octet strings
 *  without their final CRLF, and may go on to have fields before them that no ARC set is about. Undefined: the chain was
 *  found broken before (§5.1.2 forbids a further set), has no place left, or is so malformed that no set could follow it.
 *  Throws for a key that is not RSA. */
export async function sealArc(fields: readonly string[], sealing: ArcSealing): Promise<string | undefined> {
  const { chain, authenticationResults, identity } = sealing
  const instance = chain.instances + 1
  if (chain.closed || instance > MOST_INSTANCES) return undefined
  // §5.2, step 3: i=1 says cv=none, and only that.
  if ((chain.result === 'none') !== (instance === 1)) return undefined
  const before = chain.result === 'pass' ? chainOctets(fields, chain.instances) : ''
  if (before === undefined) return undefined

  const results = `ARC-Authentication-Results: i=${instance}; ${authenticationResults}`
  const signature = await signMessage(sealing, instance)
  // §5.1.2: of a chain that fails, a seal covers its own set alone.
  const sealed = `${before}${relaxField(results)}\r\n${relaxField(signature)}\r\n`
  const seal = sealField(sealing, instance)
  const b = await signRsa(`${sealed}${relaxField(seal(''))}`, identity.key)
  return `${seal(b)}\r\n${signature}\r\n${results}\r\n`
}

/** §4.1.2: as a DKIM signature, with the instance in `i=` and no `v=`. Its `b=` has no white space, since the seal covers
 *  it as it stands: so the seal is the one that every signer gets who does not fold either. */
async function signMessage(
  { covered, bodyHash, identity, at }: ArcSealing,
  instance: number,
): Promise<string> {
  const field = (b: string) =>
    [
      'ARC-Message-Signature: a=rsa-sha256;',
      ` b=${b};`,
      ` bh=${bodyHash}; c=relaxed/relaxed;`,
      ` d=${identity.domain};`,
      foldNames(covered.names),
      ` i=${instance}; s=${identity.selector}; t=${seconds(at)}`,
    ].join('\r\n')
  return field(await signRsa(`${covered.octets}${relaxField(field(''))}`, identity.key))
}

/** §4.1.3. */
function sealField({ chain, identity, at }: ArcSealing, instance: number): (b: string) => string {
  return (b) =>
    [
      'ARC-Seal: a=rsa-sha256;',
      ` b=${foldSignature(b)};`,
      ` cv=${chain.result}; d=${identity.domain};`,
      ` i=${instance}; s=${identity.selector}; t=${seconds(at)}`,
    ].join('\r\n')
}

const SET = ['arc-authentication-results', 'arc-message-signature', 'arc-seal'] as const

/** The sets before ours in the order in which a seal covers them (§5.1.1); undefined where one is not whole. */
function chainOctets(fields: readonly string[], instances: number): string | undefined {
  const found = new Map<string, string>()
  for (const field of fields) {
    const name = fieldName(field)
    if (!SET.some((one) => one === name)) continue
    const key = `${name} ${instanceOf(name, field.slice(field.indexOf(':') + 1))}`
    if (found.has(key)) return undefined
    found.set(key, field)
  }
  let octets = ''
  for (let instance = 1; instance <= instances; instance++) {
    for (const name of SET) {
      const field = found.get(`${name} ${instance}`)
      if (field === undefined) return undefined
      octets += `${relaxField(field)}\r\n`
    }
  }
  return octets
}

/** §4.2.1. Of results it stands first, perhaps among comments; of the other two it is a tag. */
function instanceOf(name: string, value: string): number {
  const digits =
    name === 'arc-authentication-results'
      ? /^(?:\s|\([^()]*\))*i(?:\s|\([^()]*\))*=(?:\s|\([^()]*\))*(\d{1,2})(?:\s|\([^()]*\))*;/i.exec(value)
      : /(?:^|;)\s*i\s*=\s*(\d{1,2})\s*(?:;|$)/.exec(value)
  return Number(digits?.[1] ?? 0)
}

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}

/** White space in `b=` is ignored (RFC 6376 §3.5). */
function foldSignature(b: string): string {
  return [b.slice(0, 70), ...(b.slice(70).match(/.{1,72}/g) ?? [])].join('\r\n ')
}
