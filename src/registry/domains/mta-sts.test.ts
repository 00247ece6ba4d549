import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceNames } from '#model/service.ts'
import { readStsPolicy } from '#protocol/mta-sts.ts'
import { openSetupWorld } from '#test/mail-setup-world.ts'
import { onBothEngines } from '#test/stores.ts'
import { LOOPBACK_ADDRESSES, serviceZone } from './service-zone.ts'
import type { Zone } from './zones.ts'

const DOMAIN = 'yourdomain.com'
const HOST = `mta-sts.${DOMAIN}`
const SERVICE_HOST = 'mta-sts.mx.posthorn.test'
const DAY_MS = 86_400_000

type World = Awaited<ReturnType<typeof openSetupWorld>>

async function routed(world: World, zoneOptions?: Parameters<World['zone']>[1]) {
  const zone = await world.zone(DOMAIN, zoneOptions)
  const added = await world.mailSetup.add(zone, DOMAIN, 'routing', world.record)
  assert.ok(added.kind === 'onboarded', added.kind)
  const domain = await world.mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  world.actions()
  return { zone, domain }
}

const stsRows = async (world: World, zone: Zone) =>
  (await world.rows(zone)).filter((row) => / _?mta-sts\./.test(row))

function modeOf(text: string | undefined): string | undefined {
  const policy = text === undefined ? undefined : readStsPolicy(Buffer.from(text))
  return policy && 'mode' in policy ? policy.mode : undefined
}

onBothEngines('a policy comes with its records, and its id changes with it alone', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, domains, record } = world
  const { zone, domain } = await routed(world)
  assert.deepEqual(await stsRows(world, zone), [])

  const set = (mode: 'testing' | 'enforce', maxAgeSeconds?: number) =>
    mailSetup.changeMtaSts(zone, domain, { mode, maxAgeSeconds }, record)
  assert.equal((await set('testing')).kind, 'changed')
  const testing = await mailSetup.mtaSts(zone, domain)
  assert.deepEqual(await stsRows(world, zone), [
    `TXT _mta-sts.${DOMAIN} v=STSv1; id=${testing.policy?.id}; routing locked`,
    `CNAME ${HOST} ${SERVICE_HOST} routing locked`,
  ])
  assert.deepEqual(
    testing.records.map(({ state, locked }) => [state, locked]),
    [
      ['ready', true],
      ['ready', true],
    ],
  )
  assert.equal(modeOf(await domains.policyAt(HOST)), 'testing')

  // The same again is no change.
  assert.equal((await set('testing', 86_400)).kind, 'changed')
  assert.deepEqual(world.actions(), ['mta_sts.update'])
  assert.equal((await mailSetup.mtaSts(zone, domain)).policy?.id, testing.policy?.id)

  const ids = [testing.policy?.id]
  for (const [mode, age] of [
    ['enforce', undefined],
    ['enforce', 604_800],
  ] as const) {
    world.pass(1)
    assert.equal((await set(mode, age)).kind, 'changed')
    const { policy } = await mailSetup.mtaSts(zone, domain)
    assert.equal(
      (await stsRows(world, zone))[0],
      `TXT _mta-sts.${DOMAIN} v=STSv1; id=${policy?.id}; routing locked`,
    )
    assert.equal(await domains.policyAt(HOST), policy?.text)
    ids.push(policy?.id)
  }
  assert.equal(new Set(ids).size, 3)

  // Setting the domain up again mends what is there, and adds nothing.
  const before = await world.rows(zone)
  await mailSetup.add(zone, DOMAIN, 'routing', record)
  assert.deepEqual(await world.rows(zone), before)
  for (const name of [`_mta-sts.${DOMAIN}`, HOST]) await world.vanish(zone, name)
  await mailSetup.add(zone, DOMAIN, 'routing', record)
  assert.deepEqual(await world.rows(zone), before)
  assert.equal((await mailSetup.check(zone, domain, 'routing')).status, 'ready')
})

