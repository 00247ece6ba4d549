import { trimWhiteSpace } from './header-block.ts'

/** What became of a recipient, or is becoming (RFC 3464 §2.3.3). */
export type ReportedAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

/** Where in its dialogue with the next host the reporting one met the trouble; `content` is after the final dot. */
export type ReportedPhase = 'connect' | 'mail' | 'rcpt' | 'data' | 'content'

/** What one recipient's part of a report says. Every text is one line and bounded. */
export interface ReportedRecipient {
  /** As the reporting host wrote it: a mailbox behind an alias may have a name that the sender never used. */
  readonly recipient?: string
  readonly originalRecipient?: string
  readonly action: ReportedAction
  /** Enhanced status code (RFC 3463): the one in the text where that says more than the field. */
  readonly status?: string
  /** Of SMTP (RFC 5321 §4.2), three digits. */
  readonly replyCode?: number
  readonly phase?: ReportedPhase
  /** The last server's own words, with their codes. */
  readonly diagnostic?: string
  /** What the part for people says beside that. */
  readonly notice?: string
  readonly remoteHost?: string
}

export const MAX_DIAGNOSTIC = 2_000

/** On one line, without control characters and without white space at its ends. */
export function oneLine(text: string, limit = MAX_DIAGNOSTIC): string {
  // oxlint-disable-next-line no-control-regex -- controls are what it looks for
  const line = text.slice(0, limit * 2).replaceAll(/[\x00-\x20\x7f-\x9f\u00a0\u2028\u2029]+/g, ' ')
  return trimWhiteSpace(line).slice(0, limit).toWellFormed()
}

const STATUS = /(?<![\d.])[245]\.[0-7]\.\d{1,3}(?![\d.]\d)/g
const REPLY_CODE = /(?<![\w.\-+=/:@#])[45][0-57]\d(?=[\s:,;\-#\]]|$)/
const REPLY_CODE_AFTER_COLON = /[:;#=] ?(?<code>[45][0-57]\d)(?=[\s:,;\-\]]|$)/

/** The first enhanced status code in a text that says more than "some failure" (x.0.0); else the first of all. */
export function statusIn(text: string): string | undefined {
  const codes = text.match(STATUS) ?? []
  return codes.find((code) => !code.endsWith('.0.0')) ?? codes[0]
}

/** The first number that stands where a reply code would. */
export function replyCodeIn(text: string): number | undefined {
  const code = REPLY_CODE.exec(text)?.[0] ?? REPLY_CODE_AFTER_COLON.exec(text)?.groups?.['code']
  return code === undefined ? undefined : Number(code)
}

/** Sentences by which servers tell where they were refused; the first that occurs decides. */
const PHASES: readonly (readonly [RegExp, ReportedPhase])[] = [
  // Postfix: `(in reply to end of DATA command)`; Exim: `after RCPT TO:<…>`; DragonFly: `did not like our final DATA`.
  [
    /(?:in reply to|after|for|following|like our|response to|SMTP command) (?:the )?(?:end of (?:the )?(?:data|message)|final data|text\b|sending (?:the )?(?:message|data))/i,
    'content',
  ],
  [
    /(?:in reply to|after|for|following|like our|response to|command:?) (?:the |pipelined )?mail (?:from|command)/i,
    'mail',
  ],
  [
    /(?:in reply to|after|for|following|like our|response to|command:?) (?:the |pipelined )?(?:rcpt to|rcpt\b)/i,
    'rcpt',
  ],
  [
    /(?:[Ii]n reply to|after|for|following|on|like our|response to|[Cc]ommand:?) (?:the |pipelined )?DATA\b|refused to accept your message \(DATA\)/,
    'data',
  ],
  [
    /(?:in reply to|after|during|while) (?:the )?(?:initial connection|connecting|initial server greeting|e?helo|starttls)|performing the e?helo/i,
    'connect',
  ],
  // The replies to a pipelined RCPT stand below DATA; this one says what they were.
  [/no valid recipients|need rcpt/i, 'rcpt'],
  // Oracle Messaging Server
  [/smtp transmission failure has occurred/i, 'content'],
  [/server has rejected address/i, 'rcpt'],
  // qmail
  [/does not like recipient|\[rcpt_to\]/i, 'rcpt'],
  [/failed after I sent the message|\[data\]|\[body\]/i, 'content'],
  [/my name was rejected|connected to \S+ but greeting failed/i, 'connect'],
  [/but sender was rejected|\[mail_from\]/i, 'mail'],
]

/** Transcripts quote the dialogue: the last command before the last refusal is what was refused. */
const TRANSCRIPT_PHASE = /(?:>>>|In:|Sent <<<) ?(?<command>MAIL|RCPT|DATA|EHLO|HELO|\.)/gi

export function phaseIn(text: string): ReportedPhase | undefined {
  for (const [sentence, phase] of PHASES) if (sentence.test(text)) return phase
  let last: string | undefined
  for (const match of text.matchAll(TRANSCRIPT_PHASE)) last = match.groups?.['command']?.toUpperCase()
  switch (last) {
    case 'MAIL':
      return 'mail'
    case 'RCPT':
      return 'rcpt'
    case 'DATA':
    case '.':
      return 'content'
    case undefined:
      return undefined
    default:
      return 'connect'
  }
}
