import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { type Accounts, type NewToken, openAccounts } from './accounts.ts'
import { permissionsIn } from './policy.ts'
import { accountResource, parseResources, type WrittenResources } from './resource.ts'
import type { TokenRecord } from './token-row.ts'

const ZONE = '1'.repeat(32)
const SENDER: NewToken = { name: 'ci', permissions: ['Email Sending:Edit'] }
const HERE = '127.0.0.1'

async function world(open: OpenStore) {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store: open.store, clock })
  const account = (await accounts.createAccount('A')).id
  const user = (await accounts.createUser('User@Example.com')).id
  await accounts.addMember(account, user, 'admin')
  return {
    ...{ account, user, accounts, now: clock },
    elsewhere: openAccounts({ store: open.store, clock }),
    pass: (ms: number) => (now += ms),
    kind: async (secret: string, address?: string) => (await accounts.authenticate(secret, address)).kind,
  }
}

function allowing(permissions: NewToken['permissions'], written: WrittenResources): NewToken {
  const parsed = parseResources(written)
  assert.ok(parsed.ok)
  const policy = {
    id: '0'.repeat(32),
    effect: 'allow',
    permissions,
    written,
    resources: parsed.resources,
  } as const
  return { name: 'limited', permissions: [], policies: [policy] }
}

async function tokenOf(accounts: Accounts, secret: string) {
  const found = await accounts.authenticate(secret, HERE)
  assert.ok(found.kind === 'valid', found.kind)
  return found.token
}

function changed(record: TokenRecord, change: Partial<TokenRecord>) {
  const { name, policies, ipRanges, notBefore, expiresAt, status } = { ...record, ...change }
  return { name, policies, ipRanges, notBefore, expiresAt, status }
}

onBothEngines('a token works from its moment on, and from its addresses alone', async (_t, open) => {
  const { account, accounts, now, pass, kind } = await world(open)
  const ipRanges = { in: ['127.0.0.0/8', '2001:db8::/32'], not_in: ['127.0.0.9'] }
  const { secret } = await accounts.createToken(account, { ...SENDER, notBefore: now() + 1000, ipRanges })
  assert.equal(await kind(secret, HERE), 'not-yet-valid')
  pass(1000)
  assert.equal(await kind(secret, HERE), 'valid')
  assert.equal(await kind(secret, '::ffff:127.0.0.1'), 'valid')
  for (const address of ['127.0.0.9', '192.0.2.1', '::1', undefined])
    assert.equal(await kind(secret, address), 'address-not-allowed', String(address))
  const token = await tokenOf(accounts, secret)
  assert.equal(await accounts.current(token, HERE), token)
  assert.equal(await accounts.current(token, '127.0.0.9'), undefined)
  assert.equal(await accounts.current(token), undefined)
})

onBothEngines('a token that is disabled rests until it is enabled again', async (_t, open) => {
  const { account, accounts, kind, elsewhere, pass } = await world(open)
  const owner = { accountId: account, userId: null }
  const { id, secret } = await accounts.createToken(account, SENDER)
  assert.equal(await kind(secret), 'valid')
  await elsewhere.authenticate(secret)
  for (const status of ['disabled', 'active'] as const) {
    const before = await accounts.register.find(owner, id)
    assert.ok(before)
    const after = await accounts.register.change(before, changed(before, { status }), () => [])
    assert.ok(after !== 'outdated')
    assert.equal(await kind(secret), status === 'active' ? 'valid' : 'disabled')
    assert.deepEqual((await accounts.register.find(owner, id))?.policies, before.policies)
    pass(5001)
    assert.equal((await elsewhere.authenticate(secret)).kind, status === 'active' ? 'valid' : 'disabled')
  }
})

onBothEngines('policies decide where a token acts', async (_t, open) => {
  const { account, user, accounts } = await world(open)
  const other = (await accounts.createAccount('B')).id
  await accounts.addMember(other, user)
  const permissions = ['Email Sending:Edit'] as const
  const { secret } = await accounts.createUserToken(user, allowing(permissions, accountResource(account)))
  const token = await tokenOf(accounts, secret)
  assert.deepEqual([...token.permissions], ['Email Sending:Read', 'Email Sending:Edit'])
  assert.deepEqual((await accounts.principal(token, account))?.permissions, token.permissions)
  assert.equal(await accounts.principal(token, other), undefined)

  const ofZone = { [`com.cloudflare.api.account.zone.${ZONE}`]: '*' }
  const limited = await accounts.createToken(account, allowing(permissions, ofZone))
  const principal = await accounts.principal(await tokenOf(accounts, limited.secret), account)
  assert.ok(principal)
  assert.equal(principal.permissions.size, 0)
  assert.equal(permissionsIn(principal, ZONE).has('Email Sending:Edit'), true)
  assert.equal(permissionsIn(principal, '2'.repeat(32)).size, 0)
})

