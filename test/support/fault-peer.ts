import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls'

/** What a peer answers: a reply with its code; or `silence`; or `close` ends the connection and `reset` breaks it off; or
 *  `endless` begins a reply that never ends; or it says a reply an octet at a time. */
export type FaultAnswer = string | { readonly dribble: string; readonly everyMs: number }

/** Where a peer may misbehave. `half`: when half a content of some length has come. */
export type Moment = 'greeting' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'half' | '.'

/** One connection as the peer sees it. */
export interface FaultSession {
  readonly connection: number
  /** Contents that were answered 250 on it. */
  taken: number
  from: string
  to: string
  secure: boolean
}

/** Undefined gets the usual answer. */
export type FaultScript = (moment: Moment, session: FaultSession) => FaultAnswer | undefined

/** A content whose final dot came. */
export interface Arrival {
  /** Its X-Fault-Id. */
  readonly id: string
  readonly sha256: string
  readonly from: string
  readonly to: string
  readonly secure: boolean
  /** False: the peer had it, and did not say so. */
  readonly acknowledged: boolean
  readonly connection: number
}

export interface FaultPeer {
  readonly port: number
  readonly ledger: Arrival[]
  /** Every moment that a client reached. */
  readonly seen: Map<Moment, number>
  /** All so far, and the most that were open at once. */
  readonly connections: { total: number; open: number; most: number }
  /** May be changed while it runs. */
  script: FaultScript
  /** Offers STARTTLS with these; may be changed too. */
  tls: SecureContextOptions | undefined
}

export interface FaultPeerOptions {
  readonly port?: number
  readonly tls?: SecureContextOptions
  /** Further EHLO keywords once the connection is secure. */
  readonly extensions?: readonly string[]
}

const USUAL: Record<Exclude<Moment, 'half'>, string> = {
  greeting: '220 mx.test ESMTP',
  EHLO: '250 mx.test',
  STARTTLS: '220 2.0.0 Go on',
  AUTH: '235 2.7.0 Welcome',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: '354 Go on',
  '.': '250 2.0.0 Taken',
}
const MOMENTS = new Set(Object.keys(USUAL))

/** A server that misbehaves as the script has it, and keeps a ledger of all that it was given. */
export async function startFaultPeer(
  t: TestContext,
  script: FaultScript = () => undefined,
  options: FaultPeerOptions = {},
): Promise<FaultPeer> {
  const peer: FaultPeer = {
    port: 0,
    ledger: [],
    seen: new Map(),
    connections: { total: 0, open: 0, most: 0 },
    script,
    tls: options.tls,
  }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    const { connections } = peer
    sockets.add(socket)
    connections.open++
    connections.most = Math.max(connections.most, connections.open)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      connections.open--
    })
    const session = { connection: connections.total++, taken: 0, from: '', to: '', secure: false }
    new Conversation(peer, session, options, socket).begin()
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return Object.assign(peer, { port: address.port })
}

class Conversation {
  readonly #peer: FaultPeer
  readonly #session: FaultSession
  readonly #options: FaultPeerOptions
  #socket: Socket
  #unread = ''
  #inContent = false
  /** It said its last word, or will never say another. */
  #over = false

  constructor(peer: FaultPeer, session: FaultSession, options: FaultPeerOptions, socket: Socket) {
    this.#peer = peer
    this.#session = session
    this.#options = options
    this.#socket = socket
  }

  begin(): void {
    this.#listen()
    this.#answer('greeting')
  }

