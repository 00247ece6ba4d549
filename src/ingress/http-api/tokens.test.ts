import assert from 'node:assert/strict'
import type { TokenBody } from '#contract/tokens.ts'
import { PERMISSIONS } from '#model/permission.ts'
import { openAccount, openControlPlane, policyOf } from '#test/control-plane.ts'
import { onBothEngines } from '#test/stores.ts'

const ZONE = '1'.repeat(32)

type Made = TokenBody & { readonly value: string }

onBothEngines(
  'a token is made, read, changed, rolled and revoked, by either kind of owner',
  async (_t, open) => {
    await using api = await openControlPlane(open.store)
    const { account, user, ofAccount, ofUser, email } = await openAccount(api, 'one')
    for (const [base, secret] of [
      [`/accounts/${account}/tokens`, ofAccount.secret],
      [`/accounts/${account.toUpperCase()}/tokens`, ofUser.secret],
      ['/user/tokens', ofUser.secret],
    ] as const) {
      const wish = {
        name: 'ci',
        policies: [policyOf(['Email Sending:Edit'], `account.${account}`)],
        condition: { request_ip: { in: ['127.0.0.0/8', '::1'], not_in: [] } },
        not_before: '2020-01-01T00:00:00.000000Z',
        expires_on: '2040-01-01T00:00:00Z',
      }
      const created = await api.ask(secret, 'POST', base, wish)
      assert.equal(created.status, 200, JSON.stringify(created))
      const made = created.result as Made
      const { value, ...shown } = made
      assert.match(value, /^[\w-]{40}$/)
      assert.deepEqual(
        {
          ...shown,
          id: '',
          policies: shown.policies.map(({ permission_groups }) => permission_groups[0]?.name),
        },
        {
          id: '',
          name: 'ci',
          status: 'active',
          issued_on: '2027-01-15T08:00:00.000000Z',
          modified_on: '2027-01-15T08:00:00.000000Z',
          not_before: '2020-01-01T00:00:00.000000Z',
          expires_on: '2040-01-01T00:00:00.000000Z',
          policies: ['Email Sending Write'],
          condition: { request_ip: { in: ['127.0.0.0/8', '::1'] } },
          ...(base !== '/user/tokens' && secret === ofUser.secret && { creator_email_at_creation: email }),
        },
      )
      assert.deepEqual((await api.ask(secret, 'GET', `${base}/${made.id}`)).result, shown)

      const replaced = { ...shown, name: 'renamed', condition: null, status: 'disabled', expires_on: null }
      const updated = await api.ask(secret, 'PUT', `${base}/${made.id}`, replaced)
      assert.equal(updated.status, 200, JSON.stringify(updated))
      const { condition: _in, expires_on: _until, ...kept } = shown
      const after = updated.result as TokenBody
      const anew = { policies: after.policies, modified_on: after.modified_on }
      assert.deepEqual(after, { ...kept, name: 'renamed', status: 'disabled', ...anew })
      assert.equal((await api.ask(value, 'GET', '/accounts')).status, 401)
      await api.ask(secret, 'PUT', `${base}/${made.id}`, { ...replaced, status: 'active' })
      assert.equal((await api.ask(value, 'GET', '/accounts')).status, 200)

      const rolled = await api.ask(secret, 'PUT', `${base}/${made.id}/value`, {})
      assert.equal((await api.ask(value, 'GET', '/accounts')).status, 401)
      assert.equal((await api.ask(String(rolled.result), 'GET', '/accounts')).status, 200)

      assert.deepEqual((await api.ask(secret, 'DELETE', `${base}/${made.id}`)).result, { id: made.id })
      assert.equal((await api.ask(String(rolled.result), 'GET', '/accounts')).status, 401)
      for (const method of ['GET', 'DELETE']) {
        const gone = await api.ask(secret, method, `${base}/${made.id}`)
        assert.deepEqual([gone.status, gone.code], [404, 7003])
      }
      const listed = await api.ask(secret, 'GET', `${base}?per_page=5`)
      assert.deepEqual(
        (listed.result as TokenBody[]).map(({ name }) => name),
        ['all'],
      )
      assert.deepEqual((await api.ask(secret, 'GET', `${base}?page=2`)).result, [])
    }
    assert.ok(user)
  },
)

