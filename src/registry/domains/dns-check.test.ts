import assert from 'node:assert/strict'
import { openSetupWorld } from '#test/mail-setup-world.ts'
import { onBothEngines } from '#test/stores.ts'
import type { Zone } from './zones.ts'

const DOMAIN = 'yourdomain.com'
const HOST = `cf-bounce.${DOMAIN}`
const HOUR_MS = 60 * 60_000

type World = Awaited<ReturnType<typeof openSetupWorld>>

async function domainOf({ mailSetup }: World, zone: Zone) {
  const domain = await mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  return domain
}

onBothEngines('sending waits until SPF and DKIM were seen, and no longer', async (_t, open) => {
  const world = await openSetupWorld(open, { activeAtOnce: false })
  const { mailSetup, domains, accountId, published, actions, record, pass } = world
  const zone = await world.zone()
  for (const name of [HOST, `cf-bounce._domainkey.${DOMAIN}`]) published.set(`TXT ${name}`, [])
  const added = await mailSetup.add(zone, DOMAIN, 'sending', record)
  assert.ok(added.kind === 'onboarded')
  assert.equal(added.status, 'pending')
  assert.equal((await domains.senderDomain(accountId, DOMAIN)).kind, 'unverified')
  published.delete(`TXT ${HOST}`)
  pass(60_001)
  await mailSetup.runDue()
  assert.equal((await domains.senderDomain(accountId, DOMAIN)).kind, 'unverified')
  actions()
  published.clear()
  // Not due yet, then due: it is looked at by itself.
  await mailSetup.runDue()
  assert.equal((await domains.senderDomain(accountId, DOMAIN)).kind, 'unverified')
  pass(60_001)
  await mailSetup.runDue()
  assert.equal((await domains.senderDomain(accountId, DOMAIN)).kind, 'sending')
  assert.deepEqual(actions(), ['sending_domain.verified', 'dns.restored'])
})

onBothEngines('routing waits for its MX', async (_t, open) => {
  const world = await openSetupWorld(open, { activeAtOnce: false })
  const { mailSetup, published, record } = world
  const zone = await world.zone()
  published.set(`MX ${DOMAIN}`, ['13 route1.mx.posthorn.test'])
  const added = await mailSetup.add(zone, DOMAIN, 'routing', record)
  assert.ok(added.kind === 'onboarded' && added.status === 'pending')
  published.set(
    `MX ${DOMAIN}`,
    [1, 2, 3].map((i) => `10 ROUTE${i}.mx.posthorn.test.`),
  )
  assert.equal((await mailSetup.check(zone, await domainOf(world, zone), 'routing')).status, 'ready')
  assert.equal((await domainOf(world, zone)).routing, 'active')
})

onBothEngines('drift is told once, warns, and stops nothing; so is its end', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, domains, accountId, vanish, changes, record, pass, actions } = world
  const zone = await world.zone()
  await mailSetup.add(zone, DOMAIN, 'sending', record)
  await mailSetup.add(zone, DOMAIN, 'routing', record)
  changes.splice(0)
  pass(HOUR_MS + 1)
  await mailSetup.runDue()
  assert.deepEqual(actions(), [])

  await vanish(zone, `cf-bounce._domainkey.${DOMAIN}`)
  await mailSetup.runDue()
  assert.deepEqual(actions(), [], 'not due')
  pass(HOUR_MS + 1)
  await mailSetup.runDue()
  assert.deepEqual(
    changes.map(({ action, resource, before, after }) => [action, resource.type, before, after]),
    [
      [
        'dns.drifted',
        'sending_domain',
        { name: DOMAIN, status: 'ready' },
        { name: DOMAIN, status: 'misconfigured', problems: ['dkim.missing'] },
      ],
    ],
  )
  changes.splice(0)
  assert.equal((await domains.senderDomain(accountId, DOMAIN)).kind, 'sending')
  pass(HOUR_MS + 1)
  await mailSetup.runDue()
  assert.deepEqual(actions(), [])
  const domain = await domainOf(world, zone)
  assert.equal(await mailSetup.status(zone, domain, 'sending'), 'misconfigured')
  assert.equal(await mailSetup.status(zone, domain, 'routing'), 'ready')

  // The repair is onboarding again.
  await mailSetup.add(zone, DOMAIN, 'sending', record)
  assert.deepEqual(actions(), ['sending_domain.onboard', 'dns.restored'])
})

