import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '#model/address.ts'
import { platformHeaders } from './platform-headers.ts'

const cfbl = (returnPathDomain: string) =>
  platformHeaders({
    id: 'a'.repeat(32),
    at: Date.parse('2026-11-20T21:36:00Z'),
    from: 'jane@example.com' as Address,
    accountId: 'b'.repeat(32),
    domainId: 'c'.repeat(32),
    returnPathDomain,
    host: 'posthorn.test',
    protocol: 'HTTP',
    feedbackTag: 'tag',
  }).cfbl

test('complaints go to an address in the From domain or below it (RFC 9477 §3.1)', () => {
  for (const domain of ['cf-bounce.example.com', 'example.com']) {
    assert.deepEqual(cfbl(domain), { address: `fbl@${domain}; report=arf`, feedbackId: 'tag' })
  }
})

test('a return path elsewhere, as of a domain with routing only, leaves the CFBL fields out', () => {
  for (const domain of ['email.posthorn.test', 'badexample.com', 'com']) assert.equal(cfbl(domain), undefined)
})
