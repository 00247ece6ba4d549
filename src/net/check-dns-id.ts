import { checkServerIdentity, type PeerCertificate } from 'node:tls'

/** Whether a certificate names the host in its subjectAltName, for `checkServerIdentity` of `tls.connect`. Node's own
 *  check takes the common name where there is none, which RFC 9525 §2 and RFC 8461 §4.2 do not. */
export function checkDnsId(host: string, certificate: PeerCertificate): Error | undefined {
  const subject = { ...certificate.subject, CN: '' }
  return checkServerIdentity(host, { ...certificate, subject })
}
