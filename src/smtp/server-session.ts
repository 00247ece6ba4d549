import { randomBytes } from 'node:crypto'
import { type AuthExchange, type AuthStep, beginAuth, continueAuth } from './authentication.ts'
import { readCommand, readMail, readRcpt } from './command-reader.ts'
import type { Answer, DataSink, SmtpHandler, SmtpSession } from './handler.ts'
import type { LineFault } from './line-reader.ts'
import { mailParameterRefusal, type SmtpFeatures } from './mail-parameters.ts'
import type { Reply } from './reply.ts'
import type { SmtpLimits } from './server-limits.ts'

/** What the connection does after a command. */
export type Step =
  | { readonly next: 'command'; readonly reply: Reply }
  | { readonly next: 'content'; readonly reply: Reply; readonly sink: DataSink }
  | { readonly next: 'tls'; readonly reply: Reply }
  | { readonly next: 'close'; readonly reply: Reply }

/** What all sessions of one server share. */
export interface SessionTerms {
  readonly hostname: string
  readonly handler: SmtpHandler
  readonly limits: SmtpLimits
  readonly features: SmtpFeatures
  readonly startTls: boolean
  readonly onError: (error: unknown, session: SmtpSession) => void
}

/** Most handlers answer at once; a promise for each command would cost more than the command. */
export type MaybePromise<T> = T | Promise<T>

/** RFC 4954 §4: a line of an AUTH exchange may have 12,288 octets. Nothing may have more. */
export const MAX_LINE_BYTES = 12_288
/** MAIL and RCPT with the parameters of extensions (RFC 5321 §4.5.3.1.4 counts them on top of its 512). */
const ENVELOPE_LINE_BYTES = 2048

interface OpenSession extends SmtpSession {
  helo: string | undefined
  esmtp: boolean
  tls: SmtpSession['tls']
  readonly envelope: { from: string | undefined; to: string[]; utf8: boolean }
}

const SERVICE = 'Posthorn Email ESMTP Service'
const OK: Reply = { code: 250, enhanced: '2.0.0', text: 'Ok' }
const SENDER_OK: Reply = { code: 250, enhanced: '2.1.0', text: 'Ok' }
const RECIPIENT_OK: Reply = { code: 250, enhanced: '2.1.5', text: 'Ok' }
const GO_AHEAD: Reply = { code: 354, text: 'Start mail input; end with <CR><LF>.<CR><LF>' }
const AUTHENTICATED: Reply = { code: 235, enhanced: '2.7.0', text: 'Authentication successful' }
const UNAUTHENTICATED: Reply = { code: 530, enhanced: '5.7.0', text: 'Authentication required' }
const BROKEN: Reply = { code: 451, enhanced: '4.3.0', text: 'Temporary system problem, try again later' }
const LINE_TOO_LONG: Reply = { code: 500, enhanced: '5.5.2', text: 'Line too long' }
const BARE_LINE_END: Reply = {
  code: 500,
  enhanced: '5.5.2',
  text: 'Lines end in CRLF; a bare CR or LF is not accepted',
}
const SHUTTING_DOWN: Reply = { code: 421, enhanced: '4.3.2', text: 'Service shutting down, try again later' }
const TOO_MANY_ERRORS: Reply = { code: 421, enhanced: '4.7.0', text: 'Too many errors, closing connection' }
const TOO_MANY_GUESSES: Reply = { code: 421, enhanced: '4.7.0', text: 'Too many failed authentications' }
// RFC 4954 §6.
const AUTH_LINE_TOO_LONG: Reply = {
  code: 500,
  enhanced: '5.5.6',
  text: 'Authentication exchange line is too long',
}
const TOO_MANY_RECIPIENTS: Reply = { code: 452, enhanced: '4.5.3', text: 'Too many recipients' }
const NO_UTF8: Reply = { code: 553, enhanced: '5.6.7', text: 'Addresses beyond ASCII want SMTPUTF8 on MAIL' }

/** So many recipients of one transaction are refused as too many before each further one counts as an error: a client
 *  that has a long list and sends it all at once is honest (RFC 5321 §4.5.3.1.10), one without an end is not. */