onBothEngines('no token makes, changes or rolls one that may do more than itself', async (_t, open) => {
  await using api = await openControlPlane(open.store)
  const { account, user, ofAccount, ofUser } = await openAccount(api, 'one')
  const other = (await api.accounts.createAccount('two')).id
  await api.accounts.addMember(other, user)
  api.zones.set(ZONE, account)
  const make = async (secret: string, base: string, policies: unknown) =>
    api.ask(secret, 'POST', base, { name: 'limited', policies })
  const base = `/accounts/${account}/tokens`
  const settings = policyOf(['Account Settings:Edit', 'Zone DNS:Edit'], `account.${account}`)
  const limited = (await make(ofAccount.secret, base, [settings])).result as Made
  const zoned = policyOf(['Zone DNS:Edit'], `account.zone.${ZONE}`)

  assert.equal((await make(limited.value, base, [settings, zoned])).status, 200)
  for (const more of [
    policyOf(['Email Sending:Edit'], `account.${account}`),
    policyOf(['Email Sending:Read'], `account.zone.${ZONE}`),
  ]) {
    const refused = await make(limited.value, base, [settings, more])
    assert.deepEqual([refused.status, refused.code], [403, 9109])
    const own = await api.ask(limited.value, 'PUT', `${base}/${limited.id}`, { name: 'x', policies: [more] })
    assert.deepEqual([own.status, own.code], [403, 9109])
  }
  for (const [method, path] of [
    ['PUT', `${base}/${ofAccount.id}/value`],
    ['PUT', `${base}/${ofAccount.id}`],
  ] as const) {
    const refused = await api.ask(limited.value, method, path, { name: 'mine', policies: [zoned] })
    assert.deepEqual([refused.status, refused.code], [403, 9109])
  }
  assert.equal((await api.ask(limited.value, 'PUT', `${base}/${limited.id}/value`)).status, 200)

  // Of a user's token, what it may do in an account says nothing about the user.
  const inAccount = (await make(ofUser.secret, '/user/tokens', [settings])).result as Made
  for (const [method, path] of [
    ['GET', '/user/tokens'],
    ['GET', `/user/tokens/${ofUser.id}`],
    ['PUT', `/user/tokens/${ofUser.id}/value`],
    ['DELETE', `/user/tokens/${ofUser.id}`],
    ['PUT', '/user/api_key'],
  ] as const) {
    const refused = await api.ask(inAccount.value, method, path)
    assert.deepEqual([refused.status, refused.code], [403, 9109], path)
  }
  const overUser = policyOf(['Account Settings:Edit'], `user.${user}`)
  const keeper = (await make(ofUser.secret, '/user/tokens', [overUser])).result as Made
  assert.equal((await api.ask(keeper.value, 'GET', '/user/tokens')).status, 200)
  assert.equal((await make(keeper.value, '/user/tokens', [overUser])).status, 200)
  for (const path of [`account.${account}`, `account.${other}`, 'account.*', 'account.zone.*'])
    assert.equal((await make(keeper.value, '/user/tokens', [policyOf(['Zone DNS:Read'], path)])).status, 403)
  assert.equal((await api.ask(keeper.value, 'PUT', `/user/tokens/${ofUser.id}/value`)).status, 403)
  assert.equal((await api.ask(ofUser.secret, 'GET', '/user')).status, 200)
})

onBothEngines('a member becomes no administrator by a token of the account’s own', async (_t, open) => {
  await using api = await openControlPlane(open.store)
  const { account, ofAccount, ofUser } = await openAccount(api, 'one')
  const member = (await api.accounts.createUser('member@example.com')).id
  await api.accounts.addMember(account, member)
  const { secret } = await api.accounts.createUserToken(member, { name: 'all', permissions: PERMISSIONS })
  const base = `/accounts/${account}/tokens`
  const administering = policyOf(['Account Settings:Edit'], `account.${account}`)
  const sending = policyOf(['Email Sending:Edit'], `account.${account}`)
  for (const [method, path, body] of [
    ['POST', base, { name: 'mine', policies: [sending, administering] }],
    ['POST', base, { name: 'mine', policies: [sending] }],
    ['PUT', `${base}/${ofAccount.id}/value`],
    ['PUT', `${base}/${ofAccount.id}`, { name: 'mine', policies: [sending] }],
    ['DELETE', `${base}/${ofAccount.id}`],
    ['GET', base],
  ] as const) {
    const refused = await api.ask(secret, method, path, body)
    assert.deepEqual([refused.status, refused.code], [403, 9109], `${method} ${path}`)
  }
  // Of the member's own token its role decides with each use.
  const own = { name: 'mine', policies: [administering] }
  assert.equal((await api.ask(secret, 'POST', '/user/tokens', own)).status, 200)
  for (const administrator of [ofAccount.secret, ofUser.secret])
    assert.equal((await api.ask(administrator, 'POST', base, own)).status, 200)
})

