import type { SmtpTimeouts } from './client-timeouts.ts'
import type { ClientTlsInfo, ClientWire, Heard, SmtpFault } from './client-wire.ts'
import { isMailbox } from './envelope-path.ts'
import type { Reply } from './reply.ts'
import { type RawReply, readReply } from './reply-reader.ts'
import type {
  Phase,
  RefusedRecipient,
  SmtpConnection,
  Transaction,
  TransactionContent,
  TransactionResult,
} from './smtp-connection.ts'

/** What the connection was opened with. */
export interface ConnectionFacts {
  readonly extensions: ReadonlyMap<string, string>
  readonly tls: ClientTlsInfo | undefined
  readonly timeouts: SmtpTimeouts
}

// oxlint-disable-next-line no-control-regex -- everything outside ASCII is what it looks for
const BEYOND_ASCII = /[^\x00-\x7f]/
/** RFC 6531 §3.2: such a message must not be sent to a host that does not offer the extension. */
const NO_SMTPUTF8: Reply = {
  code: 550,
  enhanced: '5.6.7',
  text: 'The receiving host does not offer SMTPUTF8',
}
/** RFC 8689 §4.2.1: nor must one that requires TLS, to a host that would not pass the demand on. */
const NO_REQUIRETLS: Reply = {
  code: 550,
  enhanced: '5.7.30',
  text: 'The message requires TLS all the way, and the receiving host does not offer REQUIRETLS',
}
const RSET = 'RSET\r\n'
const DATA = 'DATA\r\n'
const LONE_DOT = '.\r\n'

export class ClientConnection implements SmtpConnection {
  readonly ok = true
  readonly extensions: ReadonlyMap<string, string>
  readonly tls: ClientTlsInfo | undefined
  readonly #wire: ClientWire
  readonly #timeouts: SmtpTimeouts
  readonly #pipelining: boolean
  /** The last transaction was left open: MAIL was accepted and no content ended it. */
  #mustReset = false
  #transacting = false

  constructor(wire: ClientWire, facts: ConnectionFacts) {
    this.#wire = wire
    this.extensions = facts.extensions
    this.tls = facts.tls
    this.#timeouts = facts.timeouts
    this.#pipelining = facts.extensions.has('PIPELINING')
    wire.endDialogue()
  }

  get usable(): boolean {
    return this.#wire.fault === undefined
  }

