import assert from 'node:assert/strict'
import { auditWrite } from '#registry/accounts/audit.ts'
import { auditLines } from '#registry/accounts/audit-log.ts'
import { openSetupWorld } from '#test/mail-setup-world.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import type { NoteZone } from './activate-zone.ts'
import type { ZoneWish } from './change-zone.ts'
import type { Zone } from './zones.ts'

const NAME = 'yourdomain.com'

async function world(open: OpenStore) {
  const setup = await openSetupWorld(open)
  const { domains, mailSetup, record, zone, publish } = setup
  const made = await zone()
  await publish(made, 'TXT', `www.${NAME}`, 'mine')
  await mailSetup.add(made, NAME, 'sending', record)
  await mailSetup.add(made, NAME, 'routing', record)
  const noted: unknown[] = []
  const note: NoteZone = ({ before, after }) => {
    noted.push([before?.type, before?.dns, after?.type, after?.dns])
    return []
  }
  const change = async (of: Zone, wish: ZoneWish) => {
    const changed = await domains.zoneControl.change(of, wish, note)
    assert.ok('zone' in changed, changed.kind)
    return changed.zone
  }
  const answer = async (name: string, type: string) => (await domains.authority.answers(name, type)).kind
  return { ...setup, made, change, noted, answer }
}

onBothEngines('a zone goes by hand and comes back: nothing of its owner’s is lost', async (_t, open) => {
  const { mailSetup, record, rows, made, change, noted, answer } = await world(open)
  const before = await rows(made)
  assert.equal(await answer(`www.${NAME}`, 'TXT'), 'answer')
  const manual = await change(made, { type: 'partial', dns: 'manual' })
  assert.deepEqual([manual.type, manual.dns, manual.status], ['partial', 'manual', 'active'])
  assert.equal(await answer(`www.${NAME}`, 'TXT'), 'refused')
  assert.deepEqual(await rows(manual), [])

  const hosted = await change(manual, { type: 'full' })
  assert.deepEqual([hosted.type, hosted.dns], ['full', 'hosted'])
  assert.ok(hosted.recordsAt > made.recordsAt, 'the serial moves on')
  assert.equal(await answer(`www.${NAME}`, 'TXT'), 'answer')
  assert.deepEqual(await mailSetup.mend(hosted, record), [])
  assert.deepEqual(await rows(hosted), before)
  assert.equal(await answer(`cf-bounce.${NAME}`, 'MX'), 'answer')
  assert.deepEqual(noted, [
    ['full', 'hosted', 'partial', 'manual'],
    ['partial', 'manual', 'full', 'hosted'],
  ])
})

onBothEngines('what left a service while its owner published does not come back', async (_t, open) => {
  const { mailSetup, record, rows, made, change } = await world(open)
  const manual = await change(made, { type: 'partial', dns: 'manual' })
  const domain = await mailSetup.domainNamed(manual, NAME)
  assert.ok(domain)
  assert.ok(await mailSetup.remove(manual, domain, 'sending', record))
  const hosted = await change(manual, { dns: 'hosted', type: 'full' })
  assert.deepEqual(await mailSetup.mend(hosted, record), [])
  const purposes = (await rows(hosted)).map((row) => row.split(' ').at(-2))
  assert.ok(purposes.includes('routing'))
  assert.ok(!(await rows(hosted)).some((row) => row.endsWith('sending locked')))
})

onBothEngines(
  'of a zone that stays elsewhere we answer for the names below its own alone',
  async (_t, open) => {
    const { mailSetup, record, made, change, answer, rows } = await world(open)
    const before = await rows(made)
    const partial = await change(made, { type: 'partial' })
    assert.equal(partial.dns, 'hosted')
    assert.equal(await answer(NAME, 'MX'), 'refused')
    assert.equal(await answer(`cf-bounce.${NAME}`, 'MX'), 'answer')
    const full = await change(partial, { type: 'full' })
    assert.deepEqual(await mailSetup.mend(full, record), [])
    assert.equal(await answer(NAME, 'MX'), 'answer')
    assert.deepEqual(await rows(full), before)
  },
)

onBothEngines('what makes no sense or changes nothing is told, and leaves no note', async (_t, open) => {
  const { domains, made, noted } = await world(open)
  const { zoneControl } = domains
  const kind = async (wish: ZoneWish) => (await zoneControl.change(made, wish, () => assert.fail())).kind
  assert.equal(await kind({ dns: 'manual' }), 'full-is-hosted')
  assert.equal(await kind({ type: 'full', dns: 'manual' }), 'full-is-hosted')
  assert.equal(await kind({ type: 'full', dns: 'hosted' }), 'unchanged')
  assert.equal(await kind({}), 'unchanged')
  assert.ok(await zoneControl.remove(made))
  assert.equal(await kind({ type: 'partial' }), 'gone')
  assert.deepEqual(noted, [])
})

onBothEngines('several at once: each changes what the other left', async (_t, open) => {
  const { domains, made, store } = await world(open)
  const road = ({ type, dns }: Zone) => ({ type, dns })
  const note: NoteZone = ({ before, after, at }) => [
    auditWrite({
      ...{ accountId: made.accountId, actor: 'system', action: 'zone.road', at },
      resource: { type: 'zone', id: made.id },
      before: before && road(before),
      after: after && road(after),
    }),
  ]
  const wishes: ZoneWish[] = [{ type: 'partial', dns: 'manual' }, { type: 'partial' }, { type: 'full' }]
  await Promise.all([...wishes, ...wishes].map((wish) => domains.zoneControl.change(made, wish, note)))
  const filter = { action: 'zone.road', withoutUserLevel: false }
  const lines = await auditLines(store, made.accountId, filter, { limit: 100, ascending: true, from: 0 })
  let current = JSON.stringify(road(made))
  for (const { before, after } of lines) {
    assert.equal(before, current)
    current = after ?? ''
  }
  const last = await domains.zone(made.accountId, made.id)
  assert.equal(last && JSON.stringify(road(last)), current)
})