onBothEngines(
  'what a wish names must exist, be its owner’s and fit, and the fault says where',
  async (_t, open) => {
    await using api = await openControlPlane(open.store)
    const { account, user, ofAccount, ofUser } = await openAccount(api, 'one')
    const two = await openAccount(api, 'two')
    api.zones.set(ZONE, two.account)
    const good = policyOf(['Zone DNS:Edit'], `account.${account}`)
    const groups = good.permission_groups
    const prefix = 'com.cloudflare.api.'
    const resources = (key: string) => ({ ...good, resources: { [`${prefix}${key}`]: '*' } })
    const cases: readonly (readonly [wish: object, pointer: string])[] = [
      [{ policies: [] }, '/policies'],
      [{ policies: [good], name: '' }, '/name'],
      [{ policies: [good], nmae: 'x' }, '/nmae'],
      [{ policies: [{ ...good, effect: 'maybe' }] }, '/policies/0/effect'],
      [{ policies: [good, resources(`account.${two.account}`)] }, '/policies/1/resources'],
      [{ policies: [resources(`account.${'0'.repeat(32)}`)] }, '/policies/0/resources'],
      [{ policies: [resources(`account.zone.${ZONE}`)] }, '/policies/0/resources'],
      [{ policies: [resources(`account.zone.${'0'.repeat(32)}`)] }, '/policies/0/resources'],
      [{ policies: [resources(`user.${two.user}`)] }, '/policies/0/resources'],
      [{ policies: [resources('r2')] }, '/policies/0/resources/com.cloudflare.api.r2'],
      [{ policies: [{ ...good, resources: {} }] }, '/policies/0/resources'],
      [
        { policies: [{ ...good, permission_groups: [...groups, { id: '0'.repeat(32) }] }] },
        '/policies/0/permission_groups/1/id',
      ],
      [{ policies: [policyOf(['Workers:Edit'], 'account.zone.*')] }, '/policies/0/permission_groups/0/id'],
      [
        { policies: [good], condition: { request_ip: { in: ['10.0.0.0/8', '10.0.0.0/33'] } } },
        '/condition/request_ip/in/1',
      ],
      [{ policies: [good], expires_on: 'tomorrow' }, '/expires_on'],
      [
        { policies: [good], not_before: '2030-01-01T00:00:00Z', expires_on: '2029-01-01T00:00:00Z' },
        '/expires_on',
      ],
    ]
    for (const [base, secret] of [
      [`/accounts/${account}/tokens`, ofAccount.secret],
      ['/user/tokens', ofUser.secret],
    ] as const) {
      for (const [wish, pointer] of cases) {
        const refused = await api.ask(secret, 'POST', base, { name: 'x', ...wish })
        assert.deepEqual([refused.status, refused.code], [400, 1001], JSON.stringify(wish))
        assert.equal(refused.errors[0]?.source?.pointer, pointer)
      }
      const nul = await api.ask(secret, 'POST', base, { name: 'x\0', policies: [good] })
      assert.deepEqual([nul.status, nul.code], [400, 1001])
      for (const id of ['%00', 'x', '0'.repeat(32), two.ofAccount.id, two.ofUser.id]) {
        const missing = await api.ask(secret, 'GET', `${base}/${id}`)
        assert.equal(missing.status, 404, id)
      }
      assert.equal((await api.ask(secret, 'GET', `${base}?page=0`)).status, 400)
    }
    // An account is all that its tokens have; a user's may reach wherever the user does.
    const everywhere = { name: 'x', policies: [resources('account.*')] }
    assert.equal(
      (await api.ask(ofAccount.secret, 'POST', `/accounts/${account}/tokens`, everywhere)).status,
      400,
    )
    assert.equal((await api.ask(ofUser.secret, 'POST', '/user/tokens', everywhere)).status, 200)
    assert.ok(user)
  },
)

