import assert from 'node:assert/strict'
import { openAccounts } from '#registry/accounts/accounts.ts'
import type { Store } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { explainQuota } from './explain-quota.ts'
import { openQuota, type Quota, type QuotaRule, RESERVE } from './quota.ts'
import { DAY_MS } from './utc-day.ts'

const NOON = Date.UTC(2026, 10, 20, 12)
const GOOD = async () => ({ settled: 100, hardBounces: 0, complaints: 0 })
const RULE: QuotaRule = {
  ...{ start: 100, growth: 1.5, ceiling: 1000, shrink: 0.5, floor: 10, windowDays: 7 },
  ...{ most: { hardBounces: 0.02, complaints: 0.001 }, reputation: GOOD },
}
const nothing = () => []

async function world({ store }: OpenStore, rule?: Partial<QuotaRule>) {
  const accounts = openAccounts({ store, clock: Date.now })
  const full: QuotaRule = { ...RULE, ...rule }
  const open = () => openQuota({ store, ...(rule && { rule: full }) })
  const quota = open()
  const account = async (name: string) => (await accounts.createAccount(name)).id
  return { store, quota, open, a: await account('A'), b: await account('B') }
}

/** As a promise does it. */
async function reserve(
  { store, quota }: { readonly store: Store; readonly quota: Quota },
  account: string,
  recipients: number,
  at: number,
): Promise<'counted' | 'refused' | 'conflict'> {
  const write = await quota.reserve(account, recipients, at)
  if ('limit' in write) return 'refused'
  const committed = await store.commit([write])
  if (!committed.ok) assert.equal(committed.conflict, RESERVE)
  return committed.ok ? 'counted' : 'conflict'
}

onBothEngines('recipients are counted by account and by day in UTC', async (_t, open) => {
  const opened = await world(open)
  const { quota, a, b } = opened
  const lastMoment = Date.UTC(2026, 10, 20, 23, 59, 59, 999)
  const count = (account: string, recipients: number, at: number) => reserve(opened, account, recipients, at)
  await count(a, 3, lastMoment)
  await Promise.all([count(a, 50, lastMoment), count(b, 1, lastMoment)])
  await count(a, 7, lastMoment + 1)
  const report = async (account: string, at: number) => quota.report(account, at)
  assert.deepEqual(await report(a, lastMoment), {
    ...{ setting: { mode: 'automatic' }, automatic: null, limit: null, reckoned: null },
    ...{ used: 53, resetsAt: lastMoment + 1 },
  })
  assert.equal((await report(a, lastMoment + 1)).used, 7)
  assert.equal((await report(a, lastMoment + 1)).resetsAt, lastMoment + 1 + DAY_MS)
  assert.equal((await report(b, lastMoment)).used, 1)
  assert.equal((await report(b, lastMoment + 1)).used, 0)
})

onBothEngines('reservations of many messages at once lose none', async (_t, open) => {
  const opened = await world(open)
  const { quota, a } = opened
  await Promise.all([...Array(50).keys()].map(() => reserve(opened, a, 2, NOON)))
  assert.equal((await quota.report(a, NOON)).used, 100)
})

onBothEngines('under a limit no more than it are counted, whoever reserves at once', async (_t, open) => {
  const opened = await world(open, { start: 100 })
  const { store, quota, open: again, a, b } = opened
  const others = [quota, again(), again()]
  const tries = [...Array(120).keys()].map((index) =>
    reserve({ store, quota: others[index % 3] ?? quota }, a, (index % 3) + 1, NOON),
  )
  const outcomes = await Promise.all(tries)
  const counted = outcomes.reduce((sum, kind, index) => sum + (kind === 'counted' ? (index % 3) + 1 : 0), 0)
  const { used } = await quota.report(a, NOON)
  assert.equal(used, counted)
  assert.ok(used <= 100 && used > 97, `${used} of 100`)
  // One that fits still goes; one that does not is refused without a commit once that is known.
  while ((await quota.report(a, NOON)).used < 100) await reserve(opened, a, 1, NOON)
  assert.equal(await reserve(opened, a, 1, NOON), 'refused')
  assert.equal(await reserve(opened, b, 101, NOON), 'refused')
  assert.equal(await reserve(opened, b, 100, NOON), 'counted')
  assert.equal(await reserve(opened, a, 100, NOON + DAY_MS), 'counted', 'the next day begins anew')
})

