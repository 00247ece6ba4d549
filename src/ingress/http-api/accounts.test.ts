import assert from 'node:assert/strict'
import fc from 'fast-check'
import { openAccount, openControlPlane, policyOf } from '#test/control-plane.ts'
import { onBothEngines } from '#test/stores.ts'

type Rows = readonly Readonly<Record<string, unknown>>[]

onBothEngines('wrangler learns who it is from either kind of token', async (_t, open) => {
  await using api = await openControlPlane(open.store)
  const { account, ofAccount, ofUser, email } = await openAccount(api, 'one')

  const verified = await api.ask(ofUser.secret, 'GET', '/user/tokens/verify')
  assert.deepEqual(verified.result, { id: ofUser.id, status: 'active', not_before: null, expires_on: null })
  assert.deepEqual(verified.messages, [
    { code: 10000, message: 'This API Token is valid and active', type: null },
  ])
  const refused = await api.ask(ofAccount.secret, 'GET', '/user/tokens/verify')
  assert.deepEqual([refused.status, refused.code], [401, 1000])
  const own = await api.ask(ofAccount.secret, 'GET', `/accounts/${account}/tokens/verify`)
  assert.equal((own.result as { readonly id: string }).id, ofAccount.id)
  assert.equal((await api.ask(ofUser.secret, 'GET', `/accounts/${account}/tokens/verify`)).code, 1000)

  const user = (await api.ask(ofUser.secret, 'GET', '/user')).result as Readonly<Record<string, unknown>>
  assert.equal(user['email'], email)
  const nobody = await api.ask(ofAccount.secret, 'GET', '/user')
  assert.deepEqual([nobody.status, nobody.code], [403, 9109])

  const pageOfOne = { page: 1, per_page: 20, count: 1, total_count: 1, total_pages: 1 }
  for (const secret of [ofAccount.secret, ofUser.secret]) {
    const accounts = await api.ask(secret, 'GET', '/accounts?page=1')
    const [first] = accounts.result as Rows
    assert.deepEqual([first?.['id'], first?.['name'], first?.['type']], [account, 'one', 'standard'])
    assert.deepEqual(accounts.result_info, pageOfOne)
    assert.deepEqual((await api.ask(secret, 'GET', '/accounts?page=2')).result, [])
    assert.deepEqual((await api.ask(secret, 'GET', '/accounts?name=two')).result, [])
  }
  const memberships = await api.ask(ofUser.secret, 'GET', '/memberships?page=1')
  const [membership] = memberships.result as Rows
  assert.deepEqual(membership?.['account'], { id: account, name: 'one', type: 'standard' })
  assert.deepEqual(membership['roles'], ['Super Administrator - All Privileges'])
  assert.deepEqual(memberships.result_info, pageOfOne)
  assert.deepEqual(
    (await api.ask(ofUser.secret, 'GET', `/memberships/${String(membership['id'])}`)).result,
    membership,
  )
  assert.equal((await api.ask(ofUser.secret, 'GET', `/memberships/${account}`)).status, 404)
  // The codes with which wrangler goes on to what it heard of /accounts.
  const none = await api.ask(ofAccount.secret, 'GET', '/memberships?page=1')
  assert.deepEqual([none.status, none.code], [403, 10000])
})

onBothEngines('an API key and its address act as their user', async (_t, open) => {
  await using api = await openControlPlane(open.store)
  const { account, ofUser, ofAccount, email } = await openAccount(api, 'one')
  const made = await api.ask(ofUser.secret, 'PUT', '/user/api_key')
  const { api_key } = made.result as { readonly api_key: string }
  const by = (address: string, key: string) => ({ 'x-auth-email': address, 'x-auth-key': key })
  assert.equal((await api.ask(by(email.toUpperCase(), api_key), 'GET', '/user')).status, 200)
  assert.equal((await api.ask(by(email, api_key), 'GET', `/accounts/${account}`)).status, 200)
  for (const wrong of [by('two@example.com', api_key), by(email, `${api_key}x`), by(email, ofUser.secret)])
    assert.deepEqual(await api.ask(wrong, 'GET', '/user'), await api.ask('x'.repeat(40), 'GET', '/user'))
  assert.equal((await api.ask(ofAccount.secret, 'PUT', '/user/api_key')).code, 9109)
  const logs = await api.ask(ofAccount.secret, 'GET', `/accounts/${account}/audit_logs`)
  assert.equal((logs.result as Rows).length, 1)
  assert.equal(JSON.stringify(logs).includes(api_key), false)
})

/** What wrangler needs where it asks who the token is (clients.md §3.6); 10000 everywhere else. */
const CODES: Readonly<Record<string, number>> = {
  '/user/tokens/verify': 1000,
  '/user': 9109,
  '/accounts': 9109,
}

