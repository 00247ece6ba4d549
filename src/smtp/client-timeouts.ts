/** How long the client waits, in milliseconds. */
export interface SmtpTimeouts {
  readonly connectMs: number
  readonly greetingMs: number
  /** EHLO, HELO, STARTTLS and RSET; RFC 5321 names no time for them. */
  readonly helloMs: number
  readonly handshakeMs: number
  readonly mailMs: number
  readonly rcptMs: number
  /** From DATA to its 354. */
  readonly dataMs: number
  /** For each block of content to be taken. */
  readonly blockMs: number
  readonly finalDotMs: number
  readonly quitMs: number
}

const MINUTE_MS = 60_000

/** The minimums of RFC 5321 §4.5.3.2, where it has one. */
export const DEFAULT_TIMEOUTS: SmtpTimeouts = {
  connectMs: 30_000,
  greetingMs: 5 * MINUTE_MS,
  helloMs: 5 * MINUTE_MS,
  handshakeMs: MINUTE_MS,
  mailMs: 5 * MINUTE_MS,
  rcptMs: 5 * MINUTE_MS,
  dataMs: 2 * MINUTE_MS,
  blockMs: 3 * MINUTE_MS,
  // §4.5.3.2.6: giving up sooner sends the message twice.
  finalDotMs: 10 * MINUTE_MS,
  quitMs: 5000,
}

/** RFC 5321's waits, none longer than `mostMs`. */
export function cutShort(mostMs: number): SmtpTimeouts {
  const entries = Object.entries(DEFAULT_TIMEOUTS).map(([name, ms]) => [name, Math.min(ms, mostMs)])
  return { ...DEFAULT_TIMEOUTS, ...Object.fromEntries(entries) }
}
