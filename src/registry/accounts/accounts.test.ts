import assert from 'node:assert/strict'
import fc from 'fast-check'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { type Accounts, openAccounts } from './accounts.ts'

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

async function kindOf(accounts: Accounts, secret: string): Promise<string> {
  return (await accounts.authenticate(secret)).kind
}

async function tokenOf(accounts: Accounts, secret: string) {
  const found = await accounts.authenticate(secret)
  assert.ok(found.kind === 'valid', found.kind)
  return found.token
}

onBothEngines(
  'a token acts for its account with its permissions, editing implies reading',
  async (_t, open) => {
    const { accounts } = accountsOf(open)
    const account = await accounts.createAccount('Example')
    const { id, secret } = await accounts.createToken(account.id, {
      name: 'ci',
      permissions: ['Email Sending:Edit', 'Analytics:Read'],
    })
    assert.match(secret, /^[A-Za-z0-9_-]{40}$/)
    const permissions = new Set(['Analytics:Read', 'Email Sending:Read', 'Email Sending:Edit'])
    const token = await tokenOf(accounts, secret)
    const { hash, ...rest } = token
    assert.match(hash, /^[0-9a-f]{64}$/)
    assert.deepEqual(rest, { id, accountId: account.id, userId: null, permissions })
    assert.deepEqual(await accounts.principal(token, account.id), {
      tokenId: id,
      accountId: account.id,
      accountName: 'Example',
      permissions,
      sendingEnabled: true,
    })
    assert.equal(await accounts.principal(token, '0'.repeat(32)), undefined)
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
    assert.deepEqual(await accounts.authenticate(other), { kind: 'unknown' }, other.slice(0, 50))
  assert.deepEqual(await open.store.get(storedAs, [secret]), { found: 0 })
})

onBothEngines('whatever a stranger presents is unknown, and throws nothing', async (_t, open) => {
  const { accounts } = accountsOf(open)
  const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 500, maxLength: 600 }))
  await fc.assert(
    fc.asyncProperty(anything, async (secret) => (await kindOf(accounts, secret)) === 'unknown'),
    { numRuns: 50 },
  )
})

onBothEngines('the longest secret is told from whatever begins like it', async (_t, open) => {
  const { accounts } = accountsOf(open)
  const { id } = await accounts.createAccount('Example')
  const longest = 'x'.repeat(512)
  const token = { name: 'long', permissions: [], secret: longest }
  await accounts.importToken(id, token)
  assert.equal(await kindOf(accounts, longest), 'valid')
  for (const more of ['x', '\0', 'y'.repeat(1_000_000)])
    assert.equal(await kindOf(accounts, longest + more), 'unknown')
  await assert.rejects(accounts.importToken(id, { ...token, secret: `${longest}x` }), RangeError)
})

onBothEngines('a token stops at its expiry, even one that was just used', async (_t, open) => {
  const { accounts, pass, now } = accountsOf(open)
  const { id } = await accounts.createAccount('Example')
  const expiresAt = now() + 1000
  const { secret } = await accounts.createToken(id, { name: 'ci', permissions: [], expiresAt })
  pass(999)
  const token = await tokenOf(accounts, secret)
  assert.deepEqual(await accounts.current(token), token)
  pass(1)
  assert.deepEqual(await accounts.authenticate(secret), { kind: 'expired', accountId: id, userId: null })
  assert.equal(await accounts.current(token), undefined)
})

onBothEngines('a revoked token stops at once here and within 5 s elsewhere', async (_t, open) => {
  const { accounts, elsewhere, pass } = accountsOf(open)
  const { id } = await accounts.createAccount('Example')
  const { id: tokenId, secret } = await accounts.createToken(id, { name: 'ci', permissions: [] })
  const token = await tokenOf(accounts, secret)
  await tokenOf(elsewhere, secret)
  assert.equal(await accounts.revokeToken(id, tokenId), true)
  assert.deepEqual(await accounts.authenticate(secret), { kind: 'revoked', accountId: id, userId: null })
  assert.equal(await accounts.current(token), undefined)
  pass(5001)
  assert.equal(await kindOf(elsewhere, secret), 'revoked')
  assert.equal(await elsewhere.current(token), undefined)
  assert.equal(await accounts.revokeToken(id, tokenId), false)
})