onBothEngines('whoever cannot get in hears the same, whatever the reason', async (_t, open) => {
  await using api = await openControlPlane(open.store)
  const { account, accounts } = { ...(await openAccount(api, 'one')), accounts: api.accounts }
  const basis = { name: 'x', permissions: ['Account Settings:Read'] } as const
  const past = 1_700_000_000_000
  const revoked = await accounts.createToken(account, basis)
  await accounts.revokeToken(account, revoked.id)
  const disabled = await accounts.createToken(account, basis)
  const record = await accounts.register.find({ accountId: account, userId: null }, disabled.id)
  assert.ok(record)
  await accounts.register.change(record, { ...record, status: 'disabled' }, () => [])
  const secrets = [
    'x'.repeat(40),
    revoked.secret,
    disabled.secret,
    (await accounts.createToken(account, { ...basis, expiresAt: past })).secret,
    (await accounts.createToken(account, { ...basis, notBefore: 4_000_000_000_000 })).secret,
    (await accounts.createToken(account, { ...basis, ipRanges: { in: ['192.0.2.1'] } })).secret,
    (await accounts.createToken(account, { ...basis, ipRanges: { not_in: ['127.0.0.0/8'] } })).secret,
  ]
  const paths = ['/accounts', '/user', '/user/tokens', '/user/tokens/verify', `/accounts/${account}/tokens`]
  for (const path of [...paths, `/accounts/${'f'.repeat(32)}`, `/accounts/${account}`, '/memberships']) {
    const [first, ...others] = await Promise.all(secrets.map((secret) => api.ask(secret, 'GET', path)))
    assert.equal(first?.status, 401)
    assert.equal(first.code, CODES[path] ?? 10000, path)
    for (const other of others) assert.deepEqual(other, first, path)
  }
})

onBothEngines('headers that are missing or malformed are told by their codes', async (_t, open) => {
  await using api = await openControlPlane(open.store)
  const { account } = await openAccount(api, 'one')
  const cases: readonly (readonly [Record<string, string>, number, number, number | undefined])[] = [
    [{}, 401, 9106, undefined],
    [{ 'x-auth-email': 'a@example.com' }, 401, 9106, undefined],
    [{ 'x-auth-key': 'x' }, 401, 9106, undefined],
    [{ authorization: 'Bearer' }, 400, 6003, 6111],
    [{ authorization: 'Bearer a b' }, 400, 6003, 6111],
    [{ authorization: 'Basic eDp5' }, 400, 6003, 6111],
    [{ authorization: `Bearer ${'x'.repeat(513)}` }, 400, 6003, 6111],
    [{ 'x-auth-email': 'nobody', 'x-auth-key': 'x' }, 400, 6003, 6102],
    [{ 'x-auth-email': 'a@example.com', 'x-auth-key': 'a b' }, 400, 6003, 6103],
  ]
  for (const [headers, status, code, chained] of cases) {
    for (const path of ['/user', '/accounts', `/accounts/${account}`, '/user/tokens/verify']) {
      const refused = await api.ask(headers, 'GET', path)
      assert.deepEqual([refused.status, refused.code], [status, code], JSON.stringify(headers))
      if (chained !== undefined) assert.equal(refused.errors[0]?.error_chain?.[0]?.code, chained)
    }
  }
})

onBothEngines('whatever is sent as a header gets one of the three answers', async (_t, open) => {
  await using api = await openControlPlane(open.store)
  const anything = fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .map((code) => (code === 0x7f ? '~' : String.fromCharCode(code))),
  })
  const value = fc.oneof(
    anything,
    anything.map((text) => `Bearer ${text}`),
  )
  const headers = fc.record(
    { authorization: value, 'x-auth-email': value, 'x-auth-key': value },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(headers, async (given) => {
      const refused = await api.ask(given, 'GET', '/accounts')
      assert.ok([9109, 9106, 6003].includes(refused.code ?? 0), JSON.stringify(refused))
      assert.equal(refused.status, refused.code === 6003 ? 400 : 401)
    }),
    { numRuns: 40 },
  )
})

onBothEngines('a user with several accounts sees those in which its token acts', async (_t, open) => {
  await using api = await openControlPlane(open.store)
  const { account, user, ofUser } = await openAccount(api, 'one')
  const two = (await api.accounts.createAccount('Two')).id
  await api.accounts.addMember(two, user, 'admin')
  await openAccount(api, 'three')
  const names = async (secret: string, path: string) =>
    ((await api.ask(secret, 'GET', path)).result as Rows).map((row) => row['name'] ?? row['account'])
  assert.deepEqual(await names(ofUser.secret, '/accounts'), ['one', 'Two'])
  assert.deepEqual(await names(ofUser.secret, '/accounts?direction=desc&per_page=1'), ['Two'])
  assert.deepEqual(await names(ofUser.secret, '/accounts?name=tw'), ['Two'])
  const policies = [policyOf(['Account Settings:Read'], `account.${two}`)]
  const made = await api.ask(ofUser.secret, 'POST', '/user/tokens', { name: 'x', policies })
  const { value } = made.result as { readonly value: string }
  assert.deepEqual(await names(value, '/accounts'), ['Two'])
  assert.deepEqual(await names(value, '/memberships'), [{ id: two, name: 'Two', type: 'standard' }])
  assert.equal((await api.ask(value, 'GET', `/accounts/${two}`)).status, 200)
  const foreign = await api.ask(value, 'GET', `/accounts/${account}`)
  assert.deepEqual(foreign, await api.ask(value, 'GET', `/accounts/${'0'.repeat(32)}`))
  assert.deepEqual([foreign.status, foreign.code], [404, 7003])
  const unable = await api.ask(value, 'PUT', `/accounts/${two}`, { name: 'Mine' })
  assert.deepEqual([unable.status, unable.code], [403, 9109])
})