  get closed(): Promise<void> {
    return this.#wire.closed
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    const { signal, mailFrom, content, requireTls = false } = transaction
    const recipients = typeof transaction.rcptTo === 'string' ? [transaction.rcptTo] : transaction.rcptTo
    checkPaths(mailFrom, recipients)
    const utf8 = content.smtpUtf8 || [mailFrom, ...recipients].some((path) => BEYOND_ASCII.test(path))
    if (utf8 && !this.extensions.has('SMTPUTF8'))
      return { kind: 'refused', phase: 'mail', reply: NO_SMTPUTF8, refused: [] }
    // RFC 8689 §2: in clear it must not be offered, whatever the peer says.
    if (requireTls && (this.tls === undefined || !this.extensions.has('REQUIRETLS')))
      return { kind: 'refused', phase: 'mail', reply: NO_REQUIRETLS, refused: [] }
    this.#begin()
    const abort = () => this.#wire.fail({ reason: 'aborted', message: 'Aborted' })
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort)
    try {
      const mail = this.#mailCommand(mailFrom, content, { utf8, requireTls })
      return await this.#run(mail, recipients, content)
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#end()
    }
  }

  async rset(): Promise<boolean> {
    this.#begin()
    try {
      this.#wire.say(RSET)
      const heard = await this.#wire.hear(this.#timeouts.helloMs, 'reply to RSET')
      if ('code' in heard && isPositive(heard)) {
        this.#mustReset = false
        return true
      }
      this.#wire.close()
      return false
    } finally {
      this.#end()
    }
  }

  async quit(): Promise<void> {
    if (this.#transacting) this.#wire.close()
    if (this.usable) {
      this.#wire.beginDialogue()
      this.#wire.say('QUIT\r\n')
      await this.#wire.hear(this.#timeouts.quitMs, 'reply to QUIT')
      this.#wire.close()
    }
    await this.closed
  }

  #begin(): void {
    if (this.#transacting) throw new Error('A transaction is under way on this connection')
    this.#transacting = true
    this.#wire.beginDialogue()
  }

  #end(): void {
    this.#transacting = false
    this.#wire.endDialogue()
  }

  #mailCommand(
    mailFrom: string,
    content: TransactionContent,
    { utf8, requireTls }: { readonly utf8: boolean; readonly requireTls: boolean },
  ): string {
    const size = this.extensions.has('SIZE') ? ` SIZE=${content.size}` : ''
    const body = content.eightBit && this.extensions.has('8BITMIME') ? ' BODY=8BITMIME' : ''
    const more = `${utf8 ? ' SMTPUTF8' : ''}${requireTls ? ' REQUIRETLS' : ''}`
    return `MAIL FROM:<${mailFrom}>${size}${body}${more}\r\n`
  }

  /** With PIPELINING everything up to DATA goes out in one write (RFC 2920 §3.1) and the replies are matched in order;
   *  a transaction that fails costs a few wasted commands, which almost none does. */
  async #run(
    mail: string,
    recipients: readonly string[],
    content: TransactionContent,
  ): Promise<TransactionResult> {
    const { mailMs, dataMs } = this.#timeouts
    if (this.#pipelining) {
      const reset = this.#mustReset ? RSET : ''
      this.#wire.say(`${reset}${mail}${recipients.map(rcptCommand).join('')}${DATA}`)
    }
    const stale = this.#mustReset ? await this.#reset() : undefined
    if (stale !== undefined) return stale

    const mailReply = await this.#ask(mail, mailMs)
    if (!('code' in mailReply)) return lost('mail', mailReply)
    if (isIntermediate(mailReply)) return this.#confused('mail', mailReply)
    const mailPassed = isPositive(mailReply)
    if (!mailPassed && (!this.#pipelining || isGoodbye(mailReply))) return this.#refused('mail', mailReply)
    this.#mustReset = mailPassed

    const refused: RefusedRecipient[] = []
    const ended = await this.#hearRecipients(recipients, refused)
    const hopeless = mailPassed ? allRefused(recipients, refused) : this.#refused('mail', mailReply)
    if (ended !== undefined) return mailPassed ? ended : (hopeless ?? ended)
    if (hopeless !== undefined && !this.#pipelining) return hopeless

    const dataReply = await this.#ask(DATA, dataMs)
    if (!('code' in dataReply)) return hopeless ?? lost('data', dataReply)
    if (hopeless !== undefined) {
      await this.#takeBack(dataReply)
      return hopeless
    }
    if (isPositive(dataReply)) return this.#confused('data', dataReply)
    if (!isIntermediate(dataReply)) return this.#refused('data', dataReply, refused)
    return this.#sendContent(content, refused)
  }

  /** Ends what the last transaction left open. A result is why this one cannot begin. */
  async #reset(): Promise<TransactionResult | undefined> {
    const heard = await this.#ask(RSET, this.#timeouts.helloMs)
    if (!('code' in heard)) return lost('mail', heard)
    if (isGoodbye(heard)) return this.#refused('mail', heard)
    // RFC 5321 §4.1.1.5: RSET is always answered 250. What is refused here is no message.
    if (!isPositive(heard)) return this.#confused('mail', heard)
    this.#mustReset = false
    return undefined
  }

  /** Hears a reply for each recipient and gathers the refusals. A result is how the connection ended meanwhile. */
  async #hearRecipients(
    recipients: readonly string[],
    refused: RefusedRecipient[],
  ): Promise<TransactionResult | undefined> {
    for (const rcptTo of recipients) {
      const heard = await this.#ask(rcptCommand(rcptTo), this.#timeouts.rcptMs)
      if (!('code' in heard)) return lost('rcpt', heard)
      if (isIntermediate(heard)) return this.#confused('rcpt', heard)
      if (isGoodbye(heard)) return this.#refused('rcpt', heard, refused)
      if (!isPositive(heard)) refused.push({ rcptTo, reply: readReply(heard) })
    }
    return undefined
  }

  async #sendContent(
    content: TransactionContent,
    refused: readonly RefusedRecipient[],
  ): Promise<TransactionResult> {
    const { blockMs, finalDotMs } = this.#timeouts
    const sent = await this.#wire.sayContent(content, blockMs)
    if (sent !== 'sent' && sent !== 'interrupted') return lost('content', sent)
    const heard = await this.#wire.hear(finalDotMs, 'reply to the final dot')
    const afterFinalDot = sent === 'sent'
    if (!('code' in heard)) return { ...lost('content', heard), afterFinalDot }
    const confused = isIntermediate(heard) || (!afterFinalDot && isPositive(heard))
    if (confused) return { ...this.#confused('content', heard), afterFinalDot }
    // The peer refused a content of which it has not seen the end: nothing can be said to it any more.
    if (!afterFinalDot) this.#wire.close()
    this.#mustReset = false
    return isPositive(heard)
      ? { kind: 'accepted', reply: readReply(heard), refused }
      : this.#refused('content', heard, refused)
  }

  /** RFC 2920 §3.1: DATA was pipelined, nobody is left to get the message, and the peer says 354 all the same. A lone
   *  dot ends what must not be sent; its reply is of no interest. */
  async #takeBack(dataReply: RawReply): Promise<void> {
    if (isGoodbye(dataReply)) return this.#wire.close()
    if (!isIntermediate(dataReply)) return
    this.#wire.say(LONE_DOT)
    await this.#wire.hear(this.#timeouts.dataMs, 'reply to a lone dot')
    this.#mustReset = false
  }

  /** Where commands were pipelined this one is said already. */
  #ask(command: string, ms: number): Heard | Promise<Heard> {
    if (!this.#pipelining) this.#wire.say(command)
    return this.#wire.hear(ms, `reply to ${command.split(/[ \r]/, 1)[0] ?? ''}`)
  }

  #refused(phase: Phase, heard: RawReply, refused: readonly RefusedRecipient[] = []): TransactionResult {
    // RFC 5321 §3.8: after a 421 the peer closes.
    if (isGoodbye(heard)) this.#wire.close()
    return { kind: 'refused', phase, reply: readReply(heard), refused }
  }

  /** The peer answered with a class of code that makes no sense here; who said what to what is no longer known. */
  #confused(phase: Phase, heard: RawReply): TransactionResult & { kind: 'lost' } {
    const error: SmtpFault = {
      reason: 'protocol',
      message: `Protocol error: ${heard.code} in reply to ${phase}`,
    }
    this.#wire.fail(error)
    return lost(phase, error)
  }
}