onBothEngines('a token that is used all the time is still read again after 5 s', async (_t, open) => {
  const { accounts, elsewhere, pass } = accountsOf(open)
  const { id } = await accounts.createAccount('Example')
  const { id: tokenId, secret } = await accounts.createToken(id, { name: 'ci', permissions: [] })
  const token = await tokenOf(accounts, secret)
  await elsewhere.revokeToken(id, tokenId)
  for (let ms = 0; ms < 5000; ms += 1000) {
    assert.equal(await kindOf(accounts, secret), 'valid')
    assert.deepEqual(await accounts.current(token), token)
    pass(1000)
  }
  pass(1)
  assert.equal(await accounts.current(token), undefined)
  assert.equal(await kindOf(accounts, secret), 'revoked')
})

onBothEngines('a token revoked while it is being read stops all the same', async (_t, open) => {
  const { accounts } = accountsOf(open)
  const { id } = await accounts.createAccount('Example')
  for (let tries = 0; tries < 20; tries++) {
    const { id: tokenId, secret } = await accounts.createToken(id, { name: 'ci', permissions: [] })
    const revoking = accounts.revokeToken(id, tokenId)
    const asking = Array.from({ length: 5 }, () => accounts.authenticate(secret))
    await Promise.all([revoking, ...asking])
    assert.equal(await kindOf(accounts, secret), 'revoked')
  }
})

onBothEngines('what was seen a moment ago needs no store', async (_t, open) => {
  const { accounts, pass } = accountsOf(open)
  const account = await accounts.createAccount('Example')
  const user = await accounts.createUser('user@example.com')
  await accounts.addMember(account.id, user.id)
  const permissions = ['Email Sending:Edit'] as const
  const secrets = [
    (await accounts.createToken(account.id, { name: 'ci', permissions })).secret,
    (await accounts.createUserToken(user.id, { name: 'ci', permissions })).secret,
  ]
  for (const secret of secrets) await accounts.principal(await tokenOf(accounts, secret), account.id)
  await open.close()
  pass(4999)
  for (const secret of secrets) {
    const token = await tokenOf(accounts, secret)
    assert.equal(await accounts.current(token), token)
    assert.equal((await accounts.principal(token, account.id))?.tokenId, token.id)
    await assert.rejects(accounts.authenticate(`${secret}x`))
  }
  pass(2)
  for (const secret of secrets) await assert.rejects(accounts.authenticate(secret))
})

onBothEngines('no account revokes the token of another, nor of a user', async (_t, open) => {
  const { accounts } = accountsOf(open)
  const a = await accounts.createAccount('A')
  const b = await accounts.createAccount('B')
  const user = await accounts.createUser('user@example.com')
  await accounts.addMember(b.id, user.id)
  const ofA = await accounts.createToken(a.id, { name: 'ci', permissions: [] })
  const ofUser = await accounts.createUserToken(user.id, { name: 'ci', permissions: [] })
  for (const { id } of [ofA, ofUser]) assert.equal(await accounts.revokeToken(b.id, id), false)
  for (const owner of [a.id, b.id]) assert.equal(await accounts.revokeUserToken(owner, ofUser.id), false)
  assert.equal(await accounts.revokeUserToken(user.id, ofA.id), false)
  assert.equal(await accounts.revokeToken(user.id, ofUser.id), false)
  assert.equal((await tokenOf(accounts, ofA.secret)).accountId, a.id)
  assert.equal((await tokenOf(accounts, ofUser.secret)).userId, user.id)
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
    const { secret } = await accounts.createUserToken((await accounts.createUser('u@example.com')).id, token)
    await assert.rejects(accounts.importToken(a.id, { ...token, secret }))
    assert.equal((await tokenOf(accounts, token.secret)).id, id)
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
