import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Webhook as Verifier } from 'standardwebhooks'
import { openVault } from '#vault/vault.ts'
import { newWebhookSecret, openSecrets, rotated, sealSecrets, signedHeaders } from './webhook-secret.ts'

const MINUTE = 60_000

test('what is signed here verifies with the reference implementation, whatever it says', () => {
  fc.assert(
    fc.property(fc.json(), fc.uuid(), (body, id) => {
      const secret = newWebhookSecret()
      const headers = signedHeaders([{ secret }], { messageId: `msg_${id}`, body, now: Date.now() })
      assert.deepEqual(new Verifier(secret).verify(body, { ...headers }), JSON.parse(body))
      assert.throws(() => new Verifier(newWebhookSecret()).verify(body, { ...headers }))
      assert.throws(() => new Verifier(secret).verify(`${body} `, { ...headers }))
    }),
    { numRuns: 50 },
  )
})

test('a secret has 256 bits, and the form that libraries read', () => {
  assert.match(newWebhookSecret(), /^whsec_[A-Za-z0-9+/]{43}=$/)
  assert.notEqual(newWebhookSecret(), newWebhookSecret())
})

test('both secrets sign while they overlap, then the new one alone', () => {
  const [before, next] = [newWebhookSecret(), newWebhookSecret()]
  const now = Date.now()
  const secrets = rotated([{ secret: before }], next, { now, overlapMs: MINUTE })
  const verifies = (secret: string, at: number) => {
    const headers = signedHeaders(secrets, { messageId: 'msg_1', body: '{}', now: at })
    try {
      return Boolean(new Verifier(secret).verify('{}', { ...headers }))
    } catch {
      return false
    }
  }
  assert.deepEqual([verifies(before, now), verifies(next, now)], [true, true])
  assert.deepEqual([verifies(before, now + MINUTE), verifies(next, now + MINUTE)], [false, true])
  // Another rotation does not give the first one more time, and nothing grows for ever.
  const third = rotated(secrets, newWebhookSecret(), { now: now + 1, overlapMs: 5 * MINUTE })
  assert.deepEqual(
    third.map(({ until }) => until),
    [undefined, now + 1 + 5 * MINUTE, now + MINUTE],
  )
  let many = third
  for (let turn = 0; turn < 9; turn++) many = rotated(many, newWebhookSecret(), { now, overlapMs: MINUTE })
  assert.equal(many.length, 3)
  assert.equal(rotated(third, next, { now, overlapMs: 0 }).length, 1)
})

test('secrets open in their own place alone', () => {
  const vault = openVault(randomBytes(32))
  const place = { webhookId: 'w', accountId: 'a' }
  const sealed = sealSecrets(vault, place, [{ secret: 'whsec_x' }])
  assert.ok(!sealed.includes('whsec'))
  assert.deepEqual(openSecrets(vault, place, sealed), [{ secret: 'whsec_x' }])
  assert.throws(() => openSecrets(vault, { ...place, webhookId: 'v' }, sealed), { name: 'SealBroken' })
  assert.throws(() => openSecrets(vault, { ...place, accountId: 'b' }, sealed), { name: 'SealBroken' })
})
