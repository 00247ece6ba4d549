import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type Bind, bindServer, type Listening, listenLoopback } from '#net/listen-loopback.ts'
import { networkPlaces, type Places } from '#net/network-places.ts'
import { addressScope } from '#net/private-address.ts'
import type { Authority } from '#registry/domains/authority.ts'
import { answerMessage, serverFailure, type Transport, truncatedAnswer } from './dns-answer.ts'
import { type ResponseCode, responseCode } from './response-code.ts'
import {
  openResponseRate,
  type RateVerdict,
  RESPONSE_LIMITS,
  type ResponseLimits,
  type ResponseRate,
} from './response-rate.ts'

/** The DNS door: authoritative answers for the service's own names and for hosted zones, over UDP and TCP.
 *  In: messages of strangers. Out: what the authority says, REFUSED for every other name; never a lookup elsewhere.
 *  Promise: no message ends the process or holds more than a bounded share of it, and nobody is flooded by answers to
 *  questions in a forged name: over UDP they are small, and counted. */
export interface DnsDoor {
  /** The port of UDP and TCP on every host. */
  readonly port: number
  close(): Promise<void>
}

export interface DnsDoorOptions {
  /** Both loopback addresses unless given. */
  readonly hosts?: readonly string[]
  /** 0 takes any port that is free for UDP and TCP on every host. */
  readonly port: number
  readonly authority: Authority
  readonly log: { error(fields: { readonly err: unknown }, message: string): void }
  /** Told of each message, what became of it. */
  readonly onAnswer?: (transport: Transport, answer: DnsAnswered) => void
  readonly limits?: Partial<DnsLimits>
  readonly rate?: Partial<ResponseLimits>
  /** Whose UDP questions and TCP connections are not counted: on loopback nobody forges addresses or is a stranger, unless
   *  given. */
  readonly isTrusted?: (address: string) => boolean
  /** Milliseconds, never stepping back. */
  readonly now?: () => number
}

/** What a message came to: the code of its response, or what was sent in its place. `ignored`: it was no question.
 *  `withheld`: its network had its share. `overloaded`: there were too many at once. */
export type DnsAnswered = ResponseCode | 'ignored' | 'withheld' | 'overloaded'

export interface DnsLimits {
  /** Questions being answered at once over UDP; what comes beyond is dropped, and asked again by its resolver. */
  readonly udpPending: number
  readonly tcpConnections: number
  /** Of these, from one IPv4 address or one IPv6 /64: answers that UDP cannot hold come over TCP alone. */
  readonly tcpConnectionsPerNetwork: number
  /** For a whole message to arrive, and between two of them (RFC 7766 §6.2.3). */
  readonly tcpIdleMs: number
}

const LIMITS: DnsLimits = {
  udpPending: 1000,
  tcpConnections: 200,
  tcpConnectionsPerNetwork: 20,
  tcpIdleMs: 10_000,
}
// A question with EDNS options fits many times over; RFC 7766 would allow 64 KiB of a stranger's memory.
const TCP_MESSAGE_OCTETS = 4096

/** Opens the door. Throws PortUnavailable, which names POSTHORN_DNS_PORT. */
export async function openDnsDoor(options: DnsDoorOptions): Promise<DnsDoor> {
  const { authority, log, port, hosts, isTrusted = isLoopback, now = () => performance.now() } = options
  const { onAnswer = () => {} } = options
  const limits = { ...LIMITS, ...options.limits }
  const counted = openResponseRate({ ...RESPONSE_LIMITS, ...options.rate }, now)
  const counts = networkPlaces(limits.tcpConnectionsPerNetwork)
  const hasPlace: Places = (socket) => isTrusted(socket.remoteAddress ?? '') || counts(socket)
  const rate: ResponseRate = (client, response) => (isTrusted(client) ? 'send' : counted(client, response))

  async function answer(message: Buffer, transport: Transport): Promise<Buffer | undefined> {
    try {
      return await answerMessage(message, transport, authority)
    } catch (err) {
      log.error({ err }, 'a DNS question could not be answered')
      return serverFailure(message)
    }
  }

  const bind: Bind = async (host, wanted) => {
    const tcp = await bindTcp(answer, { limits, hasPlace, onAnswer })(host, wanted)
    try {
      const udp = await bindUdp(answer, { limits, rate, onAnswer })(host, tcp.port)
      return {
        port: tcp.port,
        close: async () => {
          await Promise.all([tcp.close(), udp.close()])
        },
      }
    } catch (error) {
      await tcp.close()
      throw error
    }
  }
  return listenLoopback(bind, {
    door: 'DNS',
    variable: 'POSTHORN_DNS_PORT',
    port,
    ...(hosts && { hosts }),
  })
}