onBothEngines(
  'an administrator is whose token may edit the account, and whose user has the role',
  async (_t, open) => {
    const { account, user, accounts } = await world(open)
    const member = (await accounts.createUser('member@example.com')).id
    await accounts.addMember(account, member)
    const is = async (made: Promise<{ readonly secret: string }>) =>
      (await accounts.principal(await tokenOf(accounts, (await made).secret), account))?.administrator
    const SETTINGS: NewToken = { name: 'all', permissions: ['Account Settings:Edit'] }
    assert.equal(await is(accounts.createToken(account, SETTINGS)), true)
    assert.equal(await is(accounts.createUserToken(user, SETTINGS)), true)
    assert.equal(await is(accounts.createUserToken(member, SETTINGS)), undefined)
    assert.equal(await is(accounts.createToken(account, SENDER)), undefined)
    assert.equal(await is(accounts.createUserToken(user, SENDER)), undefined)
  },
)

onBothEngines('an API key works with the address of its user, and as no token', async (_t, open) => {
  const { user, accounts, kind } = await world(open)
  const first = await accounts.newApiKey(user, ['Email Sending:Edit'])
  const asUser = async (email: string, key: string) => (await accounts.authenticateKey(email, key, HERE)).kind
  assert.equal(await asUser('user@example.com', first), 'valid')
  assert.equal(await asUser('USER@EXAMPLE.COM', first), 'valid')
  assert.equal(await asUser('other@example.com', first), 'unknown')
  assert.equal(await asUser('', first), 'unknown')
  assert.equal(await kind(first, HERE), 'unknown')
  const { secret } = await accounts.createUserToken(user, SENDER)
  assert.equal(await asUser('user@example.com', secret), 'unknown')
  const second = await accounts.newApiKey(user, ['Email Sending:Edit'])
  assert.equal(await asUser('user@example.com', first), 'revoked')
  assert.equal(await asUser('user@example.com', second), 'valid')
  const listed = await accounts.register.list(
    { accountId: null, userId: user },
    { offset: 0, limit: 10, ascending: true, withExpired: true },
  )
  assert.deepEqual(
    listed.tokens.map(({ name }) => name),
    ['ci'],
  )
})

onBothEngines('whatever stands for an address and a key is unknown, and throws nothing', async (_t, open) => {
  const { accounts, user } = await world(open)
  await accounts.newApiKey(user, [])
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('user@example.com'))
  await fc.assert(
    fc.asyncProperty(text, text, async (email, key) => {
      assert.equal((await accounts.authenticateKey(email, key, HERE)).kind, 'unknown')
    }),
    { numRuns: 50 },
  )
})

onBothEngines('a rolled token has a new secret and everything else as before', async (_t, open) => {
  const { account, accounts, kind } = await world(open)
  const owner = { accountId: account, userId: null }
  const { id, secret } = await accounts.createToken(account, { ...SENDER, ipRanges: { in: ['127.0.0.1'] } })
  assert.equal(await kind(secret, HERE), 'valid')
  const before = await accounts.register.find(owner, id)
  assert.ok(before)
  const rolled = await accounts.register.roll(before, () => [])
  assert.ok(rolled !== 'outdated')
  assert.match(rolled.secret, /^[\w-]{40}$/)
  assert.equal(await kind(secret, HERE), 'unknown')
  assert.equal(await kind(rolled.secret, HERE), 'valid')
  assert.equal(await accounts.register.roll(before, () => []), 'outdated')
  assert.equal(await kind(rolled.secret, HERE), 'valid')
  const after = await accounts.register.find(owner, id)
  assert.deepEqual({ ...after, modifiedAt: 0 }, { ...before, modifiedAt: 0 })
})

onBothEngines(
  'of changes at the same moment one is made, the others hear that they are outdated',
  async (_t, open) => {
    const { account, accounts, elsewhere } = await world(open)
    const owner = { accountId: account, userId: null }
    const { id } = await accounts.createToken(account, SENDER)
    const before = await accounts.register.find(owner, id)
    assert.ok(before)
    const results = await Promise.all(
      [accounts, elsewhere, accounts].map(({ register }, index) =>
        register.change(before, changed(before, { name: `n${index}` }), () => []),
      ),
    )
    assert.equal(results.filter((result) => result !== 'outdated').length, 1)
  },
)

onBothEngines(
  'an owner sees its own tokens, without the revoked and, if it likes, the expired',
  async (_t, open) => {
    const { account, user, accounts, now, pass } = await world(open)
    for (const name of ['one', 'two', 'three']) {
      await accounts.createToken(account, { ...SENDER, name })
      pass(1)
    }
    await accounts.createToken(account, { ...SENDER, name: 'brief', expiresAt: now() + 1 })
    const gone = await accounts.createToken(account, { ...SENDER, name: 'gone' })
    const ofUser = await accounts.createUserToken(user, SENDER)
    await accounts.revokeToken(account, gone.id)
    pass(10)
    const owner = { accountId: account, userId: null }
    const list = async (offset: number, limit: number, ascending: boolean, withExpired: boolean) => {
      const { tokens, total } = await accounts.register.list(owner, { offset, limit, ascending, withExpired })
      return [total, ...tokens.map(({ name }) => name)]
    }
    assert.deepEqual(await list(0, 10, false, false), [3, 'three', 'two', 'one'])
    assert.deepEqual(await list(1, 1, true, false), [3, 'two'])
    assert.deepEqual(await list(0, 10, true, true), [4, 'one', 'two', 'three', 'brief'])
    assert.deepEqual(await list(10, 10, true, true), [4])
    for (const id of [gone.id, ofUser.id, 'x', '\0'.repeat(0)])
      assert.equal(await accounts.register.find(owner, id), undefined)
  },
)