onBothEngines(
  'a quota grows after a good day that used half of it, once a day, up to the ceiling',
  async (_t, open) => {
    const opened = await world(open, { start: 100, growth: 1.5, ceiling: 200 })
    const { quota, open: again, a } = opened
    const limit = async (day: number) => (await quota.report(a, NOON + day * DAY_MS)).limit
    assert.equal(await limit(0), 100)
    await reserve(opened, a, 49, NOON)
    assert.equal(await limit(1), 100, 'less than half was used')
    await reserve(opened, a, 50, NOON + DAY_MS)
    assert.equal(await limit(1), 100)
    assert.deepEqual(await Promise.all([limit(2), limit(2), limit(2)]), [150, 150, 150])
    await reserve(opened, a, 150, NOON + 2 * DAY_MS)
    // Whoever comes back later has grown by one step, not by one for each day.
    assert.equal(await limit(30), 200)
    assert.equal((await again().report(a, NOON + 30 * DAY_MS)).limit, 200)
    await reserve(opened, a, 200, NOON + 30 * DAY_MS)
    assert.equal(await limit(31), 200)
  },
)

onBothEngines('bounces keep it from growing, or make it shrink; the report says why', async (_t, open) => {
  const asked: number[][] = []
  let hardBounces = 2
  const reputation = async (_account: string, since: number, until: number) => {
    asked.push([since, until])
    return { settled: 100, hardBounces, complaints: 0 }
  }
  const opened = await world(open, { reputation })
  const { quota, a } = opened
  const midnight = NOON - DAY_MS / 2
  assert.equal(explainQuota(await quota.report(a, NOON)).code, 'new')
  await reserve(opened, a, 100, NOON)
  const kept = await quota.report(a, NOON + DAY_MS)
  assert.equal(kept.limit, 100)
  assert.equal(explainQuota(kept).code, 'hard-bounces')
  const tomorrow = midnight + DAY_MS
  assert.deepEqual(asked, [
    [midnight, tomorrow],
    [tomorrow - 7 * DAY_MS, tomorrow],
  ])
  hardBounces = 1
  await reserve(opened, a, 100, NOON + DAY_MS)
  assert.equal((await quota.report(a, NOON + 2 * DAY_MS)).limit, 150)
  hardBounces = 9
  await reserve(opened, a, 100, NOON + 2 * DAY_MS)
  const shrunk = await quota.report(a, NOON + 3 * DAY_MS)
  assert.equal(shrunk.limit, 75)
  assert.deepEqual(explainQuota(shrunk), {
    code: 'hard-bounces',
    detail: 'It has shrunk from 150 to 75: 9 of 100 recipients hard-bounced in the days before.',
    since: '2026-11-23',
  })
  // Below what new accounts have, and it stays there, whoever asks.
  assert.equal((await opened.open().report(a, NOON + 3 * DAY_MS)).limit, 75)
  assert.equal(await reserve(opened, a, 76, NOON + 3 * DAY_MS), 'refused')
  hardBounces = 0
  await reserve(opened, a, 70, NOON + 3 * DAY_MS)
  assert.equal((await quota.report(a, NOON + 4 * DAY_MS)).limit, 113)
})