onBothEngines('routing under our lock says so in its status', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, published, record } = world
  const zone = await world.zone()
  assert.equal(await mailSetup.status(zone, undefined, 'routing'), 'unconfigured')
  await mailSetup.add(zone, DOMAIN, 'routing', record)
  const domain = await domainOf(world, zone)
  published.set(`MX ${DOMAIN}`, ['10 mx.example.net'])
  const check = await mailSetup.check(zone, domain, 'routing')
  assert.equal(check.status, 'misconfigured/locked')
  assert.deepEqual(check.records.map(({ state, locked }) => `${state} ${locked}`).slice(0, 3), [
    'foreign true',
    'foreign true',
    'foreign true',
  ])
  await mailSetup.unlock(zone, domain, record)
  assert.equal((await mailSetup.check(zone, domain, 'routing')).status, 'misconfigured')
  await mailSetup.remove(zone, domain, 'routing', record)
  assert.equal((await mailSetup.check(zone, await domainOf(world, zone), 'routing')).status, 'unconfigured')
})

onBothEngines('a DNS that does not answer changes no status and raises no drift', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, broken, record, actions, pass } = world
  const zone = await world.zone()
  await mailSetup.add(zone, DOMAIN, 'sending', record)
  actions()
  broken.add(HOST)
  pass(HOUR_MS + 1)
  const check = await mailSetup.check(zone, await domainOf(world, zone), 'sending')
  assert.equal(check.status, 'ready')
  assert.deepEqual(check.unanswered, [HOST])
  assert.equal(check.records[0]?.state, 'unanswered')
  assert.deepEqual(actions(), [])
})

onBothEngines(
  'a zone that its owner publishes: what DNS says counts, and nothing is written',
  async (_t, open) => {
    const world = await openSetupWorld(open, { activeAtOnce: false })
    const { mailSetup, published, broken, record, rows } = world
    const zone = await world.zone(DOMAIN, { active: true, type: 'partial', dns: 'manual' })
    published.set(`TXT ${DOMAIN}`, ['v=spf1 include:_spf.example.net -all'])
    published.set(`MX ${DOMAIN}`, ['10 mx.example.net'])
    assert.equal((await mailSetup.add(zone, DOMAIN, 'routing', record)).kind, 'conflicting-records')
    published.delete(`MX ${DOMAIN}`)
    broken.add(DOMAIN)
    assert.deepEqual(await mailSetup.add(zone, DOMAIN, 'routing', record), {
      kind: 'unanswered',
      names: [DOMAIN],
    })
    broken.clear()
    const added = await mailSetup.add(zone, DOMAIN, 'routing', record)
    assert.ok(added.kind === 'onboarded' && added.status === 'pending')
    assert.deepEqual(await rows(zone), [])

    const domain = await domainOf(world, zone)
    const wanted = await mailSetup.records(zone, domain, 'routing')
    assert.equal(
      wanted.find(({ role }) => role === 'spf')?.content,
      'v=spf1 include:_spf.mx.posthorn.test include:_spf.example.net -all',
    )
    assert.equal((await mailSetup.check(zone, domain, 'routing')).status, 'misconfigured')
    for (const { type, name } of wanted)
      published.set(
        `${type} ${name}`,
        wanted
          .filter((record_) => record_.type === type && record_.name === name)
          .map(({ content, priority }) => (type === 'MX' ? `${priority} ${content}` : content)),
      )
    assert.equal((await mailSetup.check(zone, domain, 'routing')).status, 'ready')
    assert.equal((await domainOf(world, zone)).routing, 'active')
  },
)
