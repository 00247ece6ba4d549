import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import dnsPacket, { type DecodedPacket } from 'dns-packet'

export interface NameServerAddress {
  readonly address: string
  readonly port: number
}

// Of a zone's NS records, and of whoever answers in its place.
const ANSWER_OCTETS = 16_384

/** What one name server itself says of a name's NS records, without asking others for it. Over TCP, because a forged
 *  datagram would be believed. Undefined for whatever is no answer to the question, a silence of `timeoutMs` included. */
export async function askNameServer(
  server: NameServerAddress,
  name: string,
  timeoutMs: number,
): Promise<DecodedPacket | undefined> {
  const id = randomInt(0x10000)
  const signal = AbortSignal.timeout(timeoutMs)
  const socket = connect({ host: server.address, port: server.port, signal })
  try {
    await once(socket, 'connect', { signal })
    socket.write(dnsPacket.streamEncode({ type: 'query', id, flags: 0, questions: [{ type: 'NS', name }] }))
    const chunks: Buffer[] = []
    let octets = 0
    for await (const chunk of socket.iterator()) {
      chunks.push(chunk)
      octets += chunk.length
      if (octets < 2) continue
      const received = Buffer.concat(chunks)
      const length = received.readUInt16BE(0)
      if (length > ANSWER_OCTETS) return undefined
      if (octets >= 2 + length) return answerTo(received.subarray(2, 2 + length), id, name)
    }
    return undefined
  } catch {
    // Unreachable, silent, or no DNS at all: another server is asked.
    return undefined
  } finally {
    socket.destroy()
  }
}

function answerTo(message: Buffer, id: number, name: string): DecodedPacket | undefined {
  const answer = dnsPacket.decode(message)
  const [question] = answer.questions ?? []
  const same = question?.type === 'NS' && question.name.toLowerCase() === name
  return answer.type === 'response' && answer.id === id && same ? answer : undefined
}
