import assert from 'node:assert/strict'
import { type Address, foldAddress } from '#model/address.ts'
import { parseAddress } from '#protocol/address.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { type NewSuppression, openSuppressions, suppressWrite } from './suppressions.ts'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
const KEY = 'user@example.com'

function address(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(typeof parsed === 'string', text)
  return parsed
}

async function world(open: OpenStore) {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store: open.store, clock })
  const suppressions = openSuppressions({ store: open.store, clock })
  const a = (await accounts.createAccount('A')).id
  const b = (await accounts.createAccount('B')).id

  /** Reports something about a recipient of account A that suppresses it for `forMs`, null for ever. */
  async function report(reason: NewSuppression['reason'], forMs: number | null, email = 'User@Example.com') {
    const recipient = address(email)
    const expiresAt = forMs === null ? null : now + forMs
    const subject = { accountId: a, email: recipient, emailKey: foldAddress(recipient) }
    const committed = await open.store.commit([
      suppressWrite({ ...subject, reason, createdAt: now, expiresAt }),
    ])
    assert.ok(committed.ok)
  }
  const current = async (key = KEY) => (await suppressions.find(a, [key])).get(key)
  return { a, b, suppressions, report, current, now: clock, pass: (ms: number) => (now += ms) }
}

onBothEngines('a bounce suppresses its recipient, in any case, for one account', async (_t, open) => {
  const { a, b, suppressions, report, now } = await world(open)
  await report('hard_bounce', 7 * DAY_MS)
  const entry = (await suppressions.find(a, [KEY])).get(KEY)
  assert.ok(entry)
  const { id, ...rest } = entry
  assert.match(id, /^[0-9a-f]{32}$/)
  assert.deepEqual(rest, {
    email: 'User@example.com',
    emailKey: KEY,
    reason: 'hard_bounce',
    note: null,
    readOnly: false,
    createdAt: now(),
    expiresAt: now() + 7 * DAY_MS,
  })
  assert.deepEqual(await suppressions.suppression(a, id), entry)
  assert.equal((await suppressions.find(b, [KEY])).size, 0)
  assert.equal((await suppressions.find(b, [KEY, 'x@example.com'])).size, 0)
  assert.equal(await suppressions.suppression(b, id), undefined)
  assert.equal(await suppressions.remove(b, id), 'unknown')
})

onBothEngines('fifty recipients are one question, answered by key', async (_t, open) => {
  const { a, suppressions, report } = await world(open)
  await report('hard_bounce', null, 'user7@example.com')
  await report('soft_bounce', DAY_MS, 'user30@example.com')
  const keys = [...Array(50).keys()].map((i) => `user${i}@example.com`)
  const found = await suppressions.find(a, keys)
  assert.deepEqual([...found.keys()].sort(), ['user30@example.com', 'user7@example.com'])
  assert.equal((await suppressions.find(a, [])).size, 0)
})

onBothEngines('an entry ends at its expiry, and the next report makes a new one', async (_t, open) => {
  const { a, suppressions, report, current, pass } = await world(open)
  await report('soft_bounce', DAY_MS)
  pass(DAY_MS - 1)
  const first = await current()
  assert.ok(first)
  pass(1)
  assert.equal(await current(), undefined)
  assert.equal((await suppressions.find(a, [KEY, 'x@example.com'])).size, 0)
  assert.equal(await suppressions.suppression(a, first.id), undefined)
  assert.equal(await suppressions.remove(a, first.id), 'unknown')
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
  assert.equal(await suppressions.remove(a, bounce?.id ?? ''), 'removed')
  assert.equal(await current(), undefined)
  assert.equal(await suppressions.remove(a, bounce?.id ?? ''), 'unknown')
  await report('policy', null)
  const policy = await current()
  assert.equal(await suppressions.remove(a, policy?.id ?? ''), 'read-only')
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
