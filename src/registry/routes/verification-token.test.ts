import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeVerification, encodeVerification, type VerificationToken } from './verification-token.ts'

const key = Buffer.alloc(32, 1)
const tokens: fc.Arbitrary<VerificationToken> = fc.record({
  destinationId: fc.stringMatching(/^[0-9a-f]{32}$/),
  verifyRound: fc.nat(2 ** 31 - 1),
  expiresAt: fc.nat(2 ** 47),
})

test('a token says what it was made of, and only under its key', () => {
  fc.assert(
    fc.property(tokens, (token) => {
      const text = encodeVerification(token, key)
      assert.match(text, /^[A-Za-z0-9_-]{56}$/)
      assert.deepEqual(decodeVerification(text, key), { ...token })
      assert.equal(decodeVerification(text, Buffer.alloc(32, 2)), undefined)
    }),
  )
})

test('no token that was changed passes', () => {
  fc.assert(
    fc.property(tokens, fc.nat(41), fc.integer({ min: 1, max: 255 }), (token, at, mask) => {
      const bytes = Buffer.from(encodeVerification(token, key), 'base64url')
      bytes[at] = (bytes[at] ?? 0) ^ mask
      assert.equal(decodeVerification(bytes.toString('base64url'), key), undefined)
    }),
  )
})

test('whatever a stranger sends is no token, and throws nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.stringMatching(/^[\w-]{56}$/)), (text) => {
      assert.equal(decodeVerification(text, key), undefined)
    }),
  )
})

test('a MAC of the same bytes for another purpose does not pass', () => {
  const token = { destinationId: 'a'.repeat(32), verifyRound: 0, expiresAt: 1 }
  const said = Buffer.from(encodeVerification(token, key), 'base64url').subarray(0, 26)
  const mac = createHmac('sha256', key).update(said).digest().subarray(0, 16)
  assert.equal(decodeVerification(Buffer.concat([said, mac]).toString('base64url'), key), undefined)
})
