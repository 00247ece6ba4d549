/** What the events of mail know as reasons of a failure, in the order of the address, the content, the sender, the way. */
export const CAUSES = [
  ...(['recipient-unknown', 'recipient-domain-unknown', 'recipient-domain-closed'] as const),
  ...(['recipient-moved', 'recipient-disabled', 'recipient-refused', 'recipient-full'] as const),
  ...(['recipient-rate-limited', 'content-too-large', 'content-spam', 'content-virus'] as const),
  ...(['content-malformed', 'sender-authentication', 'sender-dns', 'sender-blocked'] as const),
  ...(['sender-rate-limited', 'sender-refused', 'policy', 'relay-denied', 'smarthost'] as const),
  ...(['greylisted', 'host-unreachable', 'connection-lost', 'dns', 'tls', 'protocol'] as const),
  ...(['system', 'loop', 'expired', 'cancelled', 'suppressed', 'other'] as const),
] as const
