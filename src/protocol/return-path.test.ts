import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { decodeBase32, encodeBase32 } from './base32.ts'
import { decodeCfblFeedbackId, encodeCfblFeedbackId } from './cfbl-feedback-id.ts'
import type { TagKey } from './keyed-tag.ts'
import { decodeReturnPath, encodeReturnPath } from './return-path.ts'

const OLD: TagKey = { version: 0, key: createHash('sha256').update('old').digest() }
const NEW: TagKey = { version: 1, key: createHash('sha256').update('new').digest() }
const DELIVERY = '0199c1f27b7a7d3a9c3e1a2b3c4d5e6f'
const anId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'))

describe('return path', () => {
  test('names a delivery in a local part of at most 64 octets, lower case, that needs no quotes', () => {
    fc.assert(
      fc.property(anId, (id) => {
        const local = encodeReturnPath(id, NEW)
        assert.match(local, /^[a-z2-7]{1,64}$/)
        assert.equal(decodeReturnPath(local, [OLD, NEW]), id)
      }),
    )
  })

  test('survives a host that folds case', () => {
    assert.equal(decodeReturnPath(encodeReturnPath(DELIVERY, NEW).toUpperCase(), [NEW]), DELIVERY)
  })

  test('still decodes with an older key while that is kept, and no longer after', () => {
    const local = encodeReturnPath(DELIVERY, OLD)
    assert.equal(decodeReturnPath(local, [NEW, OLD]), DELIVERY)
    assert.equal(decodeReturnPath(local, [NEW]), undefined)
  })

  test('with any one character changed names nothing', () => {
    const local = encodeReturnPath(DELIVERY, NEW)
    fc.assert(
      fc.property(
        fc.nat(local.length - 1),
        fc.constantFrom(...Array.from('abcdefghijklmnopqrstuvwxyz234567')),
        (at, char) => {
          const forged = local.slice(0, at) + char + local.slice(at + 1)
          assert.equal(decodeReturnPath(forged, [NEW]), forged === local ? DELIVERY : undefined)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('a stranger’s local part names nothing, whatever it is', () => {
    const near = fc.string({
      unit: fc.constantFrom(...Array.from('ab27=01K\u212a')),
      minLength: 45,
      maxLength: 49,
    })
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: 'binary' })), (text) => {
        assert.equal(decodeReturnPath(text, [OLD, NEW]), undefined)
      }),
    )
  })

  test('only an id of 32 hex digits can be named', () => {
    for (const id of ['', 'ab', `${DELIVERY}00`, `${DELIVERY.slice(0, 31)}g`]) {
      assert.throws(() => encodeReturnPath(id, NEW), RangeError)
    }
  })
})

describe('CFBL-Feedback-ID', () => {
  test('names a message', () => {
    assert.equal(decodeCfblFeedbackId(` ${encodeCfblFeedbackId(DELIVERY, NEW)} `, [NEW]), DELIVERY)
  })

  test('is no return path, and a return path is none, even under the same key', () => {
    assert.equal(decodeReturnPath(encodeCfblFeedbackId(DELIVERY, NEW), [NEW]), undefined)
    assert.equal(decodeCfblFeedbackId(encodeReturnPath(DELIVERY, NEW), [NEW]), undefined)
  })
})

describe('base32', () => {
  // RFC 4648 §10, without padding and in lower case.
  const VECTORS = {
    '': '',
    f: 'my',
    fo: 'mzxq',
    foo: 'mzxw6',
    foob: 'mzxw6yq',
    fooba: 'mzxw6ytb',
    foobar: 'mzxw6ytboi',
  }
  for (const [text, encoded] of Object.entries(VECTORS)) {
    test(`RFC 4648 §10: BASE32("${text}")`, () => {
      assert.equal(encodeBase32(Buffer.from(text)), encoded)
      assert.equal(decodeBase32(encoded)?.toString(), text)
      assert.equal(decodeBase32(encoded.toUpperCase())?.toString(), text)
    })
  }

  test('bytes come back, and each text that decodes is the one spelling of its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) =>
        assert.deepEqual(decodeBase32(encodeBase32(bytes)), Buffer.from(bytes)),
      ),
    )
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('abz27=A01 ')) }), (text) => {
        const bytes = decodeBase32(text)
        if (bytes) assert.equal(encodeBase32(bytes), text.toLowerCase())
      }),
    )
  })
})
