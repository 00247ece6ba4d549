/** Bounds of a server and of each of its sessions. */
export interface SmtpLimits {
  /** Octets of a message after dot-unstuffing; told in SIZE (RFC 1870). */
  readonly messageBytes: number
  readonly recipients: number
  /** Octets of a command line with its CRLF; MAIL and RCPT may have 2,048 at least, AUTH 12,288. */
  readonly commandLineBytes: number
  /** Octets of a line of the content with its CRLF. RFC 5321 §4.5.3.1.6 wants 1,000 received at least and no limit
   *  where none is needed. Where bare line ends are accepted they end no line here either. */
  readonly textLineBytes: number
  /** 5yz replies before the connection is closed; an accepted message starts the count anew. */
  readonly errors: number
  /** Commands other than MAIL, RCPT, DATA and QUIT since the last accepted MAIL. */
  readonly commandsBeforeMail: number
  /** AUTH attempts of a connection that may fail; the next one is answered 421 and not looked at. */
  readonly authFailures: number
  /** How long one command may take to arrive whole (RFC 5321 §4.5.3.2.7). */
  readonly idleMs: number
  /** How long the next line of an AUTH exchange may take to arrive whole. */
  readonly authMs: number
  /** How long a content may stand still. */
  readonly dataMs: number
  /** Time that a content has stood still comes back with what arrives, a second for so many octets. So a peer that is
   *  slower than this for good has `dataMs`, wherever in the content it begins to be. */
  readonly dataBytesPerSecond: number
  /** How long a connection may last. A content under way is taken, and no command after it. */
  readonly sessionMs: number
  /** How long the login may take from the greeting on, where mail wants one. The time in which the handler decides about
   *  credentials does not count. */
  readonly beforeAuthMs: number
  /** Connections at once. When there would be more, one gives way if it has been there for `giveWayMs`: where mail wants
   *  a login, the oldest one without; elsewhere the one whose next command has been waited for the longest. Else the
   *  new one is refused. */
  readonly connections: number
  readonly giveWayMs: number
  /** Connections at once from one IPv4 address or one IPv6 /64. */
  readonly connectionsPerAddress: number
  readonly messagesPerConnection: number
  /** How long a TLS handshake may take. */
  readonly handshakeMs: number
  /** TLS handshakes at once that are not done. When there would be more, the oldest one gives way if it is older than
   *  a second; else the new one is refused. */
  readonly handshakes: number
  /** The same, of one IPv4 address or one IPv6 /64. */
  readonly handshakesPerAddress: number
}

export const DEFAULT_LIMITS: SmtpLimits = {
  messageBytes: 25 * 1024 * 1024,
  recipients: 100,
  commandLineBytes: 512,
  textLineBytes: Infinity,
  errors: 20,
  commandsBeforeMail: 50,
  authFailures: 5,
  idleMs: 5 * 60_000,
  authMs: 30_000,
  dataMs: 5 * 60_000,
  dataBytesPerSecond: 8192,
  sessionMs: Infinity,
  beforeAuthMs: 5 * 60_000,
  connections: 1000,
  giveWayMs: 10_000,
  connectionsPerAddress: 100,
  messagesPerConnection: Infinity,
  handshakeMs: 30_000,
  handshakes: 1000,
  handshakesPerAddress: 100,
}