onBothEngines('no account sees or changes the tokens of another', async (_t, open) => {
  await using api = await openControlPlane(open.store)
  const one = await openAccount(api, 'one')
  const two = await openAccount(api, 'two')
  const wish = { name: 'x', policies: [policyOf(['Zone DNS:Edit'], `account.${one.account}`)] }
  for (const secret of [one.ofAccount.secret, one.ofUser.secret]) {
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['GET', '/verify'],
      ['GET', '/permission_groups'],
      ['GET', `/${two.ofAccount.id}`],
      ['PUT', `/${two.ofAccount.id}`],
      ['PUT', `/${two.ofAccount.id}/value`],
      ['DELETE', `/${two.ofAccount.id}`],
    ] as const) {
      const body = method === 'GET' ? undefined : wish
      const foreign = await api.ask(secret, method, `/accounts/${two.account}/tokens${path}`, body)
      const nobodys = await api.ask(secret, method, `/accounts/${'f'.repeat(32)}/tokens${path}`, body)
      assert.deepEqual(foreign, nobodys, path)
      assert.deepEqual([foreign.status, foreign.code], [404, 7003], path)
      if (path.length < 32) continue
      const own = await api.ask(secret, method, `/accounts/${one.account}/tokens${path}`, body)
      assert.deepEqual([own.status, own.code], [404, 7003], path)
    }
  }
  assert.equal((await api.ask(two.ofAccount.secret, 'GET', '/accounts')).status, 200)
})

onBothEngines(
  'every change of a token is in the audit log, before and after, without its secret',
  async (_t, open) => {
    await using api = await openControlPlane(open.store)
    const { account, user, ofAccount, ofUser, email } = await openAccount(api, 'one')
    const secrets: string[] = []
    for (const [base, secret] of [
      [`/accounts/${account}/tokens`, ofAccount.secret],
      ['/user/tokens', ofUser.secret],
    ] as const) {
      const wish = { name: 'ci', policies: [policyOf(['Zone DNS:Edit'], `account.${account}`)] }
      const made = (await api.ask(secret, 'POST', base, wish)).result as Made
      api.pass(1000)
      await api.ask(secret, 'PUT', `${base}/${made.id}`, { ...wish, name: 'renamed' })
      api.pass(1000)
      secrets.push(made.value, String((await api.ask(secret, 'PUT', `${base}/${made.id}/value`)).result))
      api.pass(1000)
      await api.ask(secret, 'DELETE', `${base}/${made.id}`)
      api.pass(1000)
    }
    await api.ask(ofUser.secret, 'PUT', `/accounts/${account}`, { name: 'Renamed' })
    const path = `/accounts/${account}/audit_logs`
    const logs = await api.ask(ofAccount.secret, 'GET', `${path}?direction=asc`)
    const lines = logs.result as {
      readonly action: { readonly type: string }
      readonly actor: Readonly<Record<string, string>>
      readonly oldValueJson: { readonly name: string } | null
      readonly newValueJson: { readonly name: string } | null
    }[]
    const changes = [
      ['token.create', undefined, 'ci'],
      ['token.update', 'ci', 'renamed'],
      ['token.roll', 'renamed', 'renamed'],
      ['token.revoke', 'renamed', undefined],
    ]
    assert.deepEqual(
      lines.map(({ action, oldValueJson, newValueJson }) => [
        action.type,
        oldValueJson?.name,
        newValueJson?.name,
      ]),
      [...changes, ...changes, ['account.update', 'one', 'Renamed']],
    )
    assert.deepEqual(lines[0]?.actor, { id: ofAccount.id, type: 'token', ip: '127.0.0.1' })
    assert.deepEqual(lines[4]?.actor, { id: user, type: 'user', ip: '127.0.0.1', email })
    for (const secret of secrets) assert.equal(JSON.stringify(logs).includes(secret), false)

    const types = async (query: string) => {
      const found = await api.ask(ofAccount.secret, 'GET', `${path}?${query}`)
      assert.equal(found.status, 200, query)
      return (found.result as typeof lines).map(({ action }) => action.type)
    }
    assert.deepEqual(await types('action.type=token.roll'), ['token.roll', 'token.roll'])
    assert.deepEqual(await types('action.type=token.roll&hide_user_logs=true'), ['token.roll'])
    assert.equal((await types(`actor.email=${email}`)).length, 5)
    assert.equal((await types('since=2027-01-15T08:00:07Z')).length, 2)
    assert.deepEqual(await types('before=2027-01-15'), [])
    assert.deepEqual(await types('page=2'), [])
    const first = await api.ask(ofAccount.secret, 'GET', `${path}?per_page=8`)
    assert.deepEqual(await types(`per_page=8&cursor=${String(first.result_info?.['next_cursor'])}`), [
      'token.create',
    ])
    for (const query of ['cursor=x', 'since=yesterday', 'direction=up', 'actor.email=%00'])
      assert.equal((await api.ask(ofAccount.secret, 'GET', `${path}?${query}`)).status, 400, query)
    const reader = await api.accounts.createToken(account, { name: 'r', permissions: ['Email Sending:Edit'] })
    assert.equal((await api.ask(reader.secret, 'GET', path)).code, 9109)
  },
)
