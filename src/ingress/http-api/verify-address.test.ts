import assert from 'node:assert/strict'
import Fastify from 'fastify'
import type { Address } from '#model/address.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { openDestinations } from '#registry/routes/destinations.ts'
import { encodeVerification, VERIFICATION_LIFE_MS } from '#registry/routes/verification-token.ts'
import { onBothEngines } from '#test/stores.ts'
import { VERIFY_PATH, verifyAddressRoutes } from './verify-address.ts'

const verificationKey = Buffer.alloc(32, 7)

onBothEngines('a link works until its time has come, and says so afterwards', async (_t, { store }) => {
  const start = 1_800_000_000_000
  let now = start
  const clock = () => now
  const { id: accountId } = await openAccounts({ store, clock }).createAccount('A')
  const destinations = openDestinations({ store, clock })
  await using app = Fastify()
  verifyAddressRoutes(app, { destinations, verificationKey, now: clock })

  const hostile = `"<img src=x onerror='y()'>&"@dest.example` as Address
  const created = await destinations.create(accountId, hostile, async () => [])
  assert.ok(created.kind === 'created')
  const { id: destinationId, verifyRound } = created.destination
  const expiresAt = start + VERIFICATION_LIFE_MS
  const url = `${VERIFY_PATH}/${encodeVerification({ destinationId, verifyRound, expiresAt }, verificationKey)}`
  const ask = (method: 'GET' | 'POST') => app.inject({ method, url })
  const isVerified = async () =>
    (await destinations.destination(accountId, destinationId))?.verifiedAt !== null

  now = expiresAt
  assert.equal((await ask('GET')).statusCode, 410)
  assert.equal((await ask('POST')).statusCode, 410)
  assert.equal(await isVerified(), false)

  now = expiresAt - 1
  const page = await ask('GET')
  assert.equal(page.statusCode, 200)
  assert.doesNotMatch(page.body, /<img/)
  assert.match(page.body, /&#60;img src=x onerror=&#39;y\(\)&#39;&#62;&#38;/)
  const both = await Promise.all([ask('POST'), ask('POST')])
  assert.deepEqual(
    both.map(({ statusCode }) => statusCode),
    [200, 200],
  )
  assert.ok(await isVerified())
  now = expiresAt + 1
  assert.equal((await ask('GET')).statusCode, 200, 'what is verified stays so')
})