onBothEngines(
  'RFC 8461 §8.3: what is switched off says none until nobody can hold it any more',
  async (_t, open) => {
    const world = await openSetupWorld(open)
    const { mailSetup, domains, record } = world
    const { zone, domain } = await routed(world)
    const set = (mode: 'off' | 'none' | 'enforce' | 'testing', maxAgeSeconds?: number) =>
      mailSetup.changeMtaSts(zone, domain, { mode, maxAgeSeconds }, record)
    const setting = async () => (await mailSetup.mtaSts(zone, domain)).setting
    await set('enforce', 7 * 86_400)
    world.pass(DAY_MS)
    await set('testing', 86_400)
    world.pass(DAY_MS)
    await set('off')
    const off = await setting()
    assert.equal(off.mode, 'none')
    // The enforced one was last served a day ago, and lives for seven.
    const left = (off.endsAt ?? 0) - (off.modifiedAt ?? 0)
    assert.ok(left > 6 * DAY_MS && left < 6 * DAY_MS + 120_000, String(left))
    assert.equal(modeOf(await domains.policyAt(HOST)), 'none')
    assert.equal((await stsRows(world, zone)).length, 2)

    world.pass(6 * DAY_MS)
    await mailSetup.runDue()
    assert.equal((await setting()).mode, 'none')
    world.pass(120_000)
    await mailSetup.runDue()
    assert.deepEqual([(await setting()).mode, (await setting()).endsAt], ['off', null])
    assert.deepEqual(await stsRows(world, zone), [])
    assert.equal(await domains.policyAt(HOST), undefined)
    await mailSetup.runDue()
    assert.equal((await setting()).mode, 'off')

    assert.deepEqual(world.actions(), [...Array<string>(3).fill('mta_sts.update'), 'mta_sts.end'])

    // What never asked for TLS goes at once.
    await set('none')
    await set('off')
    assert.equal((await setting()).mode, 'off')
    assert.deepEqual(await stsRows(world, zone), [])

    // Who changes their mind keeps it.
    await set('enforce')
    await set('off')
    await set('enforce')
    world.pass(400 * DAY_MS)
    await mailSetup.runDue()
    assert.deepEqual([(await setting()).mode, (await setting()).endsAt], ['enforce', null])
  },
)

onBothEngines('who leaves routing says none, and takes the records along later', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, domains, record } = world
  const { zone, domain } = await routed(world)
  await mailSetup.changeMtaSts(zone, domain, { mode: 'enforce' }, record)
  assert.equal(await mailSetup.remove(zone, domain, 'routing', record), true)
  assert.deepEqual(world.actions(), ['mta_sts.update', 'routing.disable', 'mta_sts.update'])
  assert.equal(modeOf(await domains.policyAt(HOST)), 'none')
  assert.equal((await stsRows(world, zone)).length, 2)
  const left = await mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(left)
  const refused = await mailSetup.changeMtaSts(zone, left, { mode: 'testing' }, record)
  assert.equal(refused.kind, 'not-set-up')
  world.pass(2 * DAY_MS)
  await mailSetup.runDue()
  assert.deepEqual(await stsRows(world, zone), [])
  assert.equal(await domains.policyAt(HOST), undefined)
})

onBothEngines(
  'what its owner has at these names stays: ours in another place is no use',
  async (_t, open) => {
    const world = await openSetupWorld(open)
    const { mailSetup, record, publish } = world
    const { zone, domain } = await routed(world)
    const on = () => mailSetup.changeMtaSts(zone, domain, { mode: 'enforce' }, record)
    await publish(zone, 'A', HOST, '192.0.2.1')
    assert.deepEqual(await on(), { kind: 'conflicting-records', records: [`A ${HOST} 192.0.2.1`] })
    await world.vanish(zone, HOST)
    await publish(zone, 'TXT', `_mta-sts.${DOMAIN}`, 'v=STSv1; id=20230615T153000;')
    const refused = await on()
    assert.ok(refused.kind === 'conflicting-records')
    await world.vanish(zone, `_mta-sts.${DOMAIN}`)
    await publish(zone, 'TXT', `_mta-sts.${DOMAIN}`, 'site-verification=1')
    assert.equal((await on()).kind, 'changed')
    assert.deepEqual(
      (await mailSetup.mtaSts(zone, domain)).records.map(({ state }) => state),
      ['ready', 'ready'],
    )
    await mailSetup.changeMtaSts(zone, domain, { mode: 'off' }, record)
    world.pass(2 * DAY_MS)
    await mailSetup.runDue()
    assert.deepEqual(await stsRows(world, zone), [`TXT _mta-sts.${DOMAIN} site-verification=1 owner`])
  },
)

