import assert from 'node:assert/strict'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openAccounts } from './accounts.ts'

const storedAs = statement<{ readonly found: number }>(
  'test.stored-secret',
  'select count(*) as found from token where hash = $1 or id = $1 or name = $1',
)
const DAY_MS = 24 * 60 * 60 * 1000

function accountsOf(open: OpenStore) {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store: open.store, clock })
  /** Another process on the same database. */
  const elsewhere = openAccounts({ store: open.store, clock })
  return { accounts, elsewhere, pass: (ms: number) => (now += ms), now: clock }
}

onBothEngines(
  'a token acts for its account with its permissions, editing implies reading',
  async (_t, open) => {
    const { accounts } = accountsOf(open)
    const account = await accounts.createAccount('Example')
    const token = await accounts.createToken(account.id, {
      name: 'ci',
      permissions: ['Email Sending:Edit', 'Analytics:Read'],
    })
    assert.match(token.secret, /^[A-Za-z0-9_-]{40}$/)
    assert.deepEqual(await accounts.authenticate(token.secret), {
      tokenId: token.id,
      accountId: account.id,
      accountName: 'Example',
      permissions: new Set(['Analytics:Read', 'Email Sending:Read', 'Email Sending:Edit']),
      sendingEnabled: true,
    })
  },
)

onBothEngines('neither the secret nor anything near it authenticates by accident', async (_t, open) => {
  const { accounts } = accountsOf(open)
  const { id } = await accounts.createAccount('Example')
  const { secret } = await accounts.createToken(id, { name: 'ci', permissions: [] })
  for (const other of [
    '',
    'x',
    secret.slice(1),
    `${secret}x`,
    secret.toUpperCase(),
    `${secret}\0`,
    'x'.repeat(10_000),
    '\ud800',
  ])
    assert.equal(await accounts.authenticate(other), undefined, other.slice(0, 50))
  assert.deepEqual(await open.store.get(storedAs, [secret]), { found: 0 })
})

onBothEngines('a token stops at its expiry, even one that was just used', async (_t, open) => {
  const { accounts, pass, now } = accountsOf(open)
  const { id } = await accounts.createAccount('Example')
  const expiresAt = now() + 1000
  const { secret } = await accounts.createToken(id, { name: 'ci', permissions: [], expiresAt })
  pass(999)
  assert.ok(await accounts.authenticate(secret))
  pass(1)
  assert.equal(await accounts.authenticate(secret), undefined)
})

onBothEngines('a revoked token stops at once here and within 5 s elsewhere', async (_t, open) => {
  const { accounts, elsewhere, pass } = accountsOf(open)
  const { id } = await accounts.createAccount('Example')
  const token = await accounts.createToken(id, { name: 'ci', permissions: [] })
  assert.ok(await accounts.authenticate(token.secret))
  assert.ok(await elsewhere.authenticate(token.secret))
  assert.equal(await accounts.revokeToken(id, token.id), true)
  assert.equal(await accounts.authenticate(token.secret), undefined)
  pass(5001)
  assert.equal(await elsewhere.authenticate(token.secret), undefined)
  assert.equal(await accounts.revokeToken(id, token.id), false)
})

onBothEngines('a token that is used all the time is still read again after 5 s', async (_t, open) => {
  const { accounts, elsewhere, pass } = accountsOf(open)
  const { id } = await accounts.createAccount('Example')
  const token = await accounts.createToken(id, { name: 'ci', permissions: [] })
  assert.ok(await accounts.authenticate(token.secret))
  await elsewhere.revokeToken(id, token.id)
  for (let ms = 0; ms < 5000; ms += 1000) {
    assert.ok(await accounts.authenticate(token.secret))
    pass(1000)
  }
  pass(1)
  assert.equal(await accounts.authenticate(token.secret), undefined)
})

onBothEngines('no account revokes the token of another', async (_t, open) => {
  const { accounts } = accountsOf(open)
  const a = await accounts.createAccount('A')
  const b = await accounts.createAccount('B')
  const token = await accounts.createToken(a.id, { name: 'ci', permissions: [] })
  assert.equal(await accounts.revokeToken(b.id, token.id), false)
  assert.equal((await accounts.authenticate(token.secret))?.accountId, a.id)
})

onBothEngines(
  'a token of a given secret is made once and found again, by its own account only',
  async (_t, open) => {
    const { accounts } = accountsOf(open)
    const a = await accounts.createAccount('A')
    const b = await accounts.createAccount('B')
    const token = {
      name: 'development',
      permissions: ['Email Sending:Edit'],
      secret: 'a-secret-from-a-file',
    } as const
    const { id } = await accounts.importToken(a.id, token)
    assert.deepEqual(await accounts.importToken(a.id, token), { id })
    await assert.rejects(accounts.importToken(b.id, token))
    assert.equal((await accounts.authenticate(token.secret))?.tokenId, id)
  },
)

onBothEngines('accounts are found by id and, the oldest of them, by name', async (_t, open) => {
  const { accounts, pass } = accountsOf(open)
  const first = await accounts.createAccount('Example')
  pass(DAY_MS)
  const second = await accounts.createAccount('Example')
  assert.deepEqual(await accounts.account(second.id), second)
  assert.deepEqual(await accounts.accountNamed('Example'), first)
  assert.equal(await accounts.account('0'.repeat(32)), undefined)
  assert.equal(await accounts.accountNamed('Nobody'), undefined)
})
