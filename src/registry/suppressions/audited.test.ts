import assert from 'node:assert/strict'
import { auditWrite } from '#registry/accounts/audit.ts'
import { auditLines } from '#registry/accounts/audit-log.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { address, DAY_MS, KEY, suppressionsWorld } from '#test/suppressions-world.ts'
import type { RecordSuppressions } from './suppressions.ts'

const ACTOR = { tokenId: 't'.repeat(32), address: '192.0.2.1' }

async function world(open: OpenStore) {
  const opened = await suppressionsWorld(open)
  const { a } = opened
  const record: RecordSuppressions = (changes) =>
    changes.map(({ before, after, at }) =>
      auditWrite({
        ...{ accountId: a, actor: ACTOR, action: 'by.hand', at },
        resource: { type: 'suppression', id: (after ?? before)?.id ?? '' },
        before: before && [before.reason, before.note, before.expiresAt],
        after: after && [after.reason, after.note, after.expiresAt],
      }),
    )
  const lines = async () => {
    const page = { limit: 1000, ascending: true, from: 0 }
    const all = await auditLines(open.store, a, { withoutUserLevel: false }, page)
    return all.map(({ action, actor, before, after, resource }) => ({
      ...{ action, by: actor.type, id: resource.id },
      ...{ before: JSON.parse(before ?? 'null'), after: JSON.parse(after ?? 'null') },
    }))
  }
  return { ...opened, record, lines }
}

onBothEngines(
  'what hands do is recorded with it, before and after, and only what was done',
  async (_t, open) => {
    const { a, suppressions, record, lines, report, now, pass } = await world(open)
    const wish = { email: address(KEY), expiresAt: null, note: 'one' }
    const { suppression } = await suppressions.addManual(a, wish, record)
    pass(1)
    await suppressions.addManual(a, wish, record)
    const by = { tokenId: ACTOR.tokenId, record }
    const { id } = suppression
    await suppressions.change(a, id, { by, note: 'two', expiresAt: now() + DAY_MS })
    pass(1)
    await suppressions.remove(a, id, by)
    await suppressions.remove(a, id, by)
    // Lines of one moment have no order of their own.
    pass(1)
    await report('policy', null)
    const locked = await suppressions.addManual(a, wish, record)
    await suppressions.remove(a, locked.suppression.id, by)
    const hand = { action: 'by.hand', by: 'token', id }
    const [one, two] = [
      ['manual', 'one', null],
      ['manual', 'two', now() - 2 + DAY_MS],
    ]
    assert.deepEqual((await lines()).slice(0, 3), [
      { ...hand, before: null, after: one },
      { ...hand, before: one, after: two },
      { ...hand, before: two, after: null },
    ])
    assert.equal((await lines()).length, 4, 'the policy’s, and nothing of what was refused')
  },
)

onBothEngines('two who bring the same leave one line for each entry', async (_t, open) => {
  const { a, suppressions, record, lines } = await world(open)
  const wishes = [...Array(60).keys()].map((i) => ({
    ...{ email: address(`u${i}@example.com`), expiresAt: null, note: null },
  }))
  const all = await Promise.all([
    suppressions.addManyManual(a, wishes.slice(0, 40), record),
    suppressions.addManyManual(a, wishes.slice(20).toReversed(), record),
    suppressions.addManyManual(a, wishes.slice(10, 50), record),
  ])
  const added = all.flat().filter(({ kind }) => kind === 'added')
  assert.equal(added.length, 60)
  const told = (await lines()).map(({ id }) => id)
  assert.deepEqual(told.toSorted(), added.map(({ suppression }) => suppression.id).toSorted())
})

onBothEngines('a report that changes an entry is recorded as the service’s own doing', async (_t, open) => {
  const { report, reportSoftBounce, current, lines, now, pass } = await world(open)
  const start = now()
  await reportSoftBounce()
  pass(1234)
  await report('hard_bounce', 7 * DAY_MS)
  await reportSoftBounce()
  pass(1)
  await report('hard_bounce', null)
  await report('hard_bounce', 7 * DAY_MS)
  await report('complaint', null)
  const { id = '' } = (await current()) ?? {}
  const iso = (at: number) => new Date(at).toISOString()
  const system = {
    ...{ by: 'system', id: id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') },
    action: 'suppression.update',
  }
  const email = 'User@example.com'
  const soft = { email, reason: 'soft_bounce', expires_at: iso(start + DAY_MS) }
  const hard = { email, reason: 'hard_bounce', expires_at: iso(start + 1234 + 7 * DAY_MS) }
  const ever = { email, reason: 'hard_bounce', expires_at: null }
  const byAfter = (await lines()).toSorted((one, other) => ORDER(one.after) - ORDER(other.after))
  assert.deepEqual(byAfter, [
    { ...system, action: 'suppression.create', before: null, after: soft },
    { ...system, before: soft, after: hard },
    { ...system, before: hard, after: ever },
    { ...system, before: ever, after: { email, reason: 'complaint', expires_at: null } },
  ])
})

/** Lines of one moment have no order of their own. */
const ORDER = ({ reason, expires_at }: { reason: string; expires_at: string | null }) =>
  ['soft_bounce', 'hard_bounce', 'complaint'].indexOf(reason) * 2 + (expires_at === null ? 1 : 0)

onBothEngines(
  'after its end an entry is a new one, and reports at once are one line each',
  async (_t, open) => {
    const { report, lines, pass } = await world(open)
    await report('soft_bounce', DAY_MS)
    pass(DAY_MS)
    await report('soft_bounce', DAY_MS)
    const [first, second] = await lines()
    assert.deepEqual([first?.action, second?.action], ['suppression.create', 'suppression.create'])
    assert.notEqual(first?.id, second?.id)
    await Promise.all([...Array(8).keys()].map(() => report('hard_bounce', null, 'x@example.com')))
    assert.equal((await lines()).length, 3)
  },
)
