import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Store, statement } from '#store/store.ts'
import { onBothEngines } from '#test/stores.ts'
import { openAccounts } from './accounts.ts'
import { openPasswordResetLimits } from './password-reset-limits.ts'
import { PASSWORD_RESET_LIFE_MS } from './password-resets.ts'

const client = { address: '192.0.2.1', userAgent: 'a browser' }
const from = { client, instead: undefined }
const HOUR = 3_600_000

const audited = statement<{ readonly action: string }>(
  'test.audited',
  `select action from audit_log where account_id = $1 and action like 'password%' order by at, id`,
)
const stored = statement<{ readonly hash: string | null }>('test.stored', 'select hash from password_reset')

async function openWorld(store: Store) {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store, clock })
  const { people } = accounts
  const accountId = (await accounts.createAccount('A')).id
  const person = async (email: string) => {
    const made = await people.setUser({ email, password: 'the old password' })
    assert.ok(made !== 'busy')
    await accounts.addMember(accountId, made.id, 'member')
    return made.id
  }
  /** What a mail would have said, and to whom. */
  const mails: { readonly to: string; readonly token: string }[] = []
  const ask = async (email: string, of = people) => {
    let mail: (typeof mails)[number] | undefined
    const promised = await of.forgot(email, client, async (to, token) => {
      mail = { to, token }
      return []
    })
    if (promised && mail) mails.push(mail)
    return promised
  }
  const reset = async (token: string, password: string, of = people) => {
    const found = await of.findReset(token)
    return found ? (await of.resetPassword(found, password, from)).kind : 'none'
  }
  const signIn = (email: string, password: string) => people.signIn({ email, password, ...from })
  return {
    ...{ accounts, people, accountId, person, mails, ask, reset, signIn },
    /** Another process. */
    elsewhere: openAccounts({ store, clock }).people,
    last: () => mails.at(-1)?.token ?? assert.fail('no mail'),
    pass: (ms: number) => (now += ms),
    actions: async () => (await store.all(audited, [accountId])).map(({ action }) => action),
  }
}

onBothEngines('a link sets a password once, and every session ends', async (_t, { store }) => {
  const { people, person, ask, last, reset, signIn, elsewhere, actions } = await openWorld(store)
  const userId = await person('a@example.com')
  const before = [
    await signIn('a@example.com', 'the old password'),
    await signIn('a@example.com', 'the old password'),
  ].map((signed) => (signed.kind === 'signed-in' ? signed.secret : assert.fail(signed.kind)))
  for (const secret of before) assert.ok(await people.sessions.find(secret))
  assert.equal(await ask('a@example.com'), true)
  const found = await elsewhere.findReset(last())
  assert.deepEqual([found?.userId, found?.email], [userId, 'a@example.com'])
  const [row] = await store.all(stored, [])
  assert.match(row?.hash ?? '', /^[0-9a-f]{64}$/)
  assert.equal(await people.findReset(row?.hash ?? ''), undefined, 'what is stored opens nothing')

  assert.ok(found)
  const signed = await people.resetPassword(found, 'the new password', from)
  assert.ok(signed.kind === 'signed-in')
  for (const secret of before) assert.equal(await people.sessions.find(secret), undefined)
  assert.equal((await people.sessions.find(signed.secret))?.userId, userId)
  assert.equal((await people.sessions.list(userId)).length, 1)
  assert.equal((await signIn('a@example.com', 'the old password')).kind, 'wrong')
  assert.equal((await signIn('a@example.com', 'the new password')).kind, 'signed-in')
  assert.equal(await reset(last(), 'a third password'), 'none')
  assert.equal((await people.resetPassword(found, 'a third password', from)).kind, 'gone')
  assert.equal((await people.sessions.list(userId)).length, 2, 'a link that is used ends nothing')
  assert.deepEqual(await actions(), ['password_reset.create', 'password.reset'])
})

