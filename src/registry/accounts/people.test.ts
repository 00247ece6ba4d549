import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '#store/store.ts'
import { onBothEngines } from '#test/stores.ts'
import { openAccounts } from './accounts.ts'
import { INVITATION_LIFE_MS } from './invitations.ts'
import { openPasswords } from './password.ts'
import { openSignInLimits } from './sign-in-limits.ts'

const DAY = 86_400_000
const client = { address: '192.0.2.1', userAgent: 'a browser' }
const from = { client, instead: undefined }

async function openWorld(store: Store) {
  let now = 1_800_000_000_000
  const accounts = openAccounts({ store, clock: () => now })
  const { people, team } = accounts
  const accountId = (await accounts.createAccount('A')).id
  const person = async (email: string, role: 'admin' | 'member') => {
    const made = await people.setUser({ email, password: 'a good password' })
    assert.ok(made !== 'busy')
    await accounts.addMember(accountId, made.id, role)
    return made.id
  }
  const signIn = async (email: string) => {
    const signed = await people.signIn({ email, password: 'a good password', ...from })
    assert.ok(signed.kind === 'signed-in', signed.kind)
    return signed.secret
  }
  const token = async (secret: string) => {
    const found = await accounts.authenticateSession(secret)
    return found.kind === 'valid' ? found.token : undefined
  }
  const member = async (email: string) => {
    const found = (await team.list(accountId)).find((one) => one.email === email)
    assert.ok(found)
    return found
  }
  return {
    accounts,
    people,
    team,
    accountId,
    person,
    signIn,
    token,
    member,
    pass: (ms: number) => (now += ms),
  }
}

onBothEngines(
  'a session ends 7 days after it was used last, and 30 after it began',
  async (_t, { store }) => {
    const { people, person, signIn, token, pass } = await openWorld(store)
    const userId = await person('a@example.com', 'admin')
    const idle = await signIn('a@example.com')
    const used = await signIn('a@example.com')
    for (let day = 0; day < 29; day++) {
      pass(DAY)
      assert.ok(await token(used), `day ${day}`)
      if (day === 5) assert.equal((await people.sessions.list(userId)).length, 2)
      if (day === 7) assert.equal(await token(idle), undefined)
    }
    assert.equal((await people.sessions.list(userId)).length, 1)
    pass(DAY)
    assert.equal(await token(used), undefined)
    assert.deepEqual(await people.sessions.list(userId), [])
  },
)

onBothEngines('of one user a hundred sessions live, those used last', async (_t, { store }) => {
  const { people, person, token, pass } = await openWorld(store)
  const [userId, other] = [await person('a@example.com', 'admin'), await person('b@example.com', 'admin')]
  const begin = async (email: string) => (await people.signInAs(email, from))?.secret ?? ''
  const [neighbour, used, idle] = [
    await begin('b@example.com'),
    await begin('a@example.com'),
    await begin('a@example.com'),
  ]
  for (let count = 0; count < 100; count++) {
    pass(6 * 60_000)
    assert.ok(await token(used), `${count}`)
    await begin('a@example.com')
  }
  assert.equal(await token(idle), undefined)
  assert.equal((await people.sessions.list(userId)).length, 100)
  assert.ok(await token(used))
  assert.ok(await token(neighbour))
  assert.equal((await people.sessions.list(other)).length, 1)
})

