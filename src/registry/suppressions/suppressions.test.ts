import assert from 'node:assert/strict'
import { statement } from '#store/store.ts'
import { onBothEngines } from '#test/stores.ts'
import {
  address,
  BY,
  DAY_MS,
  DOMAIN,
  HOUR_MS,
  KEY,
  suppressionsWorld as world,
} from '#test/suppressions-world.ts'
import { openSuppressions } from './suppressions.ts'

onBothEngines('a bounce suppresses its recipient, in any case, for one account', async (_t, open) => {
  const { a, b, suppressions, report, now } = await world(open)
  await report('hard_bounce', 7 * DAY_MS)
  const entry = (await suppressions.find(a, [KEY], DOMAIN)).get(KEY)
  assert.ok(entry)
  const { id, ...rest } = entry
  assert.match(id, /^[0-9a-f]{32}$/)
  assert.deepEqual(rest, {
    email: 'User@example.com',
    emailKey: KEY,
    scope: { type: 'account' },
    reason: 'hard_bounce',
    note: null,
    readOnly: false,
    createdAt: now(),
    expiresAt: now() + 7 * DAY_MS,
  })
  assert.deepEqual(await suppressions.suppression(a, id), entry)
  assert.equal((await suppressions.find(b, [KEY], DOMAIN)).size, 0)
  assert.equal((await suppressions.find(b, [KEY, 'x@example.com'], DOMAIN)).size, 0)
  assert.equal(await suppressions.suppression(b, id), undefined)
  assert.equal(await suppressions.remove(b, id, BY), 'unknown')
})

onBothEngines('fifty recipients are one question, answered by key', async (_t, open) => {
  const { a, suppressions, report } = await world(open)
  await report('hard_bounce', null, 'user7@example.com')
  await report('soft_bounce', DAY_MS, 'user30@example.com')
  const keys = [...Array(50).keys()].map((i) => `user${i}@example.com`)
  const found = await suppressions.find(a, keys, DOMAIN)
  assert.deepEqual([...found.keys()].sort(), ['user30@example.com', 'user7@example.com'])
  assert.equal((await suppressions.find(a, [], DOMAIN)).size, 0)
})

onBothEngines('an entry ends at its expiry, and the next report makes a new one', async (_t, open) => {
  const { a, suppressions, report, current, pass } = await world(open)
  await report('soft_bounce', DAY_MS)
  pass(DAY_MS - 1)
  const first = await current()
  assert.ok(first)
  pass(1)
  assert.equal(await current(), undefined)
  assert.equal((await suppressions.find(a, [KEY, 'x@example.com'], DOMAIN)).size, 0)
  assert.equal(await suppressions.suppression(a, first.id), undefined)
  assert.equal(await suppressions.remove(a, first.id, BY), 'unknown')
  await report('soft_bounce', DAY_MS)
  const second = await current()
  assert.notEqual(second?.id, first.id)
  assert.equal(second?.createdAt, first.createdAt + DAY_MS)
})

/** What stands after a report has met an active entry: standing entry and its time, report and its time, outcome. */
const MEETINGS = [
  ['soft_bounce', DAY_MS, 'hard_bounce', 7 * DAY_MS, 'hard_bounce'],
  ['soft_bounce', DAY_MS, 'complaint', null, 'complaint'],
  ['hard_bounce', 7 * DAY_MS, 'soft_bounce', DAY_MS, 'hard_bounce'],
  ['hard_bounce', HOUR_MS, 'soft_bounce', DAY_MS, 'hard_bounce'],
  ['hard_bounce', null, 'soft_bounce', DAY_MS, 'hard_bounce'],
  ['hard_bounce', null, 'complaint', null, 'complaint'],
  ['complaint', null, 'hard_bounce', null, 'complaint'],
  ['complaint', null, 'soft_bounce', DAY_MS, 'complaint'],
  ['policy', null, 'hard_bounce', null, 'policy'],
  ['policy', DAY_MS, 'hard_bounce', null, 'policy'],
  ['policy', DAY_MS, 'complaint', null, 'policy'],
  ['complaint', null, 'policy', null, 'policy'],
  ['manual', null, 'hard_bounce', null, 'manual'],
  ['manual', HOUR_MS, 'hard_bounce', null, 'manual'],
  ['manual', HOUR_MS, 'soft_bounce', DAY_MS, 'manual'],
  ['manual', null, 'complaint', null, 'complaint'],
  ['manual', null, 'policy', null, 'policy'],
] as const