onBothEngines('a link works for an hour, and not after a newer one', async (_t, { store }) => {
  const { people, person, ask, mails, reset, pass, last } = await openWorld(store)
  await person('a@example.com')
  await person('b@example.com')
  await ask('a@example.com')
  await ask('b@example.com')
  await ask('a@example.com')
  const [first, others, second] = mails.map(({ token }) => token)
  assert.equal(await people.findReset(first ?? ''), undefined)
  assert.ok(await people.findReset(second ?? ''))
  assert.equal((await people.findReset(others ?? ''))?.email, 'b@example.com')
  pass(PASSWORD_RESET_LIFE_MS - 1)
  const late = await people.findReset(second ?? '')
  assert.ok(late)
  pass(1)
  assert.equal(await people.findReset(second ?? ''), undefined)
  assert.equal((await people.resetPassword(late, 'the new password', from)).kind, 'gone')
  await ask('a@example.com')
  assert.equal(await reset(last(), 'the new password'), 'signed-in')
})

onBothEngines('of two who use a link at once one does', async (_t, { store }) => {
  const { people, elsewhere, person, ask, last, signIn } = await openWorld(store)
  const userId = await person('a@example.com')
  await ask('a@example.com')
  const found = await people.findReset(last())
  assert.ok(found)
  const outcomes = await Promise.all([
    people.resetPassword(found, 'password number 0', from),
    elsewhere.resetPassword(found, 'password number 1', from),
  ])
  const kinds = outcomes.map(({ kind }) => kind)
  assert.deepEqual(kinds.toSorted(), ['gone', 'signed-in'])
  const winner = kinds.indexOf('signed-in')
  assert.equal((await signIn('a@example.com', `password number ${winner}`)).kind, 'signed-in')
  assert.equal((await signIn('a@example.com', `password number ${1 - winner}`)).kind, 'wrong')
  assert.equal((await people.sessions.list(userId)).length, 2)
})

onBothEngines(
  'whoever signs in by the password before, meanwhile, is signed in no longer',
  async (_t, open) => {
    const { people, elsewhere, person, ask, last, signIn } = await openWorld(open.store)
    const userId = await person('a@example.com')
    for (let round = 0; round < 3; round++) {
      const password = round === 0 ? 'the old password' : `password number ${round - 1}`
      assert.ok(await ask('a@example.com'))
      const found = await elsewhere.findReset(last())
      assert.ok(found)
      const [, done] = await Promise.all([
        signIn('a@example.com', password),
        elsewhere.resetPassword(found, `password number ${round}`, from),
      ])
      assert.ok(done.kind === 'signed-in')
      const list = await people.sessions.list(userId)
      assert.equal(list.length, 1)
    }
  },
)

onBothEngines('every change of the password ends the link', async (_t, { store }) => {
  const { people, person, ask, last, signIn, pass } = await openWorld(store)
  await person('a@example.com')
  await ask('a@example.com')
  const signed = await signIn('a@example.com', 'the old password')
  assert.ok(signed.kind === 'signed-in')
  const session = await people.sessions.find(signed.secret)
  assert.ok(session)
  const change = { current: 'the old password', next: 'a newer password' }
  assert.equal(
    await people.changePassword(session, client, { ...change, current: 'wrong' }).then(kindOf),
    'wrong',
  )
  assert.ok(await people.findReset(last()), 'none that was refused')
  assert.equal(await people.changePassword(session, client, change), 'changed')
  assert.equal(await people.findReset(last()), undefined)
  assert.ok(await people.sessions.find(signed.secret))
  pass(HOUR)
  await ask('a@example.com')
  await people.setUser({ email: 'a@example.com', operator: true })
  assert.ok(await people.findReset(last()), 'another change of the user does not')
  await people.setUser({ email: 'a@example.com', password: 'of the operator' })
  assert.equal(await people.findReset(last()), undefined)
})

const kindOf = (outcome: 'changed' | { readonly kind: string }) =>
  outcome === 'changed' ? outcome : outcome.kind