onBothEngines('RFC 8461 §8.2: names that lead to the service’s own do as well', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, record, publish, domains } = world
  const { zone, domain } = await routed(world)
  await publish(zone, 'CNAME', `_mta-sts.${DOMAIN}`, '_mta-sts.mx.posthorn.test')
  await publish(zone, 'CNAME', HOST, SERVICE_HOST)
  // Without a setting of its own, the service's policy is there.
  assert.equal(await domains.policyAt(HOST), await domains.policyAt(SERVICE_HOST))
  assert.equal((await mailSetup.changeMtaSts(zone, domain, { mode: 'enforce' }, record)).kind, 'changed')
  assert.equal((await stsRows(world, zone)).filter((row) => row.includes('owner')).length, 2)
  assert.equal((await stsRows(world, zone)).length, 2)
  const { records, problems } = await mailSetup.mtaSts(zone, domain)
  assert.deepEqual(
    records.map(({ state, locked }) => [state, locked]),
    [
      ['ready', false],
      ['ready', false],
    ],
  )
  assert.deepEqual(problems, [])
})

onBothEngines('where its owner publishes, DNS says how each record stands', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, record, published, service } = world
  const zone = await world.zone(DOMAIN, { active: true, type: 'partial', dns: 'manual' })
  published.set(
    `MX ${DOMAIN}`,
    service.routes.map((route) => `10 ${route}`),
  )
  await mailSetup.add(zone, DOMAIN, 'routing', record)
  const domain = await mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  const changed = await mailSetup.changeMtaSts(zone, domain, { mode: 'testing' }, record)
  assert.equal(changed.kind, 'changed')
  const states = async () => {
    const { records, problems } = await mailSetup.mtaSts(zone, domain)
    return [...records.map(({ state }) => state), ...problems.map(({ code }) => code)].join(' ')
  }
  assert.equal(await states(), 'missing missing mta_sts.missing mta_sts.missing')
  published.set(`TXT _mta-sts.${DOMAIN}`, ['v=STSv1; id=0;'])
  published.set(`A ${HOST}`, ['192.0.2.1'])
  assert.equal(await states(), 'conflicting foreign mta_sts.conflict mta_sts.foreign')
  // An older id is for its owner to change, and in nobody's way; another's host is.
  assert.equal(
    (await mailSetup.changeMtaSts(zone, domain, { mode: 'enforce' }, record)).kind,
    'conflicting-records',
  )
  published.set(`A ${HOST}`, ['127.0.0.1'])
  assert.equal((await mailSetup.changeMtaSts(zone, domain, { mode: 'enforce' }, record)).kind, 'changed')
  const id = (await mailSetup.mtaSts(zone, domain)).policy?.id
  published.set(`TXT _mta-sts.${DOMAIN}`, [`v=STSv1; id=${id};`])
  assert.equal(await states(), 'ready ready')
  const problems = (await mailSetup.check(zone, domain, 'routing')).problems.map(({ code }) => code)
  assert.deepEqual(
    problems.filter((code) => code.startsWith('mta_sts')),
    [],
  )
  world.broken.add(HOST)
  assert.equal(await states(), 'ready unanswered')
})

