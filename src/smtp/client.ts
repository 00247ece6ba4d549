import { connect, isIP, type Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { ClientConnection } from './client-connection.ts'
import { type ClientLogin, logIn } from './client-login.ts'
import { DEFAULT_TIMEOUTS, type SmtpTimeouts } from './client-timeouts.ts'
import { type ClientTlsInfo, ClientWire, type Heard, oneLine, type SmtpFault } from './client-wire.ts'
import type { Reply } from './reply.ts'
import { type RawReply, readExtensions, readReply } from './reply-reader.ts'
import type { SmtpConnection } from './smtp-connection.ts'

/** SMTP as a client (RFC 5321): greets, goes over to TLS where it can, and carries any number of transactions over one
 *  connection. In: an address to connect to. Out: a connection, or why there is none.
 *  Promise: whatever the peer does comes back as a value within the time-outs, with bounded memory; nothing in an
 *  envelope can become a command; a result tells apart what was refused, what is lost and what may be there twice. */
export interface ConnectOptions {
  /** The host's name: for SNI and for the certificate. */
  readonly host: string
  /** The IP address to connect to. */
  readonly address: string
  readonly port: number
  readonly localAddress?: string
  readonly ehloName: string
  readonly tls: ClientTls
  /** TLS from the first byte (RFC 8314 §3.3), in place of STARTTLS; `tls` has to be `verify`. */
  readonly implicitTls?: boolean
  /** Logs in, over TLS that is verified; in clear only where `tls` is `none`, which is the caller's word that the way
   *  is safe. */
  readonly login?: ClientLogin
  readonly timeouts?: Partial<SmtpTimeouts>
  /** Ends the attempt to connect; a transaction has its own. */
  readonly signal?: AbortSignal
  /** Hears the dialogue, `c: ` and `s: ` lines, without contents and without credentials. */
  readonly record?: (line: string) => void
}

/** `none`: never. `opportunistic`: STARTTLS where it is offered, whatever the certificate (RFC 7435). `verify`:
 *  STARTTLS with a certificate that holds, or no connection. */
export type ClientTls = 'none' | 'opportunistic' | { readonly verify: VerifyOptions }

/** What the certificate is checked against; by default the system's authorities and `host`. */
export type VerifyOptions = Pick<ConnectionOptions, 'ca' | 'servername' | 'checkServerIdentity'>

/** Why there is no connection. `detail` is one line for logs and events: the peer's words, or what went wrong. */
export type ConnectFailure = { readonly ok: false; readonly detail: string } & (
  | { readonly kind: 'refused'; readonly phase: OpeningPhase; readonly reply: Reply }
  | { readonly kind: 'lost'; readonly phase: OpeningPhase; readonly error: SmtpFault }
  /** No TLS came about. `retryInClear`: it was opportunistic, so a new connection with `none` may do. */
  | {
      readonly kind: 'tls-failed'
      readonly phase: 'tls'
      readonly error: SmtpFault
      readonly retryInClear: boolean
    }
)

/** `hello` is EHLO and, where the peer does not know it, HELO. `auth` is the login; where the peer offers none that we
 *  have, its 504 5.7.4 is ours. */
export type OpeningPhase = 'connect' | 'greeting' | 'hello' | 'starttls' | 'auth'

const NO_AUTH: Reply = {
  code: 504,
  enhanced: '5.7.4',
  text: 'The host offers no login (AUTH PLAIN or LOGIN)',
}

export async function connectSmtp(options: ConnectOptions): Promise<SmtpConnection | ConnectFailure> {
  // RFC 5321 §4.1.1.1; a name of ours that could end the line is a bug of ours.
  if (!/^[!-~]{1,255}$/.test(options.ehloName)) throw new Error('Not a name for EHLO')
  checkProtection(options)
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
  const socket = connect({
    host: options.address,
    port: options.port,
    noDelay: true,
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
  })
  const { signal } = options
  let wire: ClientWire | undefined
  const abort = () => {
    if (wire === undefined) socket.destroy(new Error('Aborted'))
    else wire.fail({ reason: 'aborted', message: 'Aborted' })
  }
  if (signal?.aborted === true) abort()
  signal?.addEventListener('abort', abort)
  try {
    const fault = await connected(socket, timeouts.connectMs)
    if (fault !== undefined) {
      const error: SmtpFault = signal?.aborted === true ? { reason: 'aborted', message: 'Aborted' } : fault
      return lost('connect', error)
    }
    wire = new ClientWire(socket, options.record)
    return await new Opening(wire, options, timeouts).open()
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** Credentials that go to whoever answers, or in clear by a fall-back, are a bug of the caller's. */
function checkProtection({ tls, implicitTls, login }: ConnectOptions): void {
  if (implicitTls === true && typeof tls !== 'object')
    throw new Error('Implicit TLS is verified or not at all')
  if (login === undefined) return
  if (tls === 'opportunistic') throw new Error('A login wants a peer that is verified')
  if (`${login.username}${login.password}`.includes('\0')) throw new Error('NUL in a login')
}

function connected(socket: Socket, ms: number): Promise<SmtpFault | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy()
      resolve({ reason: 'timeout', message: 'Timeout: connect' })
    }, ms)
    const failed = (error: Error): void => {
      clearTimeout(timer)
      resolve({ reason: 'network', message: oneLine(error) })
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve(undefined)
    })
  })
}

type Hello = { readonly extensions: ReadonlyMap<string, string> }

/** The part of a session before its first transaction. */
class Opening {
  readonly #wire: ClientWire
  readonly #options: ConnectOptions
  readonly #timeouts: SmtpTimeouts