onBothEngines('an active entry gives way only to a stronger report, and keeps its id', async (_t, open) => {
  const { suppressions, a, report, current, now, pass } = await world(open)
  for (const [row, [standing, standingMs, reported, reportedMs, outcome]] of MEETINGS.entries()) {
    const label = `${standing} for ${standingMs} ms meets ${reported}`
    const email = `row${row}@example.com`
    if (standing === 'manual') {
      const expiresAt = standingMs === null ? null : now() + standingMs
      await suppressions.addManual(a, { email: address(email), expiresAt, note: 'asked to' })
    } else {
      await report(standing, standingMs, email)
    }
    const before = await current(email)
    pass(1000)
    await report(reported, reportedMs, email)
    const after = await current(email)
    assert.equal(after?.reason, outcome, label)
    assert.equal(after.id, before?.id, label)
    assert.equal(after.createdAt, before?.createdAt, label)
    if (before?.reason === outcome) assert.deepEqual(after, before, label)
    assert.equal(after.readOnly, outcome === 'policy', label)
  }
})

onBothEngines('a bounce of the same kind lengthens an entry and never shortens it', async (_t, open) => {
  const { report, current, now, pass } = await world(open)
  await report('hard_bounce', 7 * DAY_MS)
  pass(DAY_MS)
  await report('hard_bounce', 7 * DAY_MS)
  assert.equal((await current())?.expiresAt, now() + 7 * DAY_MS)
  await report('hard_bounce', null)
  assert.equal((await current())?.expiresAt, null)
  await report('hard_bounce', 7 * DAY_MS)
  assert.equal((await current())?.expiresAt, null)
})

onBothEngines('an expired entry of any reason is replaced by the next report', async (_t, open) => {
  const { suppressions, a, report, current, now, pass } = await world(open)
  await report('policy', DAY_MS, 'policy@example.com')
  await suppressions.addManual(a, { email: address(KEY), expiresAt: now() + DAY_MS, note: 'holiday' })
  pass(DAY_MS)
  for (const email of ['policy@example.com', KEY]) {
    await report('soft_bounce', DAY_MS, email)
    const entry = await current(email)
    assert.deepEqual([entry?.reason, entry?.readOnly, entry?.note], ['soft_bounce', false, null])
  }
})

onBothEngines('adding by hand is idempotent: an active entry answers as it is', async (_t, open) => {
  const { suppressions, a, report, now, pass } = await world(open)
  const wish = { email: address('User@example.com'), expiresAt: now() + DAY_MS, note: 'asked to' }
  const added = await suppressions.addManual(a, wish)
  assert.equal(added.kind, 'added')
  pass(1000)
  const again = await suppressions.addManual(a, { email: address(KEY), expiresAt: null, note: 'again' })
  assert.deepEqual(again, { kind: 'existed', suppression: added.suppression })
  await report('hard_bounce', null, 'bounced@example.com')
  const bounced = await suppressions.addManual(a, { ...wish, email: address('bounced@example.com') })
  assert.deepEqual([bounced.kind, bounced.suppression.reason], ['existed', 'hard_bounce'])
  await report('policy', null, 'policy@example.com')
  const policy = await suppressions.addManual(a, { ...wish, email: address('policy@example.com') })
  assert.deepEqual([policy.kind, policy.suppression.reason], ['read-only', 'policy'])
  pass(DAY_MS)
  const renewed = await suppressions.addManual(a, { ...wish, expiresAt: null })
  assert.equal(renewed.kind, 'added')
  assert.notEqual(renewed.suppression.id, added.suppression.id)
})

onBothEngines('an entry can be removed unless it is the operator’s', async (_t, open) => {
  const { suppressions, a, report, current } = await world(open)
  await report('hard_bounce', null)
  const bounce = await current()
  assert.equal(await suppressions.remove(a, bounce?.id ?? '', BY), 'removed')
  assert.equal(await current(), undefined)
  assert.equal(await suppressions.remove(a, bounce?.id ?? '', BY), 'unknown')
  await report('policy', null)
  const policy = await current()
  assert.equal(await suppressions.remove(a, policy?.id ?? '', BY), 'read-only')
  assert.deepEqual(await current(), policy)
})

onBothEngines('the sweep deletes what has expired and nothing else', async (_t, open) => {
  const { suppressions, report, current, pass } = await world(open)
  await report('soft_bounce', DAY_MS, 'a@example.com')
  await report('policy', DAY_MS, 'b@example.com')
  await report('hard_bounce', 7 * DAY_MS, 'c@example.com')
  await report('hard_bounce', null, 'd@example.com')
  assert.equal(await suppressions.sweep(), 0)
  pass(DAY_MS)
  assert.equal(await suppressions.sweep(), 2)
  assert.equal(await suppressions.sweep(), 0)
  assert.ok(await current('c@example.com'))
  assert.ok(await current('d@example.com'))
})

