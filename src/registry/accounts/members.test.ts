import assert from 'node:assert/strict'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { type Accounts, openAccounts } from './accounts.ts'

const users = statement<{ readonly email: string }>('test.users', 'select email from service_user')
const memberships = statement<{ readonly role: string }>('test.memberships', 'select role from membership')
const setSending = statement('test.set-sending', 'update account set sending_enabled = $2 where id = $1')
const SENDER = { name: 'ci', permissions: ['Email Sending:Edit'] } as const

async function world(open: OpenStore) {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store: open.store, clock })
  const a = (await accounts.createAccount('A')).id
  const b = (await accounts.createAccount('B')).id
  const user = (await accounts.createUser('User@Example.com')).id
  const { id, secret } = await accounts.createUserToken(user, SENDER)
  return {
    ...{ a, b, user, tokenId: id, secret, accounts, now: clock },
    /** Another process on the same database. */
    elsewhere: openAccounts({ store: open.store, clock }),
    token: () => tokenOf(accounts, secret),
    pass: (ms: number) => (now += ms),
  }
}

async function tokenOf(accounts: Accounts, secret: string) {
  const found = await accounts.authenticate(secret)
  assert.ok(found.kind === 'valid', found.kind)
  return found.token
}

onBothEngines('one address is one user, in any case and at any moment', async (_t, open) => {
  const { accounts, elsewhere, user } = await world(open)
  const spellings = ['user@example.com', 'USER@EXAMPLE.COM', 'User@Example.com']
  for (const email of spellings) assert.deepEqual(await accounts.createUser(email), { id: user })
  const racing = await Promise.all(
    ['new@example.com', 'NEW@example.com', 'New@example.com'].flatMap((email) => [
      accounts.createUser(email),
      elsewhere.createUser(email),
    ]),
  )
  assert.equal(new Set(racing.map(({ id }) => id)).size, 1)
  const emails = (await open.store.all(users, [])).map(({ email }) => email)
  assert.equal(emails.length, 2)
  assert.ok(emails.includes('User@Example.com'), 'as its owner wrote it')
})

onBothEngines("a user's token acts in the accounts that its user is a member of", async (_t, open) => {
  const { a, b, user, tokenId, accounts, token } = await world(open)
  const found = await token()
  assert.deepEqual(
    { ...found, hash: '' },
    {
      id: tokenId,
      hash: '',
      accountId: null,
      userId: user,
      permissions: new Set(['Email Sending:Read', 'Email Sending:Edit']),
    },
  )
  assert.equal(await accounts.principal(found, a), undefined)
  await accounts.addMember(a, user)
  assert.deepEqual(await accounts.principal(found, a), {
    tokenId,
    accountId: a,
    accountName: 'A',
    permissions: found.permissions,
    sendingEnabled: true,
  })
  assert.equal(await accounts.principal(found, b), undefined)
  await accounts.addMember(b, user)
  assert.equal((await accounts.principal(found, b))?.accountName, 'B')
})

onBothEngines('no text but the id of such an account names one', async (_t, open) => {
  const { a, user, accounts, token } = await world(open)
  await accounts.addMember(a, user)
  const found = await token()
  for (const text of ['', ' ', a.toUpperCase(), `${a} `, ` ${a}`, `${a}\0`, '\0', '\ud800', user, `'${a}'`])
    assert.equal(await accounts.principal(found, text), undefined, JSON.stringify(text))
})

onBothEngines('members do not act through each other', async (_t, open) => {
  const { a, user, accounts, token } = await world(open)
  const other = (await accounts.createUser('other@example.com')).id
  await accounts.addMember(a, user)
  const theirs = await tokenOf(accounts, (await accounts.createUserToken(other, SENDER)).secret)
  assert.ok(await accounts.principal(await token(), a))
  assert.equal(await accounts.principal(theirs, a), undefined)
})

onBothEngines('membership is one row, however often it is given', async (_t, open) => {
  const { a, user, accounts, elsewhere } = await world(open)
  await Promise.all([accounts.addMember(a, user), elsewhere.addMember(a, user), accounts.addMember(a, user)])
  assert.deepEqual(await open.store.all(memberships, []), [{ role: 'member' }])
  assert.equal(await accounts.removeMember(a, user), true)
  assert.equal(await accounts.removeMember(a, user), false)
  assert.deepEqual(await open.store.all(memberships, []), [])
})

onBothEngines('nobody becomes a member of nothing, and no nobody a member', async (_t, open) => {
  const { a, user, accounts } = await world(open)
  await assert.rejects(accounts.addMember('0'.repeat(32), user))
  await assert.rejects(accounts.addMember(a, '0'.repeat(32)))
  await assert.rejects(accounts.createUserToken(a, SENDER))
  await assert.rejects(accounts.createToken(user, SENDER))
})

onBothEngines('a member who is removed stops at once here and within 5 s elsewhere', async (_t, open) => {
  const { a, user, accounts, elsewhere, token, pass } = await world(open)
  await accounts.addMember(a, user)
  const found = await token()
  assert.ok(await accounts.principal(found, a))
  assert.ok(await elsewhere.principal(found, a))
  await accounts.removeMember(a, user)
  assert.equal(await accounts.principal(found, a), undefined)
  for (let ms = 0; ms < 5000; ms += 1000) {
    assert.ok(await elsewhere.principal(found, a))
    pass(1000)
  }
  pass(1)
  assert.equal(await elsewhere.principal(found, a), undefined)
  await accounts.addMember(a, user)
  assert.ok(await accounts.principal(found, a), 'and is back at once')
  assert.ok(await elsewhere.principal(found, a))
})

onBothEngines('a member who is removed while asked for stops all the same', async (_t, open) => {
  const { a, user, accounts, token } = await world(open)
  const found = await token()
  for (let tries = 0; tries < 20; tries++) {
    await accounts.addMember(a, user)
    const removing = accounts.removeMember(a, user)
    await Promise.all([removing, ...Array.from({ length: 5 }, () => accounts.principal(found, a))])
    assert.equal(await accounts.principal(found, a), undefined)
  }
})

onBothEngines('the account’s switch is seen through either kind of token within 5 s', async (_t, open) => {
  const { a, user, accounts, token, pass } = await world(open)
  await accounts.addMember(a, user)
  const own = await tokenOf(accounts, (await accounts.createToken(a, SENDER)).secret)
  const both = [own, await token()]
  for (const enabled of [true, false, true]) {
    await open.store.commit([{ statement: setSending, params: [a, enabled ? 1 : 0] }])
    pass(5001)
    for (const token of both) assert.equal((await accounts.principal(token, a))?.sendingEnabled, enabled)
  }
})

onBothEngines('revoked and expired tokens of users say whose they were', async (_t, open) => {
  const { user, tokenId, secret, accounts, pass, now } = await world(open)
  const brief = await accounts.createUserToken(user, { ...SENDER, expiresAt: now() + 10 })
  const found = await tokenOf(accounts, brief.secret)
  pass(10)
  assert.deepEqual(await accounts.authenticate(brief.secret), {
    kind: 'expired',
    accountId: null,
    userId: user,
  })
  assert.equal(await accounts.current(found), undefined)
  assert.equal(await accounts.revokeUserToken(user, tokenId), true)
  assert.equal(await accounts.revokeUserToken(user, tokenId), false)
  assert.deepEqual(await accounts.authenticate(secret), { kind: 'revoked', accountId: null, userId: user })
})
