import type { Cause } from '#model/event.ts'
import type { ReportedRecipient } from '#protocol/reported-recipient.ts'
import { type CauseClass, causeEntry } from './cause-table.ts'
import { PROVIDER_REPLIES } from './provider-replies.ts'
import { REPLY_WORDS, type ReplyWords, WEAK_WORDS } from './reply-words.ts'
import { isBannedAddress, STATUS_CAUSES } from './status-table.ts'

/** Where in the dialogue a reply came (RFC 5321 §3.3). */
export type Phase = 'connect' | 'mail' | 'rcpt' | 'data' | 'content'

export interface Classified {
  /** False: the same delivery may succeed later. */
  readonly permanent: boolean
  readonly cause: Cause
  /** Set for failures that speak of the mailbox; only they suppress (promise 7). */
  readonly suppression?: { readonly reason: 'hard_bounce' | 'soft_bounce'; readonly forMs: number | null }
}

/** What the tables say of a reply or of a report. */
export interface Verdict extends Classified {
  readonly class: CauseClass
  /** The address will never take mail. */
  readonly hard: boolean
}

/** What a refusing reply means. First what single providers are known to write; then the words, which say more than
 *  the code wherever both speak; then the enhanced status code (RFC 3463); then vague words and the code alone. Before
 *  RCPT nobody has named the mailbox, so nothing can be about it. */
export function classifyReply(
  phase: Phase,
  code: number,
  enhanced: string | undefined,
  text: string,
): Verdict {
  const permanent = code >= 500
  const cause = causeOf({ phase, code, enhanced, permanent }, text) ?? 'other'
  return verdictOf(cause, permanent, permanent)
}

/** What a report that came back by mail says of one recipient, by the same tables. `permanent` is whether the reporting
 *  host gave up. A temporary reply that was repeated until it did is no evidence against the mailbox, but for one that
 *  is full. */
export function classifyReport(recipient: ReportedRecipient): Verdict {
  const { action, replyCode, status, phase, notice = '' } = recipient
  const permanent = action === 'failed'
  const final = replyCode === undefined ? status?.startsWith('4') !== true : replyCode >= 500
  const reply = { phase: phase ?? 'rcpt', code: replyCode ?? 0, enhanced: status, permanent: final }
  const cause = causeOfReport(reply, recipient)
  // RFC 3463 leaves the class of the last reply to whoever gives up; a temporary one stays what it was.
  const lasting = permanent && final && status?.startsWith('4') !== true
  if (cause !== 'recipient-unknown' || !lasting) return verdictOf(cause, permanent, lasting)
  // It takes every word to say that nobody lives there: hosts quote one reply and speak of another.
  if (SPEAKS_OF_SPACE.test(notice)) return verdictOf('recipient-full', permanent, lasting)
  // Words prove it where they answered RCPT, come with a code that says so (x.1), or are those of the host that would
  // know itself. Behind a relay that does not tell, filters use the same ones: a week then, not for ever.
  const proven = phase === 'rcpt' || replyCode === undefined || status?.startsWith('5.1.') === true
  const verdict = verdictOf(cause, permanent, lasting)
  return proven
    ? verdict
    : { ...verdict, hard: false, suppression: { reason: 'hard_bounce', forMs: WEEK_MS } }
}

const WEEK_MS = 7 * 86_400_000
const SPEAKS_OF_SPACE =
  /mailbox (?:is )?full|over ?quota|quota exceeded|(?:not enough|insufficient|no) (?:disk |storage )space/i

/** As many characters after a reply code are taken for its words. */
const LONGEST_QUOTE = 500

/** The words of the server that refused count more than those of the host that reports it, and these more than what it
 *  tells people. */
function causeOfReport(reply: Reply, { replyCode, diagnostic = '', notice = '' }: ReportedRecipient): Cause {
  const texts = [quoteIn(diagnostic, replyCode), diagnostic, quoteIn(notice, replyCode), notice]
  for (const text of texts) {
    if (text === '') continue
    const cause = causeOf(reply, text)
    if (cause !== undefined) return cause
  }
  return causeOf(reply, '') ?? 'other'
}

function quoteIn(text: string, replyCode: number | undefined): string {
  if (replyCode === undefined) return ''
  const at = new RegExp(`(?<!\\d)${replyCode}(?!\\d)`).exec(text)?.index ?? 0
  return at === 0 ? '' : text.slice(at, at + LONGEST_QUOTE)
}

interface Reply {
  readonly phase: Phase
  /** 0 where there is none. */
  readonly code: number
  readonly enhanced: string | undefined
  readonly permanent: boolean
}

function verdictOf(cause: Cause, permanent: boolean, lasting: boolean): Verdict {
  const { class: whose, hard, suppression } = causeEntry(cause)
  const passing = suppression?.reason === 'soft_bounce'
  const suppresses = suppression && (lasting || (passing && (permanent || cause === 'recipient-full')))
  return { permanent, cause, class: whose, hard: hard && lasting, ...(suppresses && { suppression }) }
}