onBothEngines('an entry of a sending domain counts for its mail alone', async (_t, open) => {
  const { a, suppressions, report, current } = await world(open)
  const wish = { email: address(KEY), expiresAt: null, note: null }
  const scope = { type: 'sending_domain', value: 'news.example' } as const
  const ofDomain = await suppressions.addManual(a, { ...wish, scope })
  assert.equal(ofDomain.kind, 'added')
  assert.deepEqual(ofDomain.suppression.scope, scope)
  assert.equal(await current(), undefined)
  assert.equal((await current(KEY, 'news.example'))?.id, ofDomain.suppression.id)
  const many = await suppressions.find(a, [KEY, 'x@example.com'], 'news.example')
  assert.deepEqual([...many.keys()], [KEY])

  // Automatic entries are the account's, beside it; where both count, the account's is told.
  await report('hard_bounce', null)
  assert.equal((await current())?.reason, 'hard_bounce')
  assert.equal((await current(KEY, 'news.example'))?.reason, 'hard_bounce')
  const both = await suppressions.find(a, [KEY, 'x@example.com'], 'news.example')
  assert.equal(both.get(KEY)?.reason, 'hard_bounce')
  assert.deepEqual(await suppressions.suppression(a, ofDomain.suppression.id), ofDomain.suppression)
  const again = await suppressions.addManual(a, { ...wish, scope })
  assert.deepEqual(again, { kind: 'existed', suppression: ofDomain.suppression })
})

onBothEngines('a thousand at once: each has its own outcome, in order', async (_t, open) => {
  const { a, b, suppressions, report, now } = await world(open)
  await report('hard_bounce', null, 'u3@example.com')
  await report('policy', null, 'u500@example.com')
  const email = (index: number) => address(`u${index}@example.com`)
  const first = await suppressions.addManual(a, { email: email(7), expiresAt: null, note: 'first' })
  const wishes = [...Array(1000).keys()].map((index) => ({
    email: email(index),
    expiresAt: index % 2 === 0 ? null : now() + DAY_MS,
    note: index === 0 ? 'a "note" \'quoted\'\n{[,' : null,
  }))
  const outcomes = await suppressions.addManyManual(a, wishes)
  assert.deepEqual(
    outcomes.flatMap(({ kind }, index) => (kind === 'added' ? [] : [[index, kind]])),
    [
      [3, 'existed'],
      [7, 'existed'],
      [500, 'read-only'],
    ],
  )
  assert.equal(outcomes[7]?.suppression.id, first.suppression.id)
  for (const index of [0, 1, 999]) {
    const outcome = outcomes[index]?.suppression
    assert.equal(outcome?.email, email(index))
    assert.deepEqual(await suppressions.suppression(a, outcome?.id ?? ''), outcome)
  }
  // Two that bring the same, each in the other's order, do not wait for each other.
  const both = await Promise.all([
    suppressions.addManyManual(b, wishes),
    suppressions.addManyManual(b, wishes.toReversed()),
  ])
  const kinds = both.map((list) => list.filter(({ kind }) => kind === 'added').length)
  assert.equal((kinds[0] ?? 0) + (kinds[1] ?? 0), 1000)
  assert.deepEqual(
    both[0].map(({ suppression }) => suppression.id),
    both[1].toReversed().map(({ suppression }) => suppression.id),
  )
})

onBothEngines('expiry and note change by themselves, of what the customer may change', async (_t, open) => {
  const { a, b, suppressions, report, current, now } = await world(open)
  const { suppression } = await suppressions.addManual(a, {
    email: address(KEY),
    expiresAt: null,
    note: 'one',
  })
  const { id } = suppression
  const change = (fields: object, account = a) => suppressions.change(account, id, { by: BY, ...fields })
  const expiresAt = now() + DAY_MS
  assert.deepEqual(await change({ expiresAt }), { ...suppression, expiresAt })
  assert.deepEqual(await change({ note: 'two' }), { ...suppression, expiresAt, note: 'two' })
  assert.deepEqual(await change({}), await current())
  assert.deepEqual(await change({ expiresAt: null, note: null }), { ...suppression, note: null })
  assert.deepEqual(await current(), { ...suppression, note: null })
  assert.equal(await change({ note: 'theirs' }, b), 'unknown')
  await report('policy', null)
  assert.equal(await change({ note: 'three' }), 'read-only')
  assert.equal((await current())?.note, null)
})