function rcptCommand(rcptTo: string): string {
  return `RCPT TO:<${rcptTo}>\r\n`
}

function allRefused(
  recipients: readonly string[],
  refused: readonly RefusedRecipient[],
): TransactionResult | undefined {
  const [first] = refused
  if (first === undefined || refused.length < recipients.length) return undefined
  return { kind: 'refused', phase: 'rcpt', reply: first.reply, refused }
}

function lost(phase: Phase, error: SmtpFault): TransactionResult & { kind: 'lost' } {
  return { kind: 'lost', phase, afterFinalDot: false, error }
}

function isPositive({ code }: RawReply): boolean {
  return code < 300
}

function isIntermediate({ code }: RawReply): boolean {
  return code >= 300 && code < 400
}

function isGoodbye({ code }: RawReply): boolean {
  return code === 421
}

/** Whatever a caller forgot to check, no path ever ends its command early. */
function checkPaths(mailFrom: string, recipients: readonly string[]): void {
  if (recipients.length === 0) throw new Error('A transaction needs a recipient')
  const bad = [...(mailFrom === '' ? [] : [mailFrom]), ...recipients].find((path) => !isMailbox(path))
  if (bad !== undefined) throw new Error(`Not a mailbox: ${JSON.stringify(bad)}`)
}
