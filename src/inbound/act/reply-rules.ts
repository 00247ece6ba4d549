import { type Address, domainOf, foldAddress } from '#model/address.ts'
import type { Fields, Raw } from '#outbound/accept/submission.ts'
import { autoSubmittedKeyword } from '#outbound/compose/ease-header.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { fieldText, type HeaderBlock, unfold } from '#protocol/header-block.ts'
import type { HostError } from '#workers/runtime/host-services.ts'

/** The rules of `reply()` (routing-workers-api-email-handler.md), each with an error of its own. That there is one reply
 *  at most is kept where there may be two. */

/** What decides about a message whether it may be replied to. */
export interface Question {
  readonly mailFrom: Address | ''
  readonly block: HeaderBlock
  /** DMARC passed, here or before the first of trusted sealers. */
  readonly passesDmarc: boolean
  /** It is proven that `mailFrom` sent it. */
  readonly provesSender: boolean
  readonly isReport: boolean
}

/** platform-limits.md. */
const MOST_REFERENCES = 100

export function refuseQuestion({
  mailFrom,
  block,
  passesDmarc,
  provesSender,
  isReport,
}: Question): HostError | undefined {
  // RFC 3834 §2: neither the null sender, nor what says that a program wrote it.
  if (mailFrom === '')
    return refused('E_REPLY_NOT_ALLOWED', 'its sender is null: nobody reads a reply to it.')
  if (isReport || isAutomatic(block)) {
    return refused('E_REPLY_NOT_ALLOWED', 'it is itself an automatic message (Auto-Submitted, or a report).')
  }
  if (!passesDmarc) {
    return refused('E_REPLY_DMARC_NOT_VALID', 'it has no valid DMARC result, so anybody may have sent it.')
  }
  // DMARC speaks of the author alone, and a reply goes to the sender: a stranger can send again what others signed.
  if (!provesSender) {
    const detail = `it is not proven that ${mailFrom} sent it: its DMARC result is about another author, and SPF did not pass.`
    return refused('E_REPLY_DMARC_NOT_VALID', detail)
  }
  const references = countReferences(block)
  if (references > MOST_REFERENCES) {
    const detail = `its References have ${references} entries, and ${MOST_REFERENCES} is the most: it seems to loop.`
    return refused('E_REPLY_TOO_MANY_REFERENCES', detail)
  }
  return undefined
}

/** Whom the reply is for, and from whom it is. `domain`: the one that received the message. */
export function refuseReply(
  submission: Fields | Raw,
  { mailFrom, domain }: { readonly mailFrom: Address | ''; readonly domain: string },
): HostError | undefined {
  const recipients =
    submission.kind === 'raw'
      ? submission.recipients
      : [...submission.to, ...submission.cc, ...submission.bcc]
  const other = recipients.find(({ address }) => mailboxKey(address) !== mailboxKey(mailFrom))
  if (other || recipients.length === 0) {
    const is = other ? quote(other.address) : 'nobody'
    const message = `reply(): the recipient has to be the sender of the message, ${mailFrom}, and is ${is}.`
    return { code: 'E_REPLY_RECIPIENT_MISMATCH', message }
  }
  return refuseSender(submission.from.address, domain)
}

/** Of the envelope, and of From in a raw message. */
export function refuseSender(from: string, domain: string): HostError | undefined {
  const parsed = parseAddress(from)
  if (isAddress(parsed) && domainOf(parsed) === domain) return undefined
  const message = `reply(): the sender has to be at ${domain}, the domain that received the message, and is ${quote(from)}.`
  return { code: 'E_REPLY_SENDER_DOMAIN_MISMATCH', message }
}

/** How many messages a message says that it goes back to: what stands in angle brackets, and the words outside of them,
 *  since old programs leave them out. */
export function countReferences({ fields }: HeaderBlock): number {
  return fields
    .filter(({ name }) => name.toLowerCase() === 'references')
    .reduce((sum, { value }) => sum + (unfold(value).match(/<[^<>]*>|[^\s<>,]+/g)?.length ?? 0), 0)
}

/** RFC 3834 §5: whatever is not `no`. */
function isAutomatic({ fields }: HeaderBlock): boolean {
  return fields.some(
    (field) =>
      field.name.toLowerCase() === 'auto-submitted' && autoSubmittedKeyword(fieldText(field) ?? '') !== 'no',
  )
}

function refused(code: string, why: string): HostError {
  return { code, message: `reply(): the message cannot be replied to: ${why}` }
}

/** Of any text: strangers' addresses may be no `Address`. */
function mailboxKey(text: string): string {
  const parsed = parseAddress(text)
  // Only to be compared with others.
  return foldAddress(isAddress(parsed) ? parsed : (text as Address))
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}
