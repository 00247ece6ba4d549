import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { dkimVerify } from 'mailauth'
import { BodyMeasure } from './body-measure.ts'

const piece = fc.constantFrom('a', 'bc', ' ', '  ', '\t', '\r\n', '\r\n\r\n', ' \r\n', 'é')
const body = fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join('')))

function measured(chunks: readonly Buffer[], canonicalization: string, algorithm: string, limit: number) {
  const measure = new BodyMeasure(canonicalization, algorithm, limit)
  for (const chunk of chunks) measure.update(chunk)
  const hash = measure.digest()
  return {
    hash,
    hashed: measure.bodyHashedBytes,
    length: measure.canonicalizedLength,
    came: measure.byteLength,
  }
}

function cut(octets: Buffer, at: readonly number[]): Buffer[] {
  const cuts = [0, ...at.map((one) => one % (octets.length + 1)).toSorted((a, b) => a - b), octets.length]
  return cuts.slice(1).map((end, index) => octets.subarray(cuts[index], end))
}

test("in whatever pieces, the hash and the lengths are mailauth's", async () => {
  await fc.assert(
    fc.asyncProperty(
      body,
      fc.array(fc.nat(), { maxLength: 5 }),
      fc.constantFrom('simple', 'relaxed'),
      fc.constantFrom('sha1', 'sha256'),
      fc.option(fc.nat({ max: 40 })),
      async (octets, cuts, canonicalization, algorithm, limit) => {
        const tags = `v=1; a=rsa-${algorithm}; c=simple/${canonicalization}; d=d.example; s=s; h=from; bh=x; b=y`
        const signature = `DKIM-Signature: ${tags}${limit === null ? '' : `; l=${limit}`}\r\n`
        const message = Buffer.concat([Buffer.from(`${signature}From: a@d.example\r\n\r\n`), octets])
        const { results } = await dkimVerify(message, {
          resolver: () => Promise.reject(new Error('nobody is asked')),
        })
        const expected = results[0]
        const ours = measured(cut(octets, cuts), canonicalization, algorithm, limit ?? Infinity)
        assert.equal(ours.hash, expected?.bodyHash)
        assert.equal(ours.hashed, expected?.canonBodyLength)
        assert.equal(ours.length, expected?.canonBodyLengthTotal)
        assert.equal(ours.came, octets.length)
      },
    ),
    { numRuns: 300 },
  )
})

test('the examples of RFC 6376 §3.4.5, and what has no end', () => {
  const example = Buffer.from(' C \r\nD \t E\r\n\r\n\r\n')
  assert.equal(measured([example], 'simple', 'sha256', Infinity).length, ' C \r\nD \t E\r\n'.length)
  assert.equal(measured([example], 'relaxed', 'sha256', Infinity).length, ' C\r\nD E\r\n'.length)
  const nothing = Buffer.alloc(0)
  assert.equal(measured([nothing], 'simple', 'sha256', Infinity).length, 2)
  assert.equal(measured([nothing], 'relaxed', 'sha256', Infinity).length, 0)
})

test('a bare CR is an octet, wherever the body is cut', () => {
  const octets = Buffer.from('a\r\r\nb\r')
  for (const canonicalization of ['simple', 'relaxed']) {
    const whole = measured([octets], canonicalization, 'sha256', Infinity)
    assert.equal(whole.length, octets.length + 2)
    for (let at = 0; at <= octets.length; at++) {
      const parts = [octets.subarray(0, at), octets.subarray(at)]
      assert.deepEqual(measured(parts, canonicalization, 'sha256', Infinity), whole)
    }
  }
})