onBothEngines('ten complaints a day are taken back, each on record, across restarts', async (_t, open) => {
  const opened = await world(open)
  const { a, suppressions, report, current, now, pass } = opened
  const ids: string[] = []
  for (let index = 0; index < 13; index++) {
    await report('complaint', null, `c${index}@example.com`)
    ids.push((await current(`c${index}@example.com`))?.id ?? '')
  }
  const remove = (index: number) => suppressions.remove(a, ids[index] ?? '', BY)
  for (let index = 0; index < 8; index++) assert.equal(await remove(index), 'removed')
  // To end one soon is to take it back; a note, or no end, is not.
  const change = (index: number, fields: object) =>
    suppressions.change(a, ids[index] ?? '', { by: BY, ...fields })
  const shortened = await change(8, { expiresAt: now() + HOUR_MS })
  assert.ok(typeof shortened !== 'string' && shortened.expiresAt === now() + HOUR_MS)
  assert.equal(await remove(9), 'removed')
  assert.equal(await remove(10), 'limit-reached')
  assert.equal(await change(10, { expiresAt: now() + 1 }), 'limit-reached')
  assert.equal(typeof (await change(10, { note: 'asked us', expiresAt: null })), 'object')
  await report('hard_bounce', null, 'h@example.com')
  const hard = (await current('h@example.com'))?.id ?? ''
  assert.equal(await suppressions.remove(a, hard, BY), 'removed', 'other reasons have no limit')
  assert.ok(await current('c10@example.com'), 'what was refused stands')

  const again = openSuppressions({ store: await open.reopen(), clock: now })
  assert.equal(await again.remove(a, ids[10] ?? '', BY), 'limit-reached')
  pass(DAY_MS)
  assert.equal(await again.remove(a, ids[10] ?? '', BY), 'removed')
  const records = await open.store.all(removals, [a])
  assert.equal(records.length, 11)
  const record = (email: string) => records.find((row) => row.email === email)
  const common = { token_id: 't1' }
  assert.deepEqual(record('c8@example.com'), { ...common, email: 'c8@example.com', change: 'shortened' })
  assert.deepEqual(record('c10@example.com'), { ...common, email: 'c10@example.com', change: 'deleted' })
})

onBothEngines('of removals at once no more than ten pass', async (_t, open) => {
  const { a, suppressions, report, current } = await world(open)
  const emails = [...Array(14).keys()].map((index) => `c${index}@example.com`)
  for (const email of emails) await report('complaint', null, email)
  const ids = await Promise.all(emails.map(async (email) => (await current(email))?.id ?? ''))
  const outcomes = await Promise.all(ids.map((id) => suppressions.remove(a, id, BY)))
  assert.equal(outcomes.filter((outcome) => outcome === 'removed').length, 10)
  assert.equal(outcomes.filter((outcome) => outcome === 'limit-reached').length, 4)
})

onBothEngines('bulk requests: ten a minute for each account', async (_t, open) => {
  const { a, b, suppressions, pass } = await world(open)
  for (let request = 0; request < 10; request++) assert.equal(await suppressions.spend(a, 'bulk'), undefined)
  assert.equal(await suppressions.spend(a, 'bulk'), 60)
  pass(59_000)
  assert.equal(await suppressions.spend(a, 'bulk'), 1)
  assert.equal(await suppressions.spend(b, 'bulk'), undefined)
  pass(1000)
  assert.equal(await suppressions.spend(a, 'bulk'), undefined)
})

onBothEngines('soft bounces in a row suppress for longer, and stay soft bounces', async (_t, open) => {
  const { suppressions, reportSoftBounce, current, now, pass } = await world(open)
  for (const days of [1, 3, 7, 14, 30, 30]) {
    await reportSoftBounce()
    const entry = await current()
    assert.equal(entry?.reason, 'soft_bounce')
    assert.equal((entry.expiresAt ?? 0) - now(), days * DAY_MS, `${days} days`)
    // Mail that was on its way begins the same rest anew.
    pass(HOUR_MS)
    await reportSoftBounce()
    assert.equal(((await current())?.expiresAt ?? 0) - now(), days * DAY_MS)
    assert.equal((await current())?.id, entry.id)
    pass(days * DAY_MS)
    assert.equal(await current(), undefined)
    await suppressions.sweep()
    pass(7 * DAY_MS - 1)
  }
  pass(1)
  await reportSoftBounce()
  assert.equal(((await current())?.expiresAt ?? 0) - now(), DAY_MS, 'a week without one is forgotten')
})

onBothEngines('a soft bounce gives way as one: to a complaint, not to the customer', async (_t, open) => {
  const { a, suppressions, report, reportSoftBounce, current } = await world(open)
  await suppressions.addManual(a, { email: address(KEY), expiresAt: null, note: null })
  await reportSoftBounce()
  assert.equal((await current())?.reason, 'manual')
  await reportSoftBounce('full@example.com')
  await report('complaint', null, 'full@example.com')
  await reportSoftBounce('full@example.com')
  assert.equal((await current('full@example.com'))?.reason, 'complaint')
})

const removals = statement<{ readonly token_id: string; readonly email: string; readonly change: string }>(
  'test.removals',
  'select token_id, email, change from complaint_removal where account_id = $1 order by at, id',
)
