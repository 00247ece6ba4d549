import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  closeFrame,
  type Heard,
  isWebSocketKey,
  pingFrame,
  pongFrame,
  textFrame,
  webSocketAccept,
  webSocketReader,
} from './web-socket.ts'

/** A client's frame, by its bits (RFC 6455 §5.2). */
interface Sent {
  readonly opcode: number
  readonly payload: Uint8Array
  readonly final?: boolean
  /** Absent: not masked. */
  readonly mask?: Uint8Array | undefined
  readonly reserved?: number
}

function octets({ opcode, payload, final = true, mask, reserved = 0 }: Sent): Buffer {
  const { length } = payload
  const first = (final ? 0x80 : 0) | (reserved << 4) | opcode
  const bit = mask ? 0x80 : 0
  const head =
    length < 126
      ? [first, bit | length]
      : length < 65_536
        ? [first, bit | 126, length >> 8, length & 255]
        : [
            first,
            bit | 127,
            0,
            0,
            0,
            0,
            (length >> 24) & 255,
            (length >> 16) & 255,
            (length >> 8) & 255,
            length & 255,
          ]
  const body = mask ? payload.map((octet, index) => octet ^ (mask[index % 4] ?? 0)) : payload
  return Buffer.concat([Buffer.from(head), mask ?? Buffer.alloc(0), body])
}

/** Cut into pieces of the sizes given, again and again. */
function inPieces(whole: Buffer, sizes: readonly number[]): readonly Heard[] {
  const read = webSocketReader()
  const heard: Heard[] = []
  for (let at = 0, turn = 0; at < whole.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    heard.push(...read(whole.subarray(at, at + size)))
    at += size
  }
  return heard
}

const octetsOf = (most: number) => fc.uint8Array({ maxLength: most })
const mask = fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined })
const control = fc.record({
  ...{ opcode: fc.constantFrom(0x9, 0xa), payload: octetsOf(125), mask },
})
const data = fc.record({ opcode: fc.constantFrom(0x1, 0x2), payload: octetsOf(400), mask })

test('RFC 6455 §1.3: the handshake of the document', () => {
  assert.equal(webSocketAccept('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  assert.ok(isWebSocketKey('dGhlIHNhbXBsZSBub25jZQ=='))
  for (const none of ['', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25jZR==', 'x'.repeat(24)])
    assert.ok(!isWebSocketKey(none), none)
})

test('RFC 6455 §5.7: the frames of the document', () => {
  assert.equal(textFrame('Hello').toString('hex'), '810548656c6c6f')
  assert.equal(textFrame('x'.repeat(256)).subarray(0, 4).toString('hex'), '817e0100')
  assert.equal(textFrame('x'.repeat(65_536)).subarray(0, 10).toString('hex'), '817f0000000000010000')
  assert.equal(pongFrame(Buffer.from('Hello')).toString('hex'), '8a0548656c6c6f')
  assert.equal(pingFrame().toString('hex'), '8900')
  assert.equal(closeFrame(1000, 'bye').toString('hex'), '880503e8627965')
  const read = webSocketReader()
  assert.deepEqual(read(Buffer.from('818537fa213d7f9f4d5158', 'hex')), [])
  assert.deepEqual(read(Buffer.from('890548656c6c6f', 'hex')), [
    { kind: 'ping', payload: Buffer.from('Hello') },
  ])
})

test('pings are heard among whatever else, masked or not, however the octets are cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(fc.array(fc.oneof(control, data), { maxLength: 12 }), sizes, (sent, cut) => {
      const heard = inPieces(Buffer.concat(sent.map(octets)), cut)
      const pings = sent.filter(({ opcode }) => opcode === 0x9)
      assert.deepEqual(
        heard,
        pings.map(({ payload }) => ({ kind: 'ping', payload: Buffer.from(payload) })),
      )
    }),
  )
})

test('a ping between the fragments of a message', () => {
  const some = Buffer.from('some')
  const sent = [
    { opcode: 1, payload: some, final: false },
    { opcode: 9, payload: some },
    { opcode: 0, payload: some, final: false },
    { opcode: 0, payload: some },
    { opcode: 8, payload: Buffer.alloc(0) },
  ]
  assert.deepEqual(
    inPieces(Buffer.concat(sent.map(octets)), [1]).map(({ kind }) => kind),
    ['ping', 'close'],
  )
})

const FAULTS: readonly [name: string, sent: readonly Sent[], code: number][] = [
  ['an extension', [{ opcode: 1, payload: Buffer.alloc(0), reserved: 4 }], 1002],
  ['an unknown kind', [{ opcode: 3, payload: Buffer.alloc(0) }], 1002],
  ['an unknown kind of control', [{ opcode: 0xb, payload: Buffer.alloc(0) }], 1002],
  ['a long ping', [{ opcode: 9, payload: Buffer.alloc(126) }], 1002],
  ['a ping in fragments', [{ opcode: 9, payload: Buffer.alloc(0), final: false }], 1002],
  ['a status of one octet', [{ opcode: 8, payload: Buffer.alloc(1) }], 1002],
  ['a fragment of nothing', [{ opcode: 0, payload: Buffer.alloc(1) }], 1002],
  [
    'a message within a message',
    [
      { opcode: 1, payload: Buffer.alloc(1), final: false },
      { opcode: 1, payload: Buffer.alloc(1) },
    ],
    1002,
  ],
  ['a long message', [{ opcode: 2, payload: Buffer.alloc(65_537) }], 1009],
  [
    'a message that is long in fragments',
    [
      { opcode: 2, payload: Buffer.alloc(40_000), final: false },
      { opcode: 0, payload: Buffer.alloc(40_000) },
    ],
    1009,
  ],
]

for (const [name, sent, code] of FAULTS) {
  test(`${name} ends the connection with ${code}, and nothing after it is heard`, () => {
    const ping = octets({ opcode: 9, payload: Buffer.alloc(0) })
    const heard = inPieces(Buffer.concat([...sent.map(octets), ping]), [7])
    assert.deepEqual(
      heard.map((each) => each.kind === 'fault' && each.code),
      [code],
    )
  })
}

test('a length of 2^63 and more is no length that anybody may send', () => {
  const heard = webSocketReader()(Buffer.from('82ffffffffffffffffff00000000', 'hex'))
  assert.deepEqual(
    heard.map((each) => each.kind === 'fault' && each.code),
    [1009],
  )
})

test('whatever comes, it never throws, and says the same however it is cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(octetsOf(300), sizes, (whole, cut) => {
      const bytes = Buffer.from(whole)
      assert.deepEqual(inPieces(bytes, cut), inPieces(bytes, [bytes.length || 1]))
    }),
  )
})