onBothEngines('no policy rules out a host that its owner takes mail at', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, record, publish } = world
  const { zone, domain } = await routed(world)
  await mailSetup.unlock(zone, domain, record)
  await publish(zone, 'MX', DOMAIN, 'mx.other.example')
  const set = (mode: 'testing' | 'enforce') => mailSetup.changeMtaSts(zone, domain, { mode }, record)
  assert.deepEqual(await set('enforce'), {
    kind: 'conflicting-records',
    records: [`MX ${DOMAIN} mx.other.example`],
  })
  assert.equal((await set('testing')).kind, 'changed')
})

onBothEngines(
  'a policy is served for active zones alone, and for whoever holds the name',
  async (_t, open) => {
    const world = await openSetupWorld(open)
    const { mailSetup, record, domains, accounts } = world
    const { zone, domain } = await routed(world)
    for (const host of ['mta-sts.other.example', DOMAIN, 'mta-sts.', '', `mta-sts.sub.${DOMAIN}`])
      assert.equal(await domains.policyAt(host), undefined, host)
    const other = (await accounts.createAccount('B')).id
    const pending = await domains.createZone(other, DOMAIN, { active: false })
    assert.ok(pending.kind === 'created')
    await mailSetup.changeMtaSts(zone, domain, { mode: 'testing' }, record)
    assert.equal(modeOf(await domains.policyAt(HOST)), 'testing')

    const sub = `news.${DOMAIN}`
    await mailSetup.add(zone, sub, 'routing', record)
    const below = await mailSetup.domainNamed(zone, sub)
    assert.ok(below)
    assert.equal(modeOf(await domains.policyAt(`mta-sts.${sub}`)), 'enforce')
    await mailSetup.changeMtaSts(zone, below, { mode: 'none' }, record)
    assert.equal(modeOf(await domains.policyAt(`mta-sts.${sub}`)), 'none')
    assert.equal(modeOf(await domains.policyAt(HOST)), 'testing')
  },
)

onBothEngines('no hand of its owner touches what announces the policy, or voids it', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, record, domains, accountId } = world
  const { zone, domain } = await routed(world)
  await mailSetup.changeMtaSts(zone, domain, { mode: 'testing' }, record)
  const { records } = domains.zoneControl
  const place = { accountId, zoneId: zone.id }
  const announced = (await records.list(accountId, zone.id))?.find(({ name }) => name.startsWith('_mta-sts.'))
  assert.ok(announced)
  const removed = await records.remove({ ...place, recordId: announced.id })
  assert.ok(removed.kind === 'locked' && /switch that off first/.test(removed.detail))
  for (const given of [
    { type: 'TXT', name: `_mta-sts.${DOMAIN}`, content: 'v=STSv1; id=1;' },
    { type: 'A', name: HOST, content: '192.0.2.1' },
  ])
    assert.equal((await records.create(place, given)).kind, 'conflicting', given.name)
})

onBothEngines('of two changes at once both are in the log, and one stays', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, record } = world
  const { zone, domain } = await routed(world)
  const modes = ['testing', 'enforce', 'none'] as const
  await Promise.all(modes.map((mode) => mailSetup.changeMtaSts(zone, domain, { mode }, record)))
  const { policy, records } = await mailSetup.mtaSts(zone, domain)
  assert.deepEqual(await stsRows(world, zone), [
    `TXT _mta-sts.${DOMAIN} v=STSv1; id=${policy?.id}; routing locked`,
    `CNAME ${HOST} ${SERVICE_HOST} routing locked`,
  ])
  assert.ok(records.every(({ state }) => state === 'ready'))
})

test('the service’s own policy is in its zone where its hosts serve it', () => {
  const service = serviceNames('posthorn.test')
  const names = (policies: boolean) =>
    [...serviceZone(service, { ...LOOPBACK_ADDRESSES, policies }, undefined).records.keys()].filter((name) =>
      name.includes('mta-sts'),
    )
  assert.deepEqual(names(false), [])
  assert.deepEqual(names(true), ['_mta-sts.mx.posthorn.test', SERVICE_HOST])
})
