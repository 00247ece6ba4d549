import type { Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { Deadline } from './deadline.ts'
import { type RawReply, ReplyReader } from './reply-reader.ts'
import type { TransactionContent } from './smtp-connection.ts'

/** What broke a connection; there is one at most, and nothing more is heard after it.
 *  `timeout`   the peer kept us waiting longer than allowed
 *  `closed`    the peer closed it, or we did
 *  `network`   the system's error: refused, reset, unreachable
 *  `protocol`  what the peer sent is not SMTP
 *  `tls`       the handshake failed
 *  `aborted`   the caller's signal */
export interface SmtpFault {
  readonly reason: 'timeout' | 'closed' | 'network' | 'protocol' | 'tls' | 'aborted'
  /** One line, for logs and for the person who reads the event. */
  readonly message: string
}

export type Heard = RawReply | SmtpFault

export interface ClientTlsInfo {
  readonly protocol: string
  readonly cipher: string
  /** Whether the certificate was verified for the name we wanted. */
  readonly verified: boolean
}

const BLOCK_BYTES = 64 * 1024
const MAX_UNREAD = 64 * 1024
const LINGER_MS = 5000

/** The client's end of a connection: says lines, hears replies one by one and only when asked, so that a peer that
 *  sends more than it should fills no memory. Faults come back as values; the first one closes the connection. */
export class ClientWire {
  readonly closed: Promise<void>
  readonly #record: ((line: string) => void) | undefined
  #hide: ((line: string) => string) | undefined
  readonly #reader = new ReplyReader()
  readonly #deadline = new Deadline(() =>
    this.fail({ reason: 'timeout', message: `Timeout: ${this.#awaited}` }),
  )
  #socket: Socket
  #fault: SmtpFault | undefined
  #awaited = ''
  #answer: ((heard: Heard) => void) | undefined
  #wake: (() => void) | undefined
  /** Whether a dialogue is under way; a peer that speaks outside of one is saying goodbye. */
  #talking = true
  #resolveClosed: () => void = ignore

  constructor(socket: Socket, record: ((line: string) => void) | undefined) {
    this.#socket = socket
    this.#record = record
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#listen(socket)
  }

  get fault(): SmtpFault | undefined {
    return this.#fault
  }

  /** Whether everything the peer sent has been heard. */
  get quiet(): boolean {
    return this.#reader.between
  }

  beginDialogue(): void {
    this.#talking = true
  }

  /** After this, anything the peer sends, and anything it sent too much, closes the connection. */
  endDialogue(): void {
    this.#talking = false
    if (!this.quiet) this.#saidGoodbye()
  }

  /** Takes secrets out of each line that the peer says, until it is called again. */
  conceal(hide: ((line: string) => string) | undefined): void {
    this.#hide = hide
  }

  /** `commands` are one or more whole lines with their CRLF; `recorded` is what the record shows of them. */
  say(commands: string, recorded = commands): void {
    if (this.#record !== undefined)
      for (const line of recorded.trimEnd().split('\r\n')) this.#record(`c: ${line}`)
    if (this.#fault === undefined) this.#socket.write(commands)
  }

  /** The next reply, at once if it is there. `awaited` names it in the fault when it does not come within `ms`. */
  hear(ms: number, awaited: string): Heard | Promise<Heard> {
    const heard = this.#next() ?? this.#fault
    if (heard !== undefined) return heard
    this.#awaited = awaited
    this.#deadline.set(ms)
    this.#socket.resume()
    return new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  /** Writes the content in blocks, each of which the peer has to take within `ms`. `interrupted`: the peer replied
   *  before the end of it. After `sent` the end of the data is on its way. What a source throws is thrown, and has ended
   *  the connection, so that the peer cannot take what it got for the whole. */
  async sayContent(
    { dotStuffed, size }: Pick<TransactionContent, 'dotStuffed' | 'size'>,
    ms: number,
  ): Promise<'sent' | 'interrupted' | SmtpFault> {
    const whole = Buffer.isBuffer(dotStuffed)
    this.#record?.(`c: (content, ${whole ? dotStuffed.length : size} bytes)`)
    try {
      for await (const piece of whole ? [dotStuffed] : dotStuffed()) {
        for (let at = 0; at < piece.length; at += BLOCK_BYTES) {
          // Before a block, not after: once the last one is written, the peer may have the message.
          if (this.#socket.writableNeedDrain && !this.#isOver()) await this.#flowing(ms)
          if (this.#reader.unread > 0) return 'interrupted'
          if (this.#fault !== undefined) return this.#fault
          this.#socket.write(piece.subarray(at, at + BLOCK_BYTES))
        }
      }
    } catch (error) {
      this.fail({ reason: 'aborted', message: 'The content could not be read to its end' })
      throw error
    }
    return 'sent'
  }

  /** Does the TLS handshake over this connection; a fault of it has the reason `tls` and ends the connection. */
  upgrade(options: ConnectionOptions, ms: number): Promise<ClientTlsInfo | SmtpFault> {
    const plain = this.#socket
    plain.off('data', this.#received)
    plain.off('end', this.#ended)
    plain.off('drain', this.#drained)
    plain.off('close', this.#finished)
    const secure = connectTls({ ...options, socket: plain })
    this.#socket = secure
    this.#awaited = 'TLS handshake'
    this.#deadline.set(ms)
    return new Promise((resolve) => {
      const failed = (error: Error): void => {
        const fault: SmtpFault = { reason: 'tls', message: oneLine(error) }
        this.fail(fault)
        resolve(fault)
      }
      this.#wake = () => resolve(this.#fault ?? { reason: 'tls', message: 'Handshake failed' })
      secure.once('error', failed)
      secure.once('secureConnect', () => {
        secure.off('error', failed)
        this.#wake = undefined
        this.#deadline.clear()
        resolve(tlsInfo(secure))
      })
      this.#listen(secure)
    })
  }

  /** Ends the connection for a reason; the first one counts. */
  fail(fault: SmtpFault): void {
    if (this.#fault !== undefined) return
    this.#socket.destroy()
    this.#end(fault)
  }

  /** Closes it from our side, after what was said has gone out. */
  close(): void {
    if (this.#fault !== undefined) return
    const socket = this.#socket
    socket.destroySoon()
    // A peer that takes nothing would keep the socket for as long as the system tries.
    const linger = setTimeout(() => socket.destroy(), LINGER_MS)
    linger.unref()
    socket.once('close', () => clearTimeout(linger))
    this.#end({ reason: 'closed', message: 'Connection closed' })
  }

  #end(fault: SmtpFault): void {
    this.#fault = fault
    this.#deadline.dispose()
    this.#answer?.(fault)
    this.#answer = undefined
    this.#wake?.()
    this.#wake = undefined
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#received)
    socket.on('end', this.#ended)
    socket.on('drain', this.#drained)
    socket.on('error', this.#broken)
    socket.on('close', this.#finished)
  }

  readonly #received = (chunk: Buffer): void => {
    this.#reader.push(chunk)
    if (!this.#talking) return this.#saidGoodbye()
    this.#wake?.()
    const answer = this.#answer
    if (answer === undefined) {
      if (this.#reader.unread > MAX_UNREAD) this.#socket.pause()
      return
    }
    const heard = this.#next()
    if (heard === undefined) return
    this.#answer = undefined
    this.#deadline.clear()
    answer(heard)
  }

  readonly #drained = (): void => this.#wake?.()

  readonly #ended = (): void => this.fail({ reason: 'closed', message: 'The peer closed the connection' })

  readonly #broken = (error: Error): void => this.fail({ reason: 'network', message: oneLine(error) })

  readonly #finished = (): void => {
    this.#ended()
    this.#resolveClosed()
  }

  #next(): Heard | undefined {
    const read = this.#reader.next()
    if (read === undefined) return undefined
    if ('fault' in read) {
      this.fail({ reason: 'protocol', message: `Protocol error: ${read.fault}` })
      return this.#fault
    }
    const next = this.#hide === undefined ? read : { ...read, lines: read.lines.map(this.#hide) }
    if (this.#record !== undefined) {
      for (const [index, line] of next.lines.entries()) {
        this.#record(`s: ${next.code}${index === next.lines.length - 1 ? ' ' : '-'}${line}`)
      }
    }
    return next
  }

  #saidGoodbye(): void {
    const reply = this.#next()
    const words = reply !== undefined && 'code' in reply ? `: ${reply.code} ${reply.lines.join(' ')}` : ''
    this.fail({ reason: 'closed', message: `The peer ended an idle connection${words}` })
  }

  /** The peer has replied, or is gone: while a source made the next piece, nobody waited for it. */
  #isOver(): boolean {
    return this.#reader.unread > 0 || this.#fault !== undefined
  }

  async #flowing(ms: number): Promise<void> {
    this.#awaited = 'the peer does not take the content'
    this.#deadline.set(ms)
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
    this.#deadline.clear()
  }
}

function tlsInfo(secure: TLSSocket): ClientTlsInfo {
  return {
    protocol: secure.getProtocol() ?? 'TLS',
    cipher: secure.getCipher().name,
    verified: secure.authorized,
  }
}

/** A system error's message, from which no line break can get into a log. */
export function oneLine(error: Error): string {
  return error.message.split('\n', 1)[0] ?? error.message
}

function ignore(): void {}