  #listen(): void {
    this.#socket.on('data', (chunk) => {
      this.#unread += chunk.toString('latin1')
      while (!this.#over && (this.#inContent ? this.#hearContent() : this.#hearCommand()));
    })
  }

  #hearCommand(): boolean {
    const end = this.#unread.indexOf('\r\n')
    if (end < 0) return false
    const command = this.#unread.slice(0, end)
    this.#unread = this.#unread.slice(end + 2)
    const verb = command.split(/[ :]/, 1)[0]?.toUpperCase() ?? ''
    const path = /<(.*?)>/.exec(command)?.[1] ?? ''
    if (verb === 'MAIL') this.#session.from = path
    if (verb === 'RCPT') this.#session.to = path
    if (verb === 'QUIT') this.#socket.end('221 2.0.0 Bye\r\n')
    else if (verb === 'RSET') this.#say('250 2.0.0 Ok')
    else if (isMoment(verb)) this.#answer(verb)
    else this.#say('500 5.5.2 What?')
    return true
  }

  #hearContent(): boolean {
    const end = this.#unread.indexOf('\r\n.\r\n')
    if (end < 0 && this.#unread.length > 0) {
      const fault = this.#peer.script('half', this.#session)
      if (fault !== undefined) this.#do(fault)
    }
    if (end < 0) return false
    const content = this.#unread.slice(0, end + 2).replaceAll('\r\n..', '\r\n.')
    this.#unread = this.#unread.slice(end + 5)
    this.#inContent = false
    const answer = this.#answer('.')
    const acknowledged = answer.startsWith('2')
    if (acknowledged) this.#session.taken++
    const { from, to, secure, connection } = this.#session
    const id = /^X-Fault-Id: (.*)\r$/m.exec(content)?.[1] ?? ''
    // A refusal gives it back: it is the sender's again, and nobody's here.
    if (!/^[45]/.test(answer))
      this.#peer.ledger.push({ id, sha256: hashOf(content), from, to, secure, acknowledged, connection })
    return true
  }

  /** Out: the reply, or the fault's name. */
  #answer(moment: Exclude<Moment, 'half'>): string {
    const { seen, script } = this.#peer
    seen.set(moment, (seen.get(moment) ?? 0) + 1)
    const answer = script(moment, this.#session) ?? this.#usual(moment)
    const words = typeof answer === 'string' ? answer : answer.dribble
    this.#inContent = moment === 'DATA' && words.startsWith('354')
    this.#do(answer)
    if (moment === 'STARTTLS' && words.startsWith('220')) this.#secure()
    return words
  }

  #usual(moment: Exclude<Moment, 'half'>): string {
    if (moment !== 'EHLO') return USUAL[moment]
    const { tls } = this.#peer
    const { extensions = [] } = this.#options
    const offers = this.#session.secure ? extensions : tls ? ['STARTTLS'] : []
    const lines = [USUAL.EHLO.slice(4), ...offers]
    return lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n')
  }

  #secure(): void {
    const { tls } = this.#peer
    if (!tls) return
    this.#socket.removeAllListeners('data')
    this.#unread = ''
    const secure = new TLSSocket(this.#socket, { isServer: true, secureContext: createSecureContext(tls) })
    secure.on('error', () => this.#socket.destroy())
    this.#socket = secure
    this.#session.secure = true
    this.#listen()
  }

  #do(answer: FaultAnswer): void {
    if (answer === 'silence') this.#over = true
    else if (answer === 'endless') this.#sayForEver()
    else if (typeof answer === 'object') this.#dribble(answer.dribble, answer.everyMs)
    else if (answer === 'close' || answer === 'reset') {
      this.#over = true
      if (answer === 'close') this.#socket.end()
      else this.#socket.resetAndDestroy()
    } else this.#say(answer)
  }

  #say(answer: string): void {
    this.#socket.write(`${answer}\r\n`)
    if (!/^[24]21/.test(answer)) return
    this.#over = true
    this.#socket.end()
  }

  #sayForEver(): void {
    this.#over = true
    const timer = setInterval(() => {
      if (this.#socket.writable) this.#socket.write(`250-${'and so on '.repeat(50)}\r\n`.repeat(20))
      else clearInterval(timer)
    }, 5)
  }

  #dribble(reply: string, everyMs: number): void {
    const octets = `${reply}\r\n`.split('')
    const timer = setInterval(() => {
      const octet = octets.shift()
      if (octet !== undefined && this.#socket.writable) this.#socket.write(octet)
      else clearInterval(timer)
    }, everyMs)
  }
}

function isMoment(verb: string): verb is Exclude<Moment, 'half'> {
  return MOMENTS.has(verb) && verb !== 'greeting' && verb !== '.'
}

export function hashOf(content: string): string {
  return createHash('sha256').update(content, 'latin1').digest('hex')
}