onBothEngines(
  'nobody’s mailbox is filled: three, then one in an hour, over all processes',
  async (_t, { store }) => {
    const { people, elsewhere, person, ask, mails, last, reset, pass, actions } = await openWorld(store)
    await person('a@example.com')
    await person('b@example.com')
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, count) => ask('a@example.com', count % 2 === 0 ? people : elsewhere)),
    )
    assert.equal(asked.filter(Boolean).length, 3)
    assert.equal(mails.length, 3)
    const alive = await Promise.all(mails.map(({ token }) => people.findReset(token)))
    assert.equal(alive.filter(Boolean).length, 1, 'one link works')
    assert.equal(await ask('b@example.com'), true, 'others have their own')
    for (let hour = 0; hour < 30; hour++) {
      pass(HOUR)
      assert.deepEqual([await ask('a@example.com'), await ask('a@example.com')], [true, false], `${hour}`)
      pass(HOUR - 1)
      assert.ok(
        await people.findReset(last()),
        'whatever strangers ask for, the latest mail has a link that works',
      )
      pass(1 - HOUR)
    }
    // To use the link makes no room for more.
    assert.equal(await reset(last(), 'the new password'), 'signed-in')
    assert.equal(await ask('a@example.com'), false)
    pass(4 * HOUR)
    for (const expected of [true, true, true, false]) assert.equal(await ask('a@example.com'), expected)
    assert.equal((await actions()).filter((action) => action === 'password_reset.create').length, 37)
    pass(9 * HOUR)
    await ask('b@example.com')
    assert.equal((await store.all(stored, [])).length, 1, 'and what is over is deleted')
  },
)

onBothEngines('an address that nobody has costs the same work, and leaves nothing', async (_t, { store }) => {
  const { people, person, actions } = await openWorld(store)
  await person('Known@example.com')
  const asked: string[] = []
  const mail = async (to: string, token: string) => {
    assert.match(token, /^[\w-]{43}$/)
    asked.push(to)
    return []
  }
  assert.equal(await people.forgot('unknown@example.com', client, mail), false)
  assert.deepEqual([await store.all(stored, []), await actions()], [[], []])
  // A Kelvin sign folds to a k: the mail goes to the user, not to whoever registered that.
  assert.equal(await people.forgot('\u212anown@example.com', client, mail), true)
  assert.deepEqual(asked, ['unknown@example.com', 'Known@example.com'])
})

onBothEngines('whoever never had a password chooses the first one by a link', async (_t, { store }) => {
  const { accounts, people, accountId, ask, last, reset } = await openWorld(store)
  const { id } = await accounts.createUser('passive@example.com')
  assert.equal(await ask('passive@example.com'), true)
  assert.equal(await reset(last(), 'the first password'), 'signed-in')
  const { invitation } = await people.invitations.invite(
    accountId,
    { email: 'passive@example.com', role: 'member' },
    async () => [],
  )
  assert.equal((await people.accept(invitation, 'the first password', from)).kind, 'signed-in')
  assert.equal((await accounts.memberships(id)).length, 1)
})

onBothEngines('whoever guessed at the password before is not locked out by that', async (_t, { store }) => {
  const { person, ask, last, reset, signIn } = await openWorld(store)
  await person('a@example.com')
  for (let count = 0; count < 10; count++) await signIn('a@example.com', 'what was it')
  assert.equal((await signIn('a@example.com', 'the old password')).kind, 'limited')
  await ask('a@example.com')
  assert.equal(await reset(last(), 'the new password'), 'signed-in')
  assert.equal((await signIn('a@example.com', 'the new password')).kind, 'signed-in')
})

onBothEngines(
  'mail of nobody’s account has a row to refer to, and that is no account',
  async (_t, { store }) => {
    const { accounts } = await openWorld(store)
    await accounts.ensureServiceAccount()
    await accounts.ensureServiceAccount()
    assert.equal(await accounts.account('0'.repeat(32)), undefined)
  },
)

test('a network says it forgot so many passwords in a while, whoever’s', () => {
  let now = 0
  const limits = openPasswordResetLimits(() => now)
  for (let count = 0; count < 60; count++) assert.equal(limits.take('192.0.2.1'), 0)
  assert.equal(limits.take('192.0.2.1'), 15 * 60_000)
  assert.equal(limits.take('192.0.2.2'), 0)
  for (let count = 0; count < 60; count++) assert.equal(limits.take(`2001:db8::${count}`), 0)
  assert.ok(limits.take('2001:db8::ffff') > 0)
  now += 15 * 60_000
  assert.equal(limits.take('192.0.2.1'), 0)
})
