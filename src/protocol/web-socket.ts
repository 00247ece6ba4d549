import { createHash } from 'node:crypto'

/** The frames of a WebSocket as a server has them (RFC 6455) that has things to say and nothing to hear: what a client
 *  sends as data is passed over, octet by octet, and never held. */

/** What a client asked for, said back (§4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/** Base64 of 16 octets (§4.2.1). */
export function isWebSocketKey(key: string): boolean {
  return /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(key)
}

const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa
const FINAL = 0x80
const LONGEST_CONTROL = 125

export function textFrame(text: string): Buffer {
  return frame(TEXT, Buffer.from(text))
}

export function pingFrame(): Buffer {
  return frame(PING, Buffer.alloc(0))
}

/** `payload`: the ping's. */
export function pongFrame(payload: Uint8Array): Buffer {
  return frame(PONG, payload)
}

/** The reason has 123 octets at most (§5.5.1). */
export function closeFrame(code: number, reason: string): Buffer {
  const status = Buffer.alloc(2)
  status.writeUInt16BE(code)
  return frame(CLOSE, Buffer.concat([status, Buffer.from(reason)]))
}

/** A server's frames are not masked (§5.1). */
function frame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head.writeUInt8(FINAL | opcode, 0)
  head.writeUInt8(head.length === 2 ? length : head.length === 4 ? 126 : 127, 1)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

/** What a client said that wants an answer. */
export type Heard =
  | { readonly kind: 'ping'; readonly payload: Buffer }
  | { readonly kind: 'close' }
  /** The connection is over, with this status (§7.4.1). */
  | { readonly kind: 'fault'; readonly code: 1002 | 1009; readonly reason: string }

/** Of a message that is passed over anyway. */
const LONGEST_MESSAGE = 65_536

interface Frame {
  readonly opcode: number
  readonly final: boolean
  readonly mask: Buffer | undefined
  /** Octets of the payload that are still to come. */
  left: number
  /** Of a control frame. */
  payload: Buffer
}

/** Reads what a client sends, in whatever pieces it comes. Holds one head and one control frame at most. Nothing comes
 *  after a fault or a close.
 *
 *  Unlike §5.1 it takes frames that are not masked: wrangler's first one is not. Masks protect what stands between two
 *  ends from a page in a browser, whose frames the browser masks. */
export function webSocketReader(): (chunk: Uint8Array) => readonly Heard[] {
  let head = Buffer.alloc(0)
  let current: Frame | undefined
  /** Octets of the message whose next fragment is awaited. */
  let fragments: number | undefined
  let over = false

  function begin(): Frame | Heard | undefined {
    const parsed = readHead(head)
    if (!parsed || 'kind' in parsed) return parsed
    const { opcode, final, left } = parsed
    if (opcode >= CLOSE)
      return final && left <= LONGEST_CONTROL ? parsed : fault('A control frame is short and whole.')
    if ((opcode === 0) !== (fragments !== undefined)) return fault('The fragments are out of order.')
    const octets = (fragments ?? 0) + left
    if (octets > LONGEST_MESSAGE) return { kind: 'fault', code: 1009, reason: 'Nothing is read here.' }
    fragments = final ? undefined : octets
    return parsed
  }

  return (chunk) => {
    const heard: Heard[] = []
    for (let at = 0; at < chunk.length && !over; ) {
      if (!current) {
        head = Buffer.concat([head, chunk.subarray(at, ++at)])
        const begun = begin()
        if (!begun) continue
        if ('kind' in begun) heard.push(begun)
        else current = begun
        head = Buffer.alloc(0)
      }
      if (current) {
        const part = chunk.subarray(at, at + current.left)
        at += part.length
        current.left -= part.length
        if (current.opcode >= CLOSE) current.payload = Buffer.concat([current.payload, part])
        if (current.left > 0) continue
        heard.push(...finish(current))
        current = undefined
      }
      over = heard.some(({ kind }) => kind !== 'ping')
    }
    return heard
  }
}

/** §5.2. Undefined while there is more to come. */
function readHead(head: Buffer): Frame | Heard | undefined {
  const [first = 0, second] = head
  if (second === undefined) return undefined
  const opcode = first & 0x0f
  if ((first & 0x70) !== 0) return fault('No extension was agreed on.')
  if (opcode > PONG || (opcode > 2 && opcode < CLOSE)) return fault('There is no such kind of frame.')
  const short = second & 0x7f
  const maskAt = short === 127 ? 10 : short === 126 ? 4 : 2
  const isMasked = (second & 0x80) !== 0
  if (head.length < maskAt + (isMasked ? 4 : 0)) return undefined
  const length = short === 127 ? head.readBigUInt64BE(2) : short === 126 ? head.readUInt16BE(2) : short
  return {
    ...{ opcode, final: (first & FINAL) !== 0, payload: Buffer.alloc(0) },
    mask: isMasked ? head.subarray(maskAt, maskAt + 4) : undefined,
    // More than fits into a number is more than anybody may send.
    left: Number(length),
  }
}

function finish({ opcode, mask, payload }: Frame): readonly Heard[] {
  if (opcode === CLOSE) return [payload.length === 1 ? fault('A status has two octets.') : { kind: 'close' }]
  if (opcode !== PING) return []
  const plain = Buffer.from(payload.map((octet, index) => octet ^ (mask?.[index % 4] ?? 0)))
  return [{ kind: 'ping', payload: plain }]
}

function fault(reason: string): Heard {
  return { kind: 'fault', code: 1002, reason }
}