onBothEngines('days of silence change neither the quota nor its reason', async (_t, open) => {
  let conduct = { settled: 100, hardBounces: 50, complaints: 0 }
  const opened = await world(open, { reputation: async () => conduct })
  const { quota, a } = opened
  await reserve(opened, a, 100, NOON)
  await quota.report(a, NOON + DAY_MS)
  conduct = { settled: 0, hardBounces: 0, complaints: 0 }
  const later = await quota.report(a, NOON + 9 * DAY_MS)
  assert.deepEqual([later.limit, explainQuota(later).since], [50, '2026-11-21'])
})

onBothEngines('months are those of the calendar in UTC, newest first', async (_t, open) => {
  const opened = await world(open)
  const { quota, a, b } = opened
  const last = Date.UTC(2027, 1, 1) - 1
  await reserve(opened, a, 5, last)
  await reserve(opened, a, 7, last + 1)
  await reserve(opened, a, 11, Date.UTC(2027, 1, 28, 12))
  await reserve(opened, a, 13, Date.UTC(2026, 11, 1))
  await reserve(opened, b, 17, last)
  assert.deepEqual(await quota.months(a, Date.UTC(2027, 1, 28, 23), 4), [
    { month: '2027-02', sent: 18 },
    { month: '2027-01', sent: 5 },
    { month: '2026-12', sent: 13 },
    { month: '2026-11', sent: 0 },
  ])
})

onBothEngines(
  'the operator’s word counts at once, with or without a rule, and goes again',
  async (_t, open) => {
    for (const rule of [undefined, { start: 10 }]) {
      const opened = await world(open, rule)
      const { quota, open: again, a } = opened
      const automatic = rule ? 10 : null
      const told: unknown[] = []
      const adjust = (setting: Parameters<Quota['adjust']>[1]) =>
        quota.adjust(a, setting, {
          at: NOON,
          record: (change) => {
            told.push(change)
            return nothing()
          },
        })
      assert.equal((await quota.report(a, NOON)).limit, automatic)
      const fixed = await adjust({ mode: 'fixed', value: 3 })
      assert.deepEqual(
        [fixed.setting, fixed.limit, fixed.automatic],
        [{ mode: 'fixed', value: 3 }, 3, automatic],
      )
      assert.equal(await reserve(opened, a, 4, NOON), 'refused')
      assert.equal(await reserve(opened, a, 3, NOON), 'counted')
      assert.equal((await again().report(a, NOON)).limit, 3)
      assert.equal((await adjust({ mode: 'fixed', value: 0 })).limit, 0)
      assert.equal(await reserve(opened, a, 1, NOON + DAY_MS), 'refused')
      assert.equal((await adjust({ mode: 'unlimited' })).limit, null)
      assert.equal(await reserve(opened, a, 1000, NOON), 'counted')
      assert.equal((await adjust({ mode: 'automatic' })).limit, automatic)
      assert.deepEqual(told[0], { before: { mode: 'automatic' }, after: { mode: 'fixed', value: 3 } })
      assert.equal(told.length, 4)
    }
  },
)

onBothEngines('of two operators at once each changes what the other left', async (_t, open) => {
  const { quota, open: again, a } = await world(open, {})
  const changes: unknown[] = []
  const values = [5, 6, 7, 8]
  const set = (by: Quota, value: number) =>
    by.adjust(a, { mode: 'fixed', value }, { at: NOON, record: ({ before }) => (changes.push(before), []) })
  await Promise.all(values.map((value, index) => set(index % 2 ? again() : quota, value)))
  const { limit } = await again().report(a, NOON)
  assert.ok(values.includes(limit ?? 0))
})

onBothEngines('a start that was raised since lifts accounts that were smaller', async (_t, open) => {
  const { store, quota, a } = await world(open, { start: 100 })
  assert.equal((await quota.report(a, NOON)).limit, 100)
  const raised = openQuota({ store, rule: { ...RULE, start: 500 } })
  assert.equal((await raised.report(a, NOON)).limit, 500)
  assert.equal((await raised.report(a, NOON + DAY_MS)).limit, 500)
})