const PATIENCE_WITH_RECIPIENTS = 1000
// A browser that was talked into speaking here would have the lines of its request read as commands.
const FOREIGN_PROTOCOL = new Set(['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'CONNECT'])
const MAIL_VERBS = new Set(['MAIL', 'RCPT', 'DATA'])

/** The SMTP state machine of one session: a line goes in, a step comes out. It knows no socket. It never throws: a
 *  callback that does is reported and answered 451 4.3.0, and the session goes on. */
export class ServerSession {
  readonly view: OpenSession
  /** Set when the server closes: transactions finish, none begins. */
  draining = false
  /** Whether the handler is deciding about credentials. */
  authenticating = false
  authenticated = false
  readonly #terms: SessionTerms
  #auth: AuthExchange | undefined
  #rcptSeen = false
  #recipientsTooMany = 0
  #transactions = 0
  #errors = 0
  #authFailures = 0
  #commandsWithoutMail = 0

  constructor(terms: SessionTerms, peer: { remoteAddress: string; remotePort: number; destroy: () => void }) {
    this.#terms = terms
    this.view = {
      id: randomBytes(8).toString('hex'),
      remoteAddress: peer.remoteAddress,
      remotePort: peer.remotePort,
      destroy: peer.destroy,
      helo: undefined,
      esmtp: false,
      tls: undefined,
      envelope: { from: undefined, to: [], utf8: false },
      state: undefined,
    }
  }

  get inTransaction(): boolean {
    return this.view.envelope.from !== undefined
  }

  /** Whether the next line is the client's turn in an AUTH exchange. */
  get inAuth(): boolean {
    return this.#auth !== undefined
  }

  greet(): MaybePromise<Step> {
    const greeting: Reply = { code: 220, text: `${this.#terms.hostname} ${SERVICE} ready` }
    const step = this.#ask(
      () => this.#terms.handler.connect?.(this.view),
      () => greeting,
    )
    return after(step, ({ reply }) => (reply.code < 400 ? go(reply) : close(reply)))
  }

  command(line: string | LineFault): MaybePromise<Step> {
    if (typeof line !== 'string') {
      const { inAuth } = this
      this.#auth = undefined
      return this.#tally(lineRefusal(line, inAuth))
    }
    return after(this.#auth === undefined ? this.#dispatch(line) : this.#respond(this.#auth, line), (step) =>
      this.#tally(step),
    )
  }

  /** The content was read to its end and `reply` is the answer to it. The transaction is over, well or ill
   *  (RFC 5321 §4.1.1.4). */
  contentEnded(reply: Reply): Step {
    this.#resetEnvelope()
    if (reply.code < 400) this.#errors = 0
    return this.#tally(go(reply))
  }

  /** A callback on the content threw; the reply to give for it. */
  contentBroken(error: unknown): Reply {
    this.#terms.onError(error, this.view)
    return BROKEN
  }

  /** The session starts anew over TLS (RFC 3207 §4.2): nothing said in clear counts any more. */
  secured(tls: SmtpSession['tls']): void {
    this.view.tls = tls
    this.view.helo = undefined
    this.view.esmtp = false
    this.#resetEnvelope()
  }

  shutDown(): Step {
    return close(SHUTTING_DOWN)
  }

  closed(): void {
    try {
      this.#terms.handler.close?.(this.view)
    } catch (error) {
      this.#terms.onError(error, this.view)
    }
  }

  #dispatch(line: string): MaybePromise<Step> {
    const command = readCommand(line)
    if ('code' in command) return go(command)
    const { verb, argument, international } = command
    if (line.length + 2 > this.#lineLimit(verb)) return go(LINE_TOO_LONG)
    if (MAIL_VERBS.has(verb)) {
      if (this.#locked)
        return go(this.view.helo === undefined ? badSequence('Say EHLO or HELO first') : UNAUTHENTICATED)
    } else if (verb !== 'QUIT' && ++this.#commandsWithoutMail > this.#terms.limits.commandsBeforeMail) {
      return close({
        code: 421,
        enhanced: '4.7.0',
        text: 'Too many commands without mail, closing connection',
      })
    }
    switch (verb) {
      case 'MAIL':
        return this.#mail(argument, international)
      case 'RCPT':
        return this.#rcpt(argument, international)
      case 'DATA':
        return argument === '' ? this.#data() : go(noArgument(verb))
      case 'EHLO':
      case 'HELO':
        return this.#hello(verb === 'EHLO', argument)
      case 'RSET':
        if (argument !== '') return go(noArgument(verb))
        this.#resetEnvelope()
        return go(OK)
      case 'NOOP':
        return go(OK)
      case 'QUIT':
        if (argument !== '') return go(noArgument(verb))
        return close({ code: 221, text: `${this.#terms.hostname} ${SERVICE} closing transmission channel` })
      case 'STARTTLS':
        return argument === '' ? this.#startTls() : go(noArgument(verb))
      case 'AUTH':
        return this.#startAuth(argument)
      default:
        return otherCommand(verb, argument)
    }
  }

  /** Whether mail wants credentials that have not come yet. */
  get #locked(): boolean {
    return this.#terms.handler.authenticate !== undefined && !this.authenticated
  }

  #lineLimit(verb: string): number {
    const limit = this.#terms.limits.commandLineBytes
    if (verb === 'AUTH') return MAX_LINE_BYTES
    return verb === 'MAIL' || verb === 'RCPT' ? Math.max(limit, ENVELOPE_LINE_BYTES) : limit
  }

  #hello(extended: boolean, argument: string): Step {
    const verb = extended ? 'EHLO' : 'HELO'
    if (argument === '') return go({ code: 501, enhanced: '5.5.4', text: `Syntax: ${verb} hostname` })
    const name = safeName(argument)
    this.view.helo = name
    this.view.esmtp = extended
    // RFC 5321 §4.1.4: EHLO in mid-session clears the buffers like RSET.
    this.#resetEnvelope()
    const greeting = `${this.#terms.hostname} greets ${name}`
    return go({ code: 250, text: extended ? [greeting, ...this.#extensions()].join('\n') : greeting })
  }

  #extensions(): string[] {
    const { handler, limits, features, startTls } = this.#terms
    const secure = this.view.tls !== undefined
    return [
      ...(handler.authenticate !== undefined && secure ? ['AUTH PLAIN LOGIN'] : []),
      `SIZE ${limits.messageBytes}`,
      ...(features.eightBitMime ? ['8BITMIME'] : []),
      ...(features.pipelining ? ['PIPELINING'] : []),
      ...(features.smtpUtf8 ? ['SMTPUTF8'] : []),
      ...(features.requireTls && secure ? ['REQUIRETLS'] : []),
      ...(startTls && !secure ? ['STARTTLS'] : []),
      'ENHANCEDSTATUSCODES',
    ]
  }

  #mail(argument: string, international: boolean): MaybePromise<Step> {
    const { handler, limits, features } = this.#terms
    if (this.view.helo === undefined) return go(badSequence('Say EHLO or HELO first'))
    if (this.inTransaction) return go(badSequence('A transaction is open already; RSET ends it'))
    if (this.draining) return this.shutDown()
    if (this.#transactions >= limits.messagesPerConnection) {
      return close({
        code: 421,
        enhanced: '4.7.0',
        text: 'Too many messages in this connection; open another',
      })
    }
    const mail = readMail(argument)
    if ('code' in mail) return go(mail)
    const { path, parameters } = mail
    const terms = {
      features,
      messageBytes: limits.messageBytes,
      auth: handler.authenticate !== undefined,
      secure: this.view.tls !== undefined,
    }
    const refusal = mailParameterRefusal(parameters, terms)
    if (refusal !== undefined) return go(refusal)
    if (international && !parameters.has('SMTPUTF8')) return go(NO_UTF8)
    return this.#ask(
      () => handler.mail?.(this.view, path, parameters),
      () => {
        this.view.envelope.from = path
        this.view.envelope.utf8 = parameters.has('SMTPUTF8')
        this.#transactions += 1
        this.#commandsWithoutMail = 0
        return SENDER_OK
      },
    )
  }

  #rcpt(argument: string, international: boolean): MaybePromise<Step> {
    const { handler, limits } = this.#terms
    if (!this.inTransaction) return go(badSequence('Say MAIL first'))
    this.#rcptSeen = true
    const rcpt = readRcpt(argument)
    if ('code' in rcpt) return go(rcpt)
    const [unknown] = rcpt.parameters.keys()
    if (unknown !== undefined) {
      return go({ code: 555, enhanced: '5.5.4', text: `Parameter ${unknown} is not supported` })
    }
    const { to, utf8 } = this.view.envelope
    if (international && !utf8) return go(NO_UTF8)
    // RFC 5321 §4.5.3.1.10: the client sends what was accepted and comes again with the others.
    if (to.length >= limits.recipients) {
      this.#recipientsTooMany += 1
      const step = go(TOO_MANY_RECIPIENTS)
      return this.#recipientsTooMany > PATIENCE_WITH_RECIPIENTS ? this.#countError(step) : step
    }
    return this.#ask(
      () => handler.rcpt?.(this.view, rcpt.path, rcpt.parameters),
      () => {
        to.push(rcpt.path)
        return RECIPIENT_OK
      },
    )
  }

  #data(): MaybePromise<Step> {
    if (!this.inTransaction) return go(badSequence('Say MAIL first'))
    if (this.view.envelope.to.length === 0) {
      return go(
        this.#rcptSeen
          ? { code: 554, enhanced: '5.5.1', text: 'No valid recipients' }
          : badSequence('Say RCPT first'),
      )
    }
    const broken = (error: unknown) => go(this.contentBroken(error))
    try {
      const answer = this.#terms.handler.data(this.view)
      return answer instanceof Promise ? answer.then(contentStep, broken) : contentStep(answer)
    } catch (error) {
      return broken(error)
    }
  }

  #startTls(): Step {
    if (this.view.tls !== undefined) return go(badSequence('TLS is active already'))
    if (!this.#terms.startTls) return go({ code: 502, enhanced: '5.5.1', text: 'STARTTLS is not available' })
    if (this.draining) return this.shutDown()
    return { next: 'tls', reply: { code: 220, enhanced: '2.0.0', text: 'Ready to start TLS' } }
  }

  #startAuth(argument: string): MaybePromise<Step> {
    if (this.#terms.handler.authenticate === undefined) {
      return go({ code: 502, enhanced: '5.5.1', text: 'AUTH is not available' })
    }
    if (this.view.tls === undefined) {
      return go({ code: 530, enhanced: '5.7.0', text: 'Authentication is offered over TLS only' })
    }
    if (!this.view.esmtp) return go(badSequence('Say EHLO first'))
    if (this.authenticated) return go(badSequence('Authenticated already'))
    if (this.#authFailures >= this.#terms.limits.authFailures) return close(TOO_MANY_GUESSES)
    if (argument === '') return go({ code: 501, enhanced: '5.5.4', text: 'Syntax: AUTH mechanism' })
    const step = beginAuth(argument)
    if (step === undefined) return go({ code: 504, enhanced: '5.5.4', text: 'Mechanism is not supported' })
    return this.#advanceAuth(step)
  }

  #respond(exchange: AuthExchange, line: string): MaybePromise<Step> {
    this.#auth = undefined
    return this.#advanceAuth(continueAuth(exchange, line))
  }

  #advanceAuth(step: AuthStep): MaybePromise<Step> {
    if (step.kind === 'challenge') {
      this.#auth = step.exchange
      return go({ code: 334, text: step.text })
    }
    if (step.kind === 'cancelled')
      return go({ code: 501, enhanced: '5.7.0', text: 'Authentication cancelled' })
    if (step.kind === 'malformed') {
      return go({ code: 501, enhanced: '5.5.2', text: 'Malformed authentication response' })
    }
    return this.#authenticate(step.username, step.password)
  }

  #authenticate(username: string, password: string): MaybePromise<Step> {
    this.authenticating = true
    this.#authFailures += 1
    const verdict = this.#ask(
      () => this.#terms.handler.authenticate?.(this.view, username, password),
      () => {
        this.authenticated = true
        return AUTHENTICATED
      },
    )
    return after(verdict, (step) => {
      this.authenticating = false
      return step
    })
  }

  /** Asks the handler. A reply below 400, and no reply, let the command pass; `pass` then does what it is for. */
  #ask(callback: () => Answer, pass: () => Reply): MaybePromise<Step> {
    const take = (answer: Reply | undefined): Step => {
      if (answer === undefined) return go(pass())
      if (answer.code < 400) pass()
      return go(answer)
    }
    const broken = (error: unknown): Step => {
      this.#terms.onError(error, this.view)
      return go(BROKEN)
    }
    try {
      const answer = callback()
      return answer instanceof Promise ? answer.then(take, broken) : take(answer)
    } catch (error) {
      return broken(error)
    }
  }

  #tally(step: Step): Step {
    // RFC 5321 §3.8: 421 says that the connection closes, so a handler's closes it.
    if (step.reply.code === 421 || 'last' in step.reply) return close(step.reply)
    return step.reply.code < 500 || step.next === 'close' ? step : this.#countError(step)
  }

  #countError(step: Step): Step {
    this.#errors += 1
    return this.#errors > this.#terms.limits.errors ? close(TOO_MANY_ERRORS) : step
  }

  #resetEnvelope(): void {
    this.view.envelope.from = undefined
    this.view.envelope.to = []
    this.view.envelope.utf8 = false
    this.#rcptSeen = false
    this.#recipientsTooMany = 0
  }
}