const MAX_TEXT = 1_200

/** Undefined where neither the words nor the codes say anything. */
function causeOf(reply: Reply, text: string): Cause | undefined {
  const written = text.slice(0, MAX_TEXT)
  const detail = reply.enhanced?.slice(reply.enhanced.indexOf('.') + 1) ?? '0.0'
  const words = wordsOf(written)
  const isNamed = reply.phase !== 'connect' && reply.phase !== 'mail'
  for (const { reply: token, cause } of PROVIDER_REPLIES) {
    if (token.test(written) && (isNamed || causeEntry(cause).class !== 'recipient')) return cause
  }
  for (const cause of candidates(reply, detail, written, words)) {
    if (cause === undefined) continue
    if (mayBe(cause, reply, detail)) return cause
    // At MAIL the unknown address is the sender's. After the content, filters say what RCPT would have said.
    if (reply.phase === 'mail' && causeEntry(cause).hard) return 'sender-refused'
    if (isNamed) return 'other'
  }
  return undefined
}

function* candidates(
  reply: Reply,
  detail: string,
  written: string,
  words: string,
): Generator<Cause | undefined> {
  // Exchange Online's tenants refuse unknown recipients with "access denied" and a code of routing.
  if (detail === '4.1' && /recipient address rejected: access denied/i.test(written))
    yield 'recipient-unknown'
  if (detail === '1.10' && /recipient not found|recipnotfound/.test(words)) yield 'recipient-unknown'
  if (isBannedAddress(detail)) yield 'sender-blocked'
  if (STRICT_DETAILS.has(detail) || (/\.\d{3}$/.test(detail) && detail !== '1.351'))
    yield STATUS_CAUSES[detail]
  for (const row of REPLY_WORDS) {
    if (!matches(row, words, reply.permanent)) continue
    // 5.1.1 beside "inactive" or "unavailable" says that it will not come back.
    const gone = detail === '1.1' && (row.cause === 'recipient-disabled' || /\bunavailable\b/.test(words))
    yield gone && causeEntry(row.cause).class === 'recipient' ? 'recipient-unknown' : row.cause
  }
  yield STATUS_CAUSES[detail]
  for (const row of WEAK_WORDS) if (matches(row, words, reply.permanent)) yield row.cause
  // RFC 5321 §4.2.3: 552 is the mailbox's allocation at RCPT, and the message's size after it; 551 tells where to go.
  if (reply.code === 552) yield reply.phase === 'rcpt' ? 'recipient-full' : 'content-too-large'
  if (reply.code === 551) yield 'recipient-moved'
  if (reply.code === 556) yield 'recipient-domain-closed' // RFC 7504 §4
  if (reply.code === 521) yield 'recipient-domain-closed' // RFC 7504 §3
  if (reply.code === 421) yield 'system'
  if (detail.startsWith('7.')) yield 'policy'
  if (detail.startsWith('3.')) yield 'system'
}

/** Codes that speak of the mailbox at whatever phase they come. */
const NAMES_MAILBOX: ReadonlySet<string> = new Set(['1.1', '1.2', '1.3', '1.6', '1.10', '2.1', '2.2'])

/** Codes that nobody uses for anything else, so that no word beside them changes what they say. So are those of three
 *  digits, all of them Microsoft's. */
const STRICT_DETAILS: ReadonlySet<string> = new Set(['1.6', '2.2', '4.7', '7.23', '7.25', '7.26'])

function matches(row: ReplyWords, words: string, permanent: boolean): boolean {
  if (row.permanent !== undefined && row.permanent !== permanent) return false
  return row.words.test(words) && row.unless?.test(words) !== true
}

/** Nothing is about the mailbox before it was named; and after the content was taken in, words alone are no evidence
 *  that it does not exist: filters use the same ones. */
function mayBe(cause: Cause, { phase, permanent }: Reply, detail: string): boolean {
  if (causeEntry(cause).class !== 'recipient') return true
  if (phase === 'connect' || phase === 'mail') return false
  if (cause === 'recipient-full' || !permanent || phase === 'rcpt') return true
  return NAMES_MAILBOX.has(detail)
}

/** Without what only looks like words: addresses, links, host names, codes. */
function wordsOf(text: string): string {
  return (
    text
      .replaceAll(/[‘’`]/g, "'")
      .replaceAll(/\b(?:https?:\/\/|www\.)[^\s<>]{0,500}/gi, ' ')
      .replaceAll(/[^\s<>"(),:;[\]]{1,320}@[^\s<>"(),:;[\]]{1,255}/g, '@')
      .replaceAll(/\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}\b/g, ' ')
      .replaceAll(/(?<![\w.])[245]\d\d(?:[- ]|$)(?:#?[245]\.\d{1,3}\.\d{1,3}(?![.\d]))?/g, ' ')
      .toLowerCase()
      // Postfix says so before whatever reason it has.
      .replaceAll(/recipient address rejected: ?(?=[\p{L}])/gu, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim()
  )
}
