import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls'
import { ContentIntake } from './content-intake.ts'
import { Deadline } from './deadline.ts'
import { formatReply } from './format-reply.ts'
import type { HalfOpenHandshake, HalfOpenHandshakes } from './half-open-handshakes.ts'
import type { DataSink } from './handler.ts'
import { LineReader } from './line-reader.ts'
import type { Reply } from './reply.ts'
import {
  MAX_LINE_BYTES,
  type MaybePromise,
  ServerSession,
  type SessionTerms,
  type Step,
} from './server-session.ts'

export interface ConnectionTerms extends SessionTerms {
  readonly tls: ConnectionTls | undefined
  readonly handshakes: HalfOpenHandshakes
}

export interface ConnectionTls {
  readonly mode: 'implicit' | 'starttls'
  /** Asked at each handshake. */
  readonly options: () => { readonly secureContext: SecureContext } & TLSSocketOptions
}

/** So often a content's deadline is moved: not for each octet of a peer that sends them one by one. */
const LIFE_SIGN_BYTES = 4096
/** Replies that may wait for the end of a batch of commands. */
const MAX_BATCH = 16 * 1024
/** How long a connection that we closed may take to read our last reply and close its side. */
const LINGER_MS = 5000

const EARLY: Reply = { code: 554, enhanced: '5.5.1', text: 'Protocol error: you spoke before the greeting' }
const TIMED_OUT: Reply = { code: 421, enhanced: '4.4.2', text: 'Timeout, closing connection' }
const NO_LOGIN: Reply = { code: 421, enhanced: '4.4.2', text: 'Timeout: no login so far, closing connection' }
const TOO_LONG: Reply = {
  code: 421,
  enhanced: '4.4.2',
  text: 'This connection has lasted too long; open another',
}
const NO_LOGIN_SO_FAR: Reply = {
  code: 421,
  enhanced: '4.7.0',
  text: 'Too many connections, and no login in this one so far; try again later',
}
const IDLE: Reply = {
  code: 421,
  enhanced: '4.7.0',
  text: 'Too many connections, and this one is idle; try again later',
}
const PIPELINED_TLS: Reply = {
  code: 554,
  enhanced: '5.5.1',
  text: 'Protocol error: nothing may follow STARTTLS before the handshake',
}

// RFC 3207 §4.
const NO_TLS_NOW: Reply = { code: 454, enhanced: '4.7.0', text: 'TLS not available due to temporary reason' }

/** Whom a connection tells about itself. */
export interface ConnectionWatch {
  loggedIn(): void
  /** A command or a content is being worked at. */
  working(): void
  /** The next command is waited for. */
  waiting(): void
  closed(): void
}

type State = 'handshake' | 'greeting' | 'open' | 'closing' | 'closed'

/** One connection: bytes in, replies out. It feeds the session line by line and the content chunk by chunk, one thing
 *  at a time, and holds the peer back (at most one chunk is kept) while a callback is under way or the peer does not
 *  read its replies. Replies to commands that came together go out together (RFC 2920 §3.2). */
export class ServerConnection {
  readonly #terms: ConnectionTerms
  readonly #session: ServerSession
  /** Whom it is counted for. */
  readonly #address: string
  readonly #watch: ConnectionWatch
  readonly #lines = new LineReader(MAX_LINE_BYTES)
  readonly #deadline: Deadline
  /** From the greeting to the login, whatever is said in between. */
  readonly #loginDeadline: Deadline
  #socket: Socket
  #state: State = 'handshake'
  #handshaking: HalfOpenHandshake | undefined
  #content: ContentIntake | undefined
  /** A callback is under way that the next byte has to wait for. */
  #busy = false
  /** The peer does not read its replies; 'drain' goes on. */
  #blocked = false
  #paused = false
  #peerEnded = false
  #greeted = false
  #quietBytes = 0
  /** When the content will have stood still for too long. */
  #contentDue = 0
  /** When no further command is taken. */
  readonly #lastCommandAt: number
  #out = ''