onBothEngines('of secrets and passwords nothing is stored that opens anything', async (_t, { store }) => {
  const { people, person, signIn } = await openWorld(store)
  await person('a@example.com', 'admin')
  const secret = await signIn('a@example.com')
  const stored = await store.all<{ readonly hash: string }>(
    { name: 'test', sqlite: 'select hash from session', postgres: 'select hash from session' },
    [],
  )
  assert.equal(stored.length, 1)
  assert.match(stored[0]?.hash ?? '', /^[0-9a-f]{64}$/)
  assert.notEqual(stored[0]?.hash, secret)
  const password = (await people.userOfEmail('A@EXAMPLE.COM'))?.password ?? ''
  assert.match(password, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.equal(
    (await people.sessions.find(password)) ?? (await people.sessions.find(stored[0]?.hash ?? '')),
    undefined,
  )
})

onBothEngines('what a session may do follows the role, in this moment', async (_t, { store }) => {
  const { accounts, team, accountId, person, signIn, token, member } = await openWorld(store)
  await person('admin@example.com', 'admin')
  await person('other@example.com', 'admin')
  const other = (await accounts.createAccount('B')).id
  const secret = await signIn('other@example.com')
  const principal = async (id: string) => {
    const found = await token(secret)
    return found && accounts.principal(found, id)
  }
  assert.equal((await principal(accountId))?.administrator, true)
  assert.equal(await principal(other), undefined)
  assert.equal(await team.setRole(await member('other@example.com'), accountId, 'member', []), 'done')
  const asMember = await principal(accountId)
  assert.equal(asMember?.administrator, undefined)
  assert.equal(asMember?.permissions.has('Account Settings:Read'), false)
  assert.equal(asMember?.permissions.has('Email Sending:Edit'), true)
  assert.equal(asMember?.zones, undefined)
  assert.equal(await team.remove(await member('other@example.com'), accountId, []), 'done')
  assert.equal(await principal(accountId), undefined)
  assert.ok(await token(secret))
})

onBothEngines('the last administrator remains, also where two go at once', async (_t, { store }) => {
  const { team, accountId, person, member } = await openWorld(store)
  await person('a@example.com', 'admin')
  await person('m@example.com', 'member')
  const a = await member('a@example.com')
  assert.equal(await team.setRole(a, accountId, 'member', []), 'last-admin')
  assert.equal(await team.remove(a, accountId, []), 'last-admin')
  assert.equal(await team.remove(await member('m@example.com'), accountId, []), 'done')
  await person('b@example.com', 'admin')
  const b = await member('b@example.com')
  const outcomes = await Promise.all([
    team.setRole(a, accountId, 'member', []),
    team.remove(b, accountId, []),
  ])
  assert.deepEqual(outcomes.toSorted(), ['done', 'last-admin'])
  assert.equal((await team.list(accountId)).filter(({ role }) => role === 'admin').length, 1)
  assert.equal(await team.remove({ ...a, id: 'f'.repeat(32) }, accountId, []), 'gone')
})

onBothEngines(
  'an invitation works once, for seven days, and not after another one',
  async (_t, { store }) => {
    const { people, accounts, accountId, pass } = await openWorld(store)
    const invite = (email: string) =>
      people.invitations.invite(accountId, { email, role: 'member' }, async () => [])
    const first = await invite('New@example.com')
    const second = await invite('new@EXAMPLE.com')
    assert.equal(await people.invitations.find(first.token), undefined)
    const found = await people.invitations.find(second.token)
    assert.ok(found)
    assert.deepEqual([found.accountName, found.role], ['A', 'member'])
    assert.equal((await people.accept(found, 'a good password', from)).kind, 'signed-in')
    assert.equal((await people.accept(found, 'a good password', from)).kind, 'gone')
    const user = await people.userOfEmail('new@example.com')
    assert.deepEqual(
      (await accounts.memberships(user?.id ?? '')).map(({ accountId: id, role }) => [id, role]),
      [[accountId, 'member']],
    )
    const late = await invite('late@example.com')
    pass(INVITATION_LIFE_MS)
    assert.equal(await people.invitations.find(late.token), undefined)
    assert.deepEqual(await people.invitations.list(accountId), [])
  },
)

onBothEngines('whoever has the link does not become a user who was there before', async (_t, { store }) => {
  const { people, accounts, accountId, person } = await openWorld(store)
  await person('known@example.com', 'admin')
  const { id: passive } = await accounts.createUser('passive@example.com')
  const other = (await accounts.createAccount('B')).id
  for (const [email, password, kind] of [
    ['known@example.com', 'a guessed password', 'wrong'],
    ['passive@example.com', 'a good password', 'unusable'],
    ['known@example.com', 'a good password', 'signed-in'],
  ] as const) {
    const { invitation } = await people.invitations.invite(other, { email, role: 'admin' }, async () => [])
    assert.equal((await people.accept(invitation, password, from)).kind, kind)
  }
  assert.deepEqual(await accounts.memberships(passive), [])
  assert.equal((await people.signIn({ email: 'passive@example.com', password: '', ...from })).kind, 'wrong')
  assert.ok(accountId !== other)
})

onBothEngines(
  'who signs in with a password while it is changed is signed in no longer',
  async (_t, { store }) => {
    const begins = Promise.withResolvers<void>()
    const changed = Promise.withResolvers<void>()
    let isSlow = false
    const { people, person, signIn } = await openWorld({
      engine: store.engine,
      get: (query, params) => store.get(query, params),
      all: (query, params) => store.all(query, params),
      close: () => store.close(),
      async commit(writes) {
        if (isSlow && writes.some(({ statement }) => statement.name === 'session.insert')) {
          begins.resolve()
          await changed.promise
        }
        return store.commit(writes)
      },
    })
    await person('a@example.com', 'admin')
    const session = await people.sessions.find(await signIn('a@example.com'))
    assert.ok(session)
    isSlow = true
    const late = people.signIn({ email: 'a@example.com', password: 'a good password', ...from })
    await begins.promise
    const change = { current: 'a good password', next: 'another password' }
    assert.equal(await people.changePassword(session, client, change), 'changed')
    changed.resolve()
    const signed = await late
    assert.equal(signed.kind, 'wrong')
    assert.equal((await people.sessions.list(session.userId)).length, 1)
    const again = await people.signIn({ email: 'a@example.com', password: 'another password', ...from })
    assert.equal(again.kind, 'signed-in')
  },
)

test('a password matches itself however it is composed, nothing else, and nobody’s', async () => {
  const passwords = openPasswords()
  const stored = await passwords.hash('Pässwörd')
  assert.notEqual(stored, await passwords.hash('Pässwörd'))
  const matches = (password: string) => passwords.matches(password, stored)
  assert.deepEqual(
    await Promise.all([
      matches('Pässwörd'),
      matches('Pa\u0308sswo\u0308rd'),
      matches('pässwörd'),
      matches(''),
    ]),
    [true, true, false, false],
  )
  assert.equal(await passwords.matches('Pässwörd', undefined), false)
  await assert.rejects(passwords.matches('x', 'not what is stored'), TypeError)
})

test('passwords are tried a few at a time, and past a line of others not at all', async () => {
  const passwords = openPasswords()
  const tried = await Promise.all(Array.from({ length: 60 }, () => passwords.matches('x', undefined)))
  assert.equal(tried.filter((outcome) => outcome === 'busy').length, 18)
  assert.equal(await passwords.matches('x', undefined), false)
})

test('limits: by address and network, by address alone, by network alone, and for a while', () => {
  let now = 0
  const limits = openSignInLimits(() => now)
  const take = (email: string, address: string) => limits.take(email, address)
  for (let count = 0; count < 10; count++) assert.equal(take('a@x', '192.0.2.1'), 0)
  assert.equal(take('A@X', '192.0.2.1'), 15 * 60_000)
  assert.equal(take('a@x', '192.0.2.2'), 0)
  assert.equal(take('b@x', '192.0.2.1'), 0)
  for (let count = 0; count < 89; count++) take(`c${count}@x`, '192.0.2.1')
  assert.ok(take('d@x', '192.0.2.1') > 0)
  // All of a /64 are one subscriber.
  for (let count = 0; count < 10; count++) assert.equal(take('e@x', `2001:db8::${count}`), 0)
  assert.ok(take('e@x', '2001:db8::ffff') > 0)
  assert.equal(take('e@x', '2001:db8:0:1::1'), 0)
  for (let network = 0; network < 200; network++) take('f@x', `198.51.100.${network}`)
  assert.ok(take('f@x', '203.0.113.1') > 0)
  limits.giveBack('a@x', '192.0.2.1')
  now += 15 * 60_000
  assert.equal(take('a@x', '192.0.2.1'), 0)
})

test('limits: a flood of made-up addresses from a network that is refused has nobody forgotten', () => {
  const limits = openSignInLimits(() => 0)
  for (let network = 0; network < 100; network++) limits.take('guessed@x', `198.51.100.${network}`)
  for (let count = 0; count < 100; count++) limits.take(`${count}@x`, '192.0.2.1')
  for (let count = 0; count < 60_000; count++) limits.take(`made-up-${count}@x`, '192.0.2.1')
  for (let count = 0; count < 60_000; count++) {
    assert.equal(limits.take(`busy-${count}@x`, '192.0.2.2'), 0)
    limits.giveBack(`busy-${count}@x`, '192.0.2.2')
  }
  assert.ok(limits.take('guessed@x', '203.0.113.1') > 0)
})
