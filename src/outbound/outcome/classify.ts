import type { Cause } from '#model/event.ts'

/** Where in the dialogue a reply came (RFC 5321 §3.3). */
export type Phase = 'connect' | 'mail' | 'rcpt' | 'data' | 'content'

export interface Classified {
  /** False: the same delivery may succeed later. */
  readonly permanent: boolean
  readonly cause: Cause
  /** Set for failures that speak of the mailbox; only they suppress (promise 7). */
  readonly suppression?: { readonly reason: 'hard_bounce' | 'soft_bounce'; readonly forMs: number | null }
}

const DAY_MS = 86_400_000

/** What a refusing reply means. First the enhanced status code (RFC 3463), which says whose fault it is; without one,
 *  or with one that says nothing (x.0.0), the words that servers use. Before RCPT nothing can be about the mailbox. */
export function classifyReply(
  phase: Phase,
  code: number,
  enhanced: string | undefined,
  text: string,
): Classified {
  const permanent = code >= 500
  const afterRcpt = phase === 'rcpt' || phase === 'data' || phase === 'content'
  const detail = enhanced?.slice(enhanced.indexOf('.') + 1) ?? '0.0'
  const ofAddressOrMailbox = detail.startsWith('1.') || detail.startsWith('2.')
  if (detail !== '0.0' && (afterRcpt || !ofAddressOrMailbox)) return byEnhancedStatus(detail, permanent, text)
  // RFC 5321 §4.2.3: 552 is the mailbox's allocation, 452 the system's storage, which is nobody's mailbox.
  if (afterRcpt && (FULL.test(text) || (code === 552 && phase === 'rcpt'))) return full(permanent)
  if (permanent && phase === 'rcpt' && code !== 554 && !ABOUT_US.test(text)) {
    if (UNKNOWN_MAILBOX.test(text)) return gone(permanent)
    if (CLOSED_MAILBOX.test(text)) return closed(permanent)
  }
  if (POLICY.test(text)) return { permanent, cause: 'policy' }
  if (!permanent && GREYLISTED.test(text)) return { permanent, cause: 'greylisted' }
  return { permanent, cause: 'other' }
}

const FULL = /(mailbox|mail box|inbox|quota)\b.{0,40}\b(full|exceeded|over)|over ?quota/i
const UNKNOWN_MAILBOX =
  /(user|recipient|mailbox|address|account|alias)\b.{0,40}\b(unknown|not found|not exist|doesn't exist|invalid|no such)|(unknown|invalid|no such|nonexistent) (\w+ ){0,2}(user|recipient|mailbox|address|account)|no mailbox (here|by that name)/i
const CLOSED_MAILBOX =
  /(user|recipient|mailbox|account|alias)\b.{0,40}\b(disabled|inactive|suspended|unavailable|closed)/i
/** The sender, its host or its reputation: whatever else the words say, no mailbox is at fault (promise 7). */
const ABOUT_US =
  /\b(senders?|mail from|from address|your (ip|host|domain|account|server|network|mail)|client (host|address)|reputation|spam)\b|block(ed|list)|black ?list/i
const POLICY =
  /spam|blocked|black ?list|block ?list|policy|reputation|dmarc|\bdkim\b|\bspf\b|denied|banned|rejected/i
const GREYLISTED = /gr[ea]y[- ]?list|try again later|temporarily deferred/i
const RATE = /\brate\b|too (many|much|fast|quickly)|throttl/i

function byEnhancedStatus(detail: string, permanent: boolean, text: string): Classified {
  switch (detail) {
    case '2.2': // mailbox full
      return full(permanent)
    case '1.1': // bad destination mailbox address
    case '1.10': // recipient address has null MX (RFC 7505)
    case '1.2': // bad destination system address
      return permanent ? gone(permanent) : { permanent, cause: 'recipient-unknown' }
    case '1.3': // bad destination mailbox address syntax
    case '1.6': // destination mailbox has moved
    case '2.1': // mailbox disabled, not accepting messages
      if (permanent) return closed(permanent)
      // Gmail says so of a mailbox that gets mail faster than it may. Limits on us, the sender, are 4.7 or 4.3.
      return { permanent, cause: RATE.test(text) ? 'recipient-rate-limited' : 'recipient-unknown' }
    case '4.4':
      return { permanent, cause: 'dns' }
    default:
      if (!permanent && GREYLISTED.test(text)) return { permanent, cause: 'greylisted' }
      if (detail.startsWith('7.')) return { permanent, cause: 'policy' }
      if (!permanent && detail.startsWith('2.') && RATE.test(text))
        return { permanent, cause: 'recipient-rate-limited' }
      return { permanent, cause: 'other' }
  }
}

/** Evidence that the mailbox or its domain does not exist: suppressed until someone lifts it. */
function gone(permanent: boolean): Classified {
  return { permanent, cause: 'recipient-unknown', suppression: { reason: 'hard_bounce', forMs: null } }
}

/** A mailbox that takes no mail now, which its owner may change: suppressed for a week. */
function closed(permanent: boolean): Classified {
  return { permanent, cause: 'recipient-unknown', suppression: { reason: 'hard_bounce', forMs: 7 * DAY_MS } }
}

/** A full mailbox is temporary by nature, whatever the first digit says of this attempt: it suppresses once final,
 *  for a day, and never as a hard bounce. */
function full(permanent: boolean): Classified {
  return { permanent, cause: 'recipient-full', suppression: { reason: 'soft_bounce', forMs: DAY_MS } }
}