function after(step: MaybePromise<Step>, then: (step: Step) => Step): MaybePromise<Step> {
  return step instanceof Promise ? step.then(then) : then(step)
}

function go(reply: Reply): Step {
  return { next: 'command', reply }
}

function close(reply: Reply): Step {
  return { next: 'close', reply }
}

function contentStep(answer: DataSink | Reply): Step {
  return 'code' in answer ? go(answer) : { next: 'content', reply: GO_AHEAD, sink: answer }
}

function otherCommand(verb: string, argument: string): Step {
  switch (verb) {
    case 'VRFY':
      if (argument === '') return go({ code: 501, enhanced: '5.5.4', text: 'Syntax: VRFY address' })
      // RFC 5321 §7.3: says nothing about who exists.
      return go({ code: 252, enhanced: '2.0.0', text: 'Cannot verify; send the message to find out' })
    case 'EXPN':
      return go({ code: 502, enhanced: '5.5.1', text: 'EXPN is not available' })
    case 'HELP':
      return go({ code: 214, enhanced: '2.0.0', text: 'This is SMTP as in RFC 5321' })
    case 'BDAT':
      // RFC 3030 §2: bytes of a message follow at once; they must never be read as commands.
      return close({ code: 502, enhanced: '5.5.1', text: 'CHUNKING is not available' })
    default:
      return FOREIGN_PROTOCOL.has(verb)
        ? close({ code: 500, enhanced: '5.5.1', text: 'This is SMTP' })
        : go({ code: 500, enhanced: '5.5.1', text: 'Command not recognized' })
  }
}

function badSequence(text: string): Reply {
  return { code: 503, enhanced: '5.5.1', text }
}

function noArgument(verb: string): Reply {
  return { code: 501, enhanced: '5.5.4', text: `${verb} takes no argument` }
}

/** Where a line's end is ambiguous nothing behind it can be trusted, so the connection closes. */
function lineRefusal(line: LineFault, inAuth: boolean): Step {
  if (line.fault !== 'too-long') return close(line.fault === 'endless' ? LINE_TOO_LONG : BARE_LINE_END)
  return go(inAuth || /^AUTH /i.test(line.start) ? AUTH_LINE_TOO_LONG : LINE_TOO_LONG)
}

/** RFC 5321 §4.1.4: no mail is refused for the name that its client gives itself. It goes into logs and Received fields,
 *  so of any other name stays what means nothing there (the brackets of an address literal are in none of them). */
function safeName(argument: string): string {
  return argument.replaceAll(/[^A-Za-z0-9._:[\]-]+/g, '').slice(0, 255) || 'unknown'
}
