// @peculiar/x509 finds its algorithms through reflect-metadata and throws without it.
import 'reflect-metadata'
import { KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

/** A certificate and the private key that belongs to it. */
export interface CertifiedKey {
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

interface Validity {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly validMs: number
}

// P-256: a handshake costs a thirtieth of RSA-2048's, and every client of the last ten years speaks it.
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
// Clocks of containers and virtual machines run a little behind.
const BACKDATED_MS = 60 * 60 * 1000
const NAME_CONSTRAINTS = '2.5.29.30'

/** A self-signed CA that may sign leaves alone (RFC 5280 §4.2.1.9: path length 0), within the given constraints. */
export async function issueAuthority(
  options: Validity & { readonly constraints: x509.Extension },
): Promise<CertifiedKey> {
  const { now, validMs, constraints } = options
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // The suffix keeps two of them apart in a trust store that lists CAs by name.
    name: `CN=Posthorn development CA ${randomBytes(3).toString('hex')}`,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + validMs),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      constraints,
    ],
  })
  return certifiedKey(certificate, keys.privateKey)
}

/** A server's certificate, signed by `authority`, never outliving it. */
export async function issueLeaf(
  authority: CertifiedKey,
  options: Validity & { readonly names: x509.Extension },
): Promise<CertifiedKey> {
  const { now, validMs, names } = options
  const issuer = new x509.X509Certificate(authority.certificate.raw)
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=Posthorn development',
    issuer: issuer.subject,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(Math.min(now + validMs, issuer.notAfter.getTime())),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.key.toCryptoKey(ALGORITHM, false, ['sign']),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      names,
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return certifiedKey(certificate, keys.privateKey)
}

/** The host names and addresses a leaf speaks for. */
export function subjectAlternativeNames(hosts: readonly string[]): x509.Extension {
  return new x509.SubjectAlternativeNameExtension(hosts.map((host) => generalName(host).toJSON()))
}

/** The only names a CA may sign for: domains with all below them, and single addresses. Critical, so that a client
 *  that does not know constraints refuses the CA (RFC 5280 §4.2.1.10). The library has no such extension; in DER:
 *  NameConstraints ::= SEQUENCE { permittedSubtrees [0] { SEQUENCE { dNSName [2] | iPAddress [7] } … } } */
export function nameConstraints(permitted: readonly string[]): x509.Extension {
  const subtrees = permitted.map((host) => {
    const name = Buffer.from(generalName(host).rawData)
    if (!isIP(host)) return der(0x30, name)
    // RFC 5280 §4.2.1.10: an address is followed by its mask. The tag and length octets come before it.
    const address = name.subarray(2)
    return der(0x30, der(0x87, Buffer.concat([address, Buffer.alloc(address.length, 0xff)])))
  })
  return new x509.Extension(NAME_CONSTRAINTS, true, der(0x30, der(0xa0, Buffer.concat(subtrees))))
}

/** Whether a certificate has exactly this extension. */
export function carries(certificate: X509Certificate, extension: x509.Extension): boolean {
  const found = new x509.X509Certificate(certificate.raw).getExtension(extension.type)
  return found !== null && Buffer.from(found.rawData).equals(Buffer.from(extension.rawData))
}

function generalName(host: string): x509.GeneralName {
  return new x509.GeneralName(isIP(host) ? 'ip' : 'dns', host)
}

function certifiedKey(certificate: x509.X509Certificate, key: CryptoKey): CertifiedKey {
  return { certificate: new X509Certificate(certificate.toString('pem')), key: KeyObject.from(key) }
}

/** One DER element of less than 64 KiB (X.690 §8.1.3). */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