  constructor(wire: ClientWire, options: ConnectOptions, timeouts: SmtpTimeouts) {
    this.#wire = wire
    this.#options = options
    this.#timeouts = timeouts
  }

  async open(): Promise<SmtpConnection | ConnectFailure> {
    const secured = this.#options.implicitTls === true ? await this.#secure('connect') : undefined
    if (secured !== undefined && 'ok' in secured) return secured
    const greeting = await this.#wire.hear(this.#timeouts.greetingMs, 'greeting')
    if (!('code' in greeting)) return lost('greeting', greeting)
    if (greeting.code >= 300) return this.#refused('greeting', greeting)
    const hello = await this.#hello()
    if ('ok' in hello) return hello
    if (secured !== undefined || this.#options.tls === 'none') return this.#ready(hello, secured)
    if (!hello.extensions.has('STARTTLS')) return this.#withoutTls(hello)
    return this.#startTls(hello)
  }

  async #hello(): Promise<Hello | ConnectFailure> {
    const ehlo = await this.#ask(`EHLO ${this.#options.ehloName}`)
    if (!('code' in ehlo)) return lost('hello', ehlo)
    if (ehlo.code < 300) return { extensions: readExtensions(ehlo) }
    if (ehlo.code < 500) return this.#refused('hello', ehlo)
    // RFC 5321 §3.2: a peer that does not know EHLO may know HELO.
    const helo = await this.#ask(`HELO ${this.#options.ehloName}`)
    if (!('code' in helo)) return lost('hello', helo)
    return helo.code < 300 ? { extensions: new Map() } : this.#refused('hello', helo)
  }

  async #startTls(hello: Hello): Promise<SmtpConnection | ConnectFailure> {
    const { tls } = this.#options
    const reply = await this.#ask('STARTTLS')
    if (!('code' in reply)) return lost('starttls', reply)
    if (reply.code !== 220) {
      if (tls === 'opportunistic' && reply.code !== 421) return this.#ready(hello, undefined)
      return this.#refused('starttls', reply)
    }
    // A reply that came in clear behind the 220 must not be taken for one that came over TLS.
    if (!this.#wire.quiet) {
      const error: SmtpFault = {
        reason: 'protocol',
        message: 'Protocol error: more than one reply to STARTTLS',
      }
      this.#wire.fail(error)
      return lost('starttls', error)
    }
    const secured = await this.#secure('starttls')
    if ('ok' in secured) return secured
    // RFC 3207 §4.2: what was offered in clear is forgotten.
    const again = await this.#hello()
    return 'ok' in again ? again : this.#ready(again, secured)
  }

  /** The handshake, as part of `phase`. */
  async #secure(phase: OpeningPhase): Promise<ClientTlsInfo | ConnectFailure> {
    const info = await this.#wire.upgrade(this.#tlsOptions(), this.#timeouts.handshakeMs)
    if (!('reason' in info)) return info
    if (info.reason === 'aborted') return lost(phase, info)
    return tlsFailed(info, this.#options.tls === 'opportunistic')
  }

  #tlsOptions(): ConnectionOptions {
    const { host, tls } = this.#options
    const verify: VerifyOptions = typeof tls === 'object' ? tls.verify : {}
    const name = verify.servername ?? host.replace(/\.$/, '')
    // RFC 6066 §3: no address in SNI. Without either name the certificate would be checked for "localhost".
    const identity = isIP(name) === 0 ? { servername: name } : { servername: '', host: name }
    return { ...verify, ...identity, rejectUnauthorized: typeof tls === 'object' }
  }

  async #withoutTls(hello: Hello): Promise<SmtpConnection | ConnectFailure> {
    if (this.#options.tls === 'opportunistic') return this.#ready(hello, undefined)
    this.#goodbye()
    return tlsFailed({ reason: 'tls', message: 'STARTTLS is not offered' }, false)
  }

  async #ready(
    { extensions }: Hello,
    tls: ClientTlsInfo | undefined,
  ): Promise<SmtpConnection | ConnectFailure> {
    const { login } = this.#options
    const failure = login && (await this.#logIn(login, extensions.get('AUTH') ?? ''))
    return failure ?? new ClientConnection(this.#wire, { extensions, tls, timeouts: this.#timeouts })
  }

  async #logIn(login: ClientLogin, offered: string): Promise<ConnectFailure | undefined> {
    const heard = await logIn(this.#wire, login, { offered, ms: this.#timeouts.helloMs })
    if (heard === 'not-offered') {
      this.#goodbye()
      return { ok: false, kind: 'refused', phase: 'auth', reply: NO_AUTH, detail: NO_AUTH.text }
    }
    if (!('code' in heard)) return lost('auth', heard)
    return heard.code < 300 ? undefined : this.#refused('auth', heard)
  }

  #ask(command: string): Heard | Promise<Heard> {
    this.#wire.say(`${command}\r\n`)
    return this.#wire.hear(this.#timeouts.helloMs, `reply to ${command.split(' ', 1)[0] ?? ''}`)
  }

  #refused(phase: OpeningPhase, heard: RawReply): ConnectFailure {
    this.#goodbye()
    const detail = `${heard.code} ${heard.lines.join(' ')}`
    return { ok: false, kind: 'refused', phase, reply: readReply(heard), detail }
  }

  #goodbye(): void {
    this.#wire.say('QUIT\r\n')
    this.#wire.close()
  }
}

function lost(phase: OpeningPhase, error: SmtpFault): ConnectFailure {
  return { ok: false, kind: 'lost', phase, error, detail: error.message }
}

function tlsFailed(error: SmtpFault, retryInClear: boolean): ConnectFailure {
  return { ok: false, kind: 'tls-failed', phase: 'tls', error, retryInClear, detail: error.message }
}