  constructor(socket: Socket, address: string, terms: ConnectionTerms, watch: ConnectionWatch) {
    this.#terms = terms
    this.#socket = socket
    this.#address = address
    this.#watch = watch
    this.#session = new ServerSession(terms, {
      remoteAddress: plainAddress(socket.remoteAddress),
      remotePort: socket.remotePort ?? 0,
      destroy: () => this.#socket.destroy(),
    })
    this.#deadline = new Deadline(() => this.#giveUp(TIMED_OUT))
    this.#loginDeadline = new Deadline(() => this.#giveUp(NO_LOGIN))
    this.#lastCommandAt = performance.now() + terms.limits.sessionMs
  }

  start(): void {
    if (this.#terms.tls?.mode === 'implicit') {
      this.#beginHandshake()
      return this.#handshake(this.#terms.tls)
    }
    this.#listen(this.#socket)
    this.#greet()
  }

  /** Lets a transaction finish and closes; at once where there is none. */
  shutDown(): void {
    this.#session.draining = true
    if (this.#state === 'handshake') this.#socket.destroy()
    else if (!this.#busy) this.#closeIfDrained()
  }

  /** Ends it for the sake of another one. */
  giveWay(): void {
    this.#giveUp(this.#terms.handler.authenticate === undefined ? IDLE : NO_LOGIN_SO_FAR)
  }

  /** Ends it now. */
  kill(): void {
    this.#content?.abort('shutdown')
    this.#socket.destroy()
  }

  #greet(): void {
    this.#state = 'greeting'
    this.#greeted = true
    this.#await(this.#session.greet())
    this.#advance()
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#received)
    socket.on('end', this.#ended)
    socket.on('drain', this.#drained)
    // Its 'close' follows; a peer that resets a connection is no news.
    socket.on('error', ignore)
    socket.on('close', this.#closed)
  }

  readonly #received = (chunk: Buffer): void => {
    if (this.#state === 'closing') return
    // RFC 5321 §3.1: the client waits for the greeting. Who does not is no mail server.
    if (this.#state === 'greeting') return this.#hangUp(EARLY)
    if (this.#busy || this.#blocked) {
      this.#lines.push(chunk)
      this.#pause()
      return
    }
    if (this.#content === undefined) {
      this.#lines.push(chunk)
    } else {
      this.#feed(this.#content, chunk)
    }
    this.#advance()
  }

  readonly #ended = (): void => {
    this.#peerEnded = true
    // Nobody shakes hands with half a connection.
    if (this.#state === 'handshake') return void this.#socket.destroy()
    // A verdict on credentials is of no use to who can send nothing after it, so this peer is gone.
    if (this.#session.authenticating && this.#lines.unread === 0) return this.#hangUp()
    this.#advance()
  }

  readonly #drained = (): void => {
    this.#blocked = false
    this.#advance()
  }

  readonly #closed = (): void => {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#endHandshake()
    this.#deadline.dispose()
    this.#loginDeadline.dispose()
    this.#content?.abort('disconnected')
    if (this.#greeted) this.#session.closed()
    this.#watch.closed()
  }

  /** Works off what has arrived, until there is no more or something has to be waited for. */
  #advance(): void {
    while (!this.#busy && !this.#blocked && this.#state === 'open') {
      if (this.#content !== undefined) {
        if (this.#lines.unread === 0) break
        this.#feed(this.#content, this.#lines.take())
      } else {
        const line = this.#lines.next()
        if (line === undefined) break
        this.#await(this.#session.command(line))
      }
      if (this.#out.length > MAX_BATCH) this.#flush()
    }
    if (this.#busy || this.#blocked || this.#state !== 'open') return
    if (!this.#flush()) return
    if (this.#peerEnded) return this.#hangUp()
    if (this.#paused) {
      this.#paused = false
      this.#socket.resume()
    }
  }

  #await(step: MaybePromise<Step>): void {
    if (step instanceof Promise) void this.#awaitPromise(step)
    else this.#perform(step)
  }

  async #awaitPromise(pending: Promise<Step>): Promise<void> {
    const loggingIn = this.#session.authenticating
    this.#suspend()
    if (loggingIn) this.#loginDeadline.pause()
    // The session never rejects.
    const step = await pending
    this.#busy = false
    if (this.#state === 'closing' || this.#state === 'closed') return this.#discard(step)
    if (loggingIn) this.#loginDecided()
    this.#perform(step)
    this.#advance()
  }

  #loginDecided(): void {
    if (!this.#session.authenticated) return this.#loginDeadline.resume()
    this.#loginDeadline.dispose()
    this.#watch.loggedIn()
  }

  #perform(step: Step): void {
    if (step.next === 'close') return this.#hangUp(step.reply)
    if (step.next === 'tls') return this.#startTls(step.reply)
    this.#out += formatReply(step.reply)
    if (this.#state === 'greeting') this.#beginSession()
    if (step.next === 'content') this.#beginContent(step.sink)
    else this.#expectCommand()
  }

  #beginSession(): void {
    this.#state = 'open'
    const { handler, limits } = this.#terms
    if (handler.authenticate !== undefined) this.#loginDeadline.set(limits.beforeAuthMs)
  }

  /** A content that nobody can send any more. */
  #discard(step: Step): void {
    if (step.next === 'content') this.#intake(step.sink).abort('disconnected')
  }

  #expectCommand(): void {
    const { authMs, idleMs } = this.#terms.limits
    const left = this.#lastCommandAt - performance.now()
    // Said here and not by a timer, which a peer that never pauses would keep from firing.
    if (left <= 0) return this.#hangUp(TOO_LONG)
    this.#deadline.set(Math.min(this.#session.inAuth ? authMs : idleMs, left))
    this.#watch.waiting()
    this.#closeIfDrained()
  }

  #closeIfDrained(): void {
    const { draining, inTransaction } = this.#session
    if (draining && !inTransaction && this.#state === 'open') this.#perform(this.#session.shutDown())
  }

  #intake(sink: DataSink): ContentIntake {
    const { limits, features } = this.#terms
    return new ContentIntake(sink, {
      messageBytes: limits.messageBytes,
      textLineBytes: limits.textLineBytes,
      bareLineEnds: features.bareLineEnds,
      broken: (error) => this.#session.contentBroken(error),
    })
  }

  #beginContent(sink: DataSink): void {
    const { dataMs } = this.#terms.limits
    this.#content = this.#intake(sink)
    this.#quietBytes = 0
    this.#contentDue = performance.now() + dataMs
    this.#deadline.set(dataMs)
    this.#watch.working()
  }

  /** What has come gives the peer time back, and never more than it began with: nobody saves up time to be slow in. */
  #expectContent(): void {
    const { dataMs, dataBytesPerSecond } = this.#terms.limits
    const now = performance.now()
    const earned = (this.#quietBytes / dataBytesPerSecond) * 1000
    this.#quietBytes = 0
    this.#contentDue = Math.min(this.#contentDue + earned, now + dataMs)
    this.#deadline.set(this.#contentDue - now)
  }

  #feed(content: ContentIntake, chunk: Buffer): void {
    this.#quietBytes += chunk.length
    if (this.#quietBytes >= LIFE_SIGN_BYTES) this.#expectContent()
    const { rest, flood, wait } = content.take(chunk)
    if (flood) return this.#hangUp(content.refusal)
    if (rest !== undefined) {
      if (rest.length > 0) this.#lines.push(rest)
      void this.#finishContent(content, wait)
      return
    }
    if (wait !== undefined) void this.#waitForSink(wait)
  }

  async #waitForSink(wait: Promise<void>): Promise<void> {
    const since = performance.now()
    this.#suspend()
    await wait
    this.#busy = false
    if (this.#state !== 'open') return
    this.#contentDue += performance.now() - since
    this.#expectContent()
    this.#advance()
  }

  async #finishContent(content: ContentIntake, wait: Promise<void> | undefined): Promise<void> {
    this.#suspend()
    if (wait !== undefined) await wait
    const reply = await content.finish()
    this.#content = undefined
    this.#busy = false
    if (this.#state !== 'open') return
    this.#perform(this.#session.contentEnded(reply))
    this.#advance()
  }

  #suspend(): void {
    this.#busy = true
    // We are the slow one now.
    this.#deadline.clear()
    this.#watch.working()
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  /** Whether the peer reads what it is sent; one that does not must not fill our memory with replies. */
  #flush(): boolean {
    if (this.#out !== '') {
      this.#blocked = !this.#socket.write(this.#out, 'latin1')
      this.#out = ''
    }
    return !this.#blocked
  }

  /** Ends it, with a last word where it speaks already. */
  #giveUp(reply: Reply): void {
    this.#content?.abort('timeout')
    if (this.#state === 'handshake' || this.#state === 'closing') this.#socket.destroy()
    else this.#hangUp(reply)
  }

  /** Sends what is left to say and closes, giving the peer the time to read it. */
  #hangUp(reply?: Reply): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    if (reply !== undefined) this.#out += formatReply(reply)
    this.#flush()
    this.#state = 'closing'
    this.#loginDeadline.dispose()
    this.#content?.abort('disconnected')
    this.#deadline.set(LINGER_MS)
    this.#socket.end()
    // What still comes is read and forgotten: unread bytes would turn our FIN into a RST, which takes the reply along.
    this.#socket.resume()
  }

  #startTls(reply: Reply): void {
    const { tls } = this.#terms
    if (tls === undefined) return
    // RFC 3207 §4.2 and CVE-2011-0411: what was sent in clear must not be taken for something said over TLS.
    if (!this.#lines.between || this.#socket.readableLength > 0) {
      this.#lines.take()
      return this.#hangUp(PIPELINED_TLS)
    }
    if (!this.#terms.handshakes.makeRoom(this.#address))
      return this.#perform({ next: 'command', reply: NO_TLS_NOW })
    const plain = this.#socket
    this.#suspend()
    plain.off('data', this.#received)
    plain.off('end', this.#ended)
    plain.off('drain', this.#drained)
    plain.pause()
    this.#beginHandshake()
    plain.write(this.#out + formatReply(reply), 'latin1', (error) => {
      if (!error && this.#state === 'handshake') this.#handshake(tls)
    })
    this.#out = ''
  }

  #beginHandshake(): void {
    this.#state = 'handshake'
    this.#deadline.set(this.#terms.limits.handshakeMs)
    this.#handshaking = this.#terms.handshakes.enter(this.#address, () => {
      this.#socket.destroy()
      this.#closed()
    })
  }

  #endHandshake(): void {
    if (this.#handshaking !== undefined) this.#terms.handshakes.leave(this.#handshaking)
    this.#handshaking = undefined
  }

  #handshake(tls: ConnectionTls): void {
    const first = !this.#greeted
    const plain = this.#socket
    let secure: TLSSocket
    try {
      secure = new TLSSocket(plain, {
        ...tls.options(),
        isServer: true,
        allowHalfOpen: true,
      } as TLSSocketOptions)
    } catch (error) {
      this.#terms.onError(error, this.#session.view)
      plain.destroy()
      return this.#closed()
    }
    this.#socket = secure
    secure.once('secure', () => {
      this.#endHandshake()
      secure.disableRenegotiation()
      this.#session.secured({ protocol: secure.getProtocol() ?? 'TLS', cipher: secure.getCipher().name })
      this.#busy = false
      if (first) return this.#greet()
      this.#state = 'open'
      this.#expectCommand()
      this.#advance()
    })
    this.#listen(secure)
    plain.off('close', this.#closed)
    plain.on('error', ignore)
    plain.once('close', () => secure.destroy())
  }
}

function ignore(): void {}

/** An IPv4 peer of a dual-stack listener is an IPv4 peer. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
}
