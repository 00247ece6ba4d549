import type { Cause } from '#model/event.ts'

/** What an enhanced status code means by its subject and detail (its class digit says only for how long), where the
 *  words beside it say no better. RFC 3463 and the IANA registry unless a line names another source. Codes that leave
 *  it open (x.0, and 7.1 which everybody uses for everything) are decided by the words. */
export const STATUS_CAUSES: Readonly<Record<string, Cause>> = {
  '1.1': 'recipient-unknown',
  '1.2': 'recipient-domain-unknown',
  '1.3': 'recipient-unknown', // bad syntax
  '1.4': 'recipient-refused', // ambiguous
  '1.6': 'recipient-moved',
  '1.7': 'sender-refused', // bad syntax of the sender's address
  '1.8': 'sender-refused', // the sender's domain does not exist
  '1.9': 'protocol',
  '1.10': 'recipient-domain-closed', // RFC 7505; Exchange Online's other use of it is in the table of providers
  '2.1': 'recipient-disabled',
  '2.2': 'recipient-full',
  '2.3': 'content-too-large',
  '2.4': 'recipient-refused', // a mailing list that cannot be expanded
  '3.1': 'system', // the system's disk, nobody's mailbox
  '3.2': 'system',
  '3.3': 'protocol',
  '3.4': 'content-too-large',
  '3.5': 'system',
  '4.1': 'host-unreachable',
  '4.2': 'connection-lost',
  '4.3': 'dns', // directory server failure
  '4.4': 'dns', // unable to route
  '4.5': 'system', // congestion
  '4.6': 'loop',
  '4.7': 'expired',
  '5.1': 'protocol',
  '5.2': 'protocol',
  '5.3': 'sender-rate-limited', // too many recipients
  '5.4': 'protocol',
  '5.5': 'protocol',
  '5.6': 'protocol',
  '6.0': 'content-malformed',
  '6.1': 'content-malformed',
  '6.2': 'content-malformed',
  '6.3': 'content-malformed',
  '6.4': 'content-malformed',
  '6.5': 'content-malformed',
  '6.6': 'content-malformed',
  '6.7': 'protocol', // RFC 6531: an address beyond ASCII, and no SMTPUTF8
  '6.8': 'protocol',
  '6.9': 'protocol',
  '7.2': 'sender-refused', // may not post to the list
  '7.3': 'policy',
  '7.4': 'policy',
  '7.5': 'policy',
  '7.6': 'policy',
  '7.7': 'content-malformed', // integrity
  '7.8': 'relay-denied', // credentials
  '7.9': 'policy', // authentication mechanism too weak; Yahoo: DMARC or policy
  '7.10': 'tls', // encryption needed
  '7.11': 'tls',
  '7.12': 'relay-denied',
  '7.13': 'recipient-disabled', // RFC 5248: user account disabled
  '7.14': 'relay-denied',
  '7.15': 'policy',
  '7.16': 'content-too-large', // RFC 6710: for its priority
  '7.17': 'recipient-moved', // RFC 7293: mailbox owner changed
  '7.18': 'recipient-moved', // RFC 7293: domain owner changed
  '7.19': 'policy',
  '7.20': 'sender-authentication', // RFC 7372
  '7.21': 'sender-authentication',
  '7.22': 'sender-authentication',
  '7.23': 'sender-authentication',
  '7.24': 'sender-authentication',
  '7.25': 'sender-dns',
  '7.26': 'sender-authentication',
  '7.27': 'sender-refused', // RFC 7505: the sender's domain takes no mail
  '7.28': 'sender-rate-limited', // RFC 8314: mail flood
  '7.29': 'sender-authentication', // RFC 8617
  '7.30': 'tls', // RFC 8689
  // Exchange Online, from Microsoft's list of non-delivery reports
  '1.20': 'content-malformed', // several From addresses
  '1.90': 'sender-rate-limited', // daily limit of recipients
  '1.351': 'recipient-refused', // the remote server's own words follow
  '2.121': 'recipient-rate-limited', // hourly limit of the recipient for one sender
  '2.122': 'recipient-rate-limited', // hourly limit of the recipient
  '3.190': 'policy',
  '4.14': 'loop',
  '4.300': 'expired',
  '4.310': 'recipient-domain-unknown',
  '4.311': 'dns',
  '4.312': 'dns',
  '4.315': 'connection-lost',
  '4.316': 'expired', // connection refused until it expired
  '4.317': 'tls',
  '6.11': 'content-malformed', // bare line feeds
  '7.57': 'relay-denied',
  '7.64': 'relay-denied',
  '7.124': 'sender-refused', // not in the group's list of allowed senders
  '7.133': 'sender-refused', // only authenticated senders may write to the group
  '7.134': 'sender-refused',
  '7.135': 'sender-refused',
  '7.136': 'sender-refused',
  '7.193': 'policy',
  '7.232': 'sender-rate-limited',
  '7.233': 'sender-rate-limited',
  '7.321': 'tls',
  '7.322': 'tls',
  '7.323': 'tls', // DANE
  '7.324': 'tls',
  '7.325': 'tls',
  '7.501': 'content-spam',
  '7.502': 'content-spam',
  '7.503': 'sender-blocked',
  '7.504': 'content-spam',
  '7.505': 'sender-blocked',
  '7.506': 'sender-dns', // HELO with the recipient's name
  '7.507': 'recipient-refused', // blocked by the recipient's rule
  '7.508': 'sender-rate-limited',
  '7.509': 'sender-authentication',
  '7.510': 'policy',
  '7.511': 'sender-blocked',
  '7.512': 'content-malformed',
  '7.513': 'policy',
  '7.515': 'sender-authentication',
  '7.703': 'policy',
  '7.705': 'sender-rate-limited',
  '7.708': 'sender-blocked',
  '7.750': 'sender-refused',
}

/** Exchange Online: access denied, banned sending IP; one code for each of its networks. */
export function isBannedAddress(detail: string): boolean {
  return /^7\.6\d\d$/.test(detail)
}