type AnswerFunction = (message: Buffer, transport: Transport) => Promise<Buffer | undefined>
type OnAnswer = NonNullable<DnsDoorOptions['onAnswer']>

function isLoopback(address: string): boolean {
  return addressScope(address) === 'loopback'
}

function bindUdp(
  answer: AnswerFunction,
  {
    limits,
    rate,
    onAnswer,
  }: { readonly limits: DnsLimits; readonly rate: ResponseRate; readonly onAnswer: OnAnswer },
): Bind {
  return async (host, port): Promise<Listening> => {
    const socket = createSocket(host.includes(':') ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' })
    let pending = 0
    let closed = false
    async function respond(message: Buffer, peer: RemoteInfo): Promise<void> {
      // Port 0 cannot be sent to: only a forger has it.
      if (peer.port === 0) return
      if (pending >= limits.udpPending) return onAnswer('udp', 'overloaded')
      pending++
      const response = await answer(message, 'udp')
      pending--
      const reply = response && within(rate(peer.address, response), { message, response })
      onAnswer('udp', reply ? responseCode(reply) : response ? 'withheld' : 'ignored')
      // A peer that cannot be reached has itself to blame: the outcome of the datagram is nobody's concern.
      if (reply && !closed) socket.send(reply, peer.port, peer.address, () => {})
    }
    socket.on('message', (message, peer) => void respond(message, peer))
    await bound(socket, host, port)
    const close = () => {
      closed = true
      return new Promise<void>((resolve) => socket.close(resolve))
    }
    return { port: socket.address().port, close }
  }
}

function within(
  verdict: RateVerdict,
  { message, response }: { readonly message: Buffer; readonly response: Buffer },
): Buffer | undefined {
  if (verdict === 'truncate') return truncatedAnswer(message)
  return verdict === 'send' ? response : undefined
}

async function bound(socket: UdpSocket, host: string, port: number): Promise<void> {
  socket.bind({ address: host, port })
  await once(socket, 'listening')
  // Errors of single datagrams must not end the process.
  socket.on('error', () => {})
}

function bindTcp(
  answer: AnswerFunction,
  {
    limits,
    hasPlace,
    onAnswer,
  }: { readonly limits: DnsLimits; readonly hasPlace: Places; readonly onAnswer: OnAnswer },
): Bind {
  const open = new Set<Socket>()
  const bind = bindServer(() => {
    // A peer may close its half after the last question and still read the answers (RFC 7766 §6.2.4).
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      if (!hasPlace(socket)) return
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      const counted: AnswerFunction = async (message, transport) => {
        const reply = await answer(message, transport)
        onAnswer('tcp', reply ? responseCode(reply) : 'ignored')
        return reply
      }
      void converse(socket, counted, limits.tcpIdleMs)
    })
    server.maxConnections = limits.tcpConnections
    return server
  })
  return async (host, port) => {
    const listening = await bind(host, port)
    const close = () => {
      for (const socket of open) socket.destroy()
      return listening.close()
    }
    return { port: listening.port, close }
  }
}

/** One TCP connection: messages of two length octets and content (RFC 1035 §4.2.2), answered in order. While one is
 *  being answered nothing more is read, so a peer that pipelines without reading waits. */
async function converse(socket: Socket, answer: AnswerFunction, idleMs: number): Promise<void> {
  // A clock for each message, not for each octet: a peer that drips octets gains no time.
  const deadline = setTimeout(() => socket.destroy(), idleMs)
  socket.on('close', () => clearTimeout(deadline))
  socket.on('error', () => {})
  let buffered: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      buffered = Buffer.concat([buffered, chunk])
      for (let message = firstMessage(buffered); message; message = firstMessage(buffered)) {
        const reply = message === 'too-large' ? undefined : await answer(message, 'tcp')
        if (!reply) return void socket.destroy()
        buffered = buffered.subarray(2 + message.length)
        if (!socket.write(framed(reply))) await once(socket, 'drain', { signal: AbortSignal.timeout(idleMs) })
        deadline.refresh()
      }
    }
    socket.end()
  } catch {
    // The peer reset the connection, or does not read what it asked for: nothing is owed to it.
    socket.destroy()
  }
}

function firstMessage(buffered: Buffer): Buffer | 'too-large' | undefined {
  if (buffered.length < 2) return undefined
  const length = buffered.readUInt16BE(0)
  if (length > TCP_MESSAGE_OCTETS) return 'too-large'
  return buffered.length < 2 + length ? undefined : buffered.subarray(2, 2 + length)
}

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
