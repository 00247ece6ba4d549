import type { Refusal, RefusalKind } from '#model/refusal.ts'
import type { Reply } from '#smtp/reply.ts'

/** A refusal's wire on this door: the reply code of sending-smtp.md, with the enhanced code of RFC 3463. What another
 *  try of the same message cannot mend is 5yz. */
interface ReplyCode {
  readonly code: number
  readonly enhanced: string
  /** What stands before the sentence that says what was wrong. */
  readonly text: string
}

const denied = { code: 550, enhanced: '5.7.1', text: 'Sender denied' }
const unfit = { code: 554, enhanced: '5.6.0', text: 'Message refused' }

const REPLIES = {
  'field-missing': unfit,
  'field-invalid': unfit,
  'too-many-recipients': { code: 452, enhanced: '4.5.3', text: 'Too many recipients' },
  'too-many-attachments': unfit,
  'header-not-allowed': unfit,
  'header-use-api-field': unfit,
  'header-value-invalid': unfit,
  'header-value-too-long': unfit,
  'header-name-invalid': unfit,
  'headers-too-large': unfit,
  'headers-too-many': unfit,
  'content-invalid': unfit,
  'message-too-large': { code: 552, enhanced: '5.3.4', text: 'Message too big' },
  'sender-domain-not-available': denied,
  'sender-not-verified': denied,
  'recipient-not-allowed': { code: 550, enhanced: '5.7.1', text: 'Recipient denied' },
  // Never on this door, which drops such recipients (newer-facts.md).
  'recipient-suppressed': { code: 550, enhanced: '5.7.1', text: 'Recipient denied' },
  'sending-disabled': denied,
  'account-not-entitled': denied,
  'rate-limited': { code: 451, enhanced: '4.7.1', text: 'Try again later' },
  // As much as this account is given for now, in the words of RFC 5321 §4.2.3: insufficient storage.
  'daily-limit-exceeded': { code: 452, enhanced: '4.7.1', text: 'Over the daily limit' },
  'idempotency-key-reused': unfit,
} as const satisfies Record<RefusalKind, ReplyCode>

export function replyToRefusal(refusal: Refusal): Reply {
  const { code, enhanced, text } = REPLIES[refusal.kind]
  return { code, enhanced, text: `${text}: ${refusal.detail}` }
}
