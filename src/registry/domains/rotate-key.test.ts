import assert from 'node:assert/strict'
import { openSetupWorld } from '#test/mail-setup-world.ts'
import { onBothEngines } from '#test/stores.ts'
import { KEEP_KEY_MS } from './rotate-key.ts'
import type { Zone } from './zones.ts'

const DOMAIN = 'yourdomain.com'
const DAY_MS = 24 * 60 * 60_000

type World = Awaited<ReturnType<typeof openSetupWorld>>

async function setUp(world: World) {
  const zone = await world.zone()
  await world.mailSetup.add(zone, DOMAIN, 'sending', world.record)
  await world.mailSetup.add(zone, DOMAIN, 'routing', world.record)
  const domain = await world.mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  world.actions()
  world.pass(1000)
  return { zone, domain }
}

async function states({ mailSetup }: World, zone: Zone, mail: 'sending' | 'routing' = 'sending') {
  const domain = await mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  const keys = await mailSetup.keys(domain, mail)
  return keys.map(({ selector, state }) => `${selector} ${state}`)
}

async function keysInDns({ rows }: World, zone: Zone): Promise<string[]> {
  const all = await rows(zone)
  return all.flatMap((row) => /^TXT (\S+)\._domainkey\./.exec(row)?.[1] ?? [])
}

async function signsWith({ domains, accountId }: World): Promise<string> {
  const sender = await domains.senderDomain(accountId, DOMAIN)
  assert.ok(sender.kind === 'sending')
  return sender.signing.selector
}

onBothEngines('a key is published, seen, signs, and the one before it stays a while', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, published, record, actions, pass } = world
  const { zone, domain } = await setUp(world)
  published.set(`TXT cf-bounce-2._domainkey.${DOMAIN}`, [])
  assert.deepEqual(await mailSetup.rotate(zone, domain, 'sending', record), { kind: 'begun' })
  assert.deepEqual(await states(world, zone), ['cf-bounce active', 'cf-bounce-2 publishing'])
  assert.equal(await signsWith(world), 'cf-bounce')
  const waiting = await mailSetup.check(zone, domain, 'sending')
  assert.equal(waiting.status, 'ready', 'nothing depends on a key that does not sign')
  assert.ok(waiting.records.some(({ expected, state }) => expected.next && state === 'missing'))
  assert.deepEqual(await mailSetup.rotate(zone, domain, 'sending', record), { kind: 'under-way' })

  // Somebody else's key under that name is not ours to be seen.
  published.set(`TXT cf-bounce-2._domainkey.${DOMAIN}`, ['v=DKIM1; p=QUJD'])
  await mailSetup.runDue()
  assert.equal(await signsWith(world), 'cf-bounce')
  published.clear()
  await mailSetup.runDue()
  assert.equal(await signsWith(world), 'cf-bounce-2')
  assert.deepEqual(await states(world, zone), ['cf-bounce retiring', 'cf-bounce-2 active'])
  assert.deepEqual(await keysInDns(world, zone), ['cf-bounce-2', 'cf-bounce', 'cf2024-1'])
  assert.equal((await mailSetup.check(zone, domain, 'sending')).status, 'ready')
  assert.equal(await mailSetup.selector(domain, 'sending'), 'cf-bounce-2')

  pass(KEEP_KEY_MS - 1)
  await mailSetup.runDue()
  assert.equal((await keysInDns(world, zone)).length, 3)
  pass(1)
  await mailSetup.runDue()
  assert.deepEqual(await states(world, zone), ['cf-bounce retired', 'cf-bounce-2 active'])
  assert.deepEqual(await keysInDns(world, zone), ['cf-bounce-2', 'cf2024-1'])
  assert.deepEqual(actions(), ['dkim.rotate', 'dkim.switch', 'dkim.retire'])
  const [retired] = await mailSetup.keys(domain, 'sending')
  assert.equal(retired?.private_key, '')
  assert.deepEqual(await states(world, zone, 'routing'), ['cf2024-1 active'])
})

onBothEngines(
  'where DNS shows it at once, one call is enough; each service has its own',
  async (_t, open) => {
    const world = await openSetupWorld(open)
    const { mailSetup, record } = world
    const { zone, domain } = await setUp(world)
    await mailSetup.rotate(zone, domain, 'routing', record)
    await mailSetup.rotate(zone, domain, 'routing', record)
    assert.deepEqual(await states(world, zone, 'routing'), [
      'cf2024-1 retiring',
      'cf2024-2 retiring',
      'cf2024-3 active',
    ])
    assert.equal(await signsWith(world), 'cf-bounce')
  },
)

onBothEngines(
  'a domain that leaves takes all of its keys out of DNS, and returns with the one that signed',
  async (_t, open) => {
    const world = await openSetupWorld(open)
    const { mailSetup, record, published } = world
    const { zone, domain } = await setUp(world)
    await mailSetup.rotate(zone, domain, 'sending', record)
    published.set(`TXT cf-bounce-3._domainkey.${DOMAIN}`, [])
    await mailSetup.rotate(zone, domain, 'sending', record)
    assert.equal((await keysInDns(world, zone)).length, 4)
    await mailSetup.remove(zone, domain, 'sending', record)
    assert.deepEqual(await keysInDns(world, zone), ['cf2024-1'])
    assert.deepEqual(await mailSetup.rotate(zone, domain, 'sending', record), { kind: 'not-set-up' })
    published.clear()
    await mailSetup.add(zone, DOMAIN, 'sending', record)
    assert.equal(await signsWith(world), 'cf-bounce-2')
    assert.deepEqual(await keysInDns(world, zone), ['cf-bounce-2', 'cf2024-1'])
    assert.deepEqual(await states(world, zone), [
      'cf-bounce retired',
      'cf-bounce-2 active',
      'cf-bounce-3 retired',
    ])
  },
)

onBothEngines('old keys do not pile up', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, record, pass } = world
  const { zone, domain } = await setUp(world)
  for (let i = 0; i < 10; i++)
    assert.equal((await mailSetup.rotate(zone, domain, 'sending', record)).kind, 'begun')
  assert.deepEqual(await mailSetup.rotate(zone, domain, 'sending', record), {
    kind: 'too-many-keys',
    limit: 10,
  })
  pass(KEEP_KEY_MS)
  await mailSetup.runDue()
  assert.equal((await mailSetup.rotate(zone, domain, 'sending', record)).kind, 'begun')
})

onBothEngines('keys that signed long enough are changed by themselves', async (_t, open) => {
  const world = await openSetupWorld(open, { rotateAfterMs: 90 * DAY_MS })
  const { mailSetup, pass, actions } = world
  const { zone } = await setUp(world)
  pass(90 * DAY_MS - 1001)
  await mailSetup.runDue()
  assert.deepEqual(actions(), [])
  pass(10)
  await mailSetup.runDue()
  assert.deepEqual(await states(world, zone), ['cf-bounce retiring', 'cf-bounce-2 active'])
  assert.deepEqual(await states(world, zone, 'routing'), ['cf2024-1 retiring', 'cf2024-2 active'])
  await mailSetup.runDue()
  assert.equal((await states(world, zone)).length, 2)
})

onBothEngines('of many who rotate at once, one does', async (_t, open) => {
  const world = await openSetupWorld(open)
  const { mailSetup, record, published } = world
  const { zone, domain } = await setUp(world)
  published.set(`TXT cf-bounce-2._domainkey.${DOMAIN}`, [])
  const rotations = await Promise.all([1, 2, 3].map(() => mailSetup.rotate(zone, domain, 'sending', record)))
  assert.deepEqual(rotations.map(({ kind }) => kind).toSorted(), ['begun', 'under-way', 'under-way'])
  assert.deepEqual(await states(world, zone), ['cf-bounce active', 'cf-bounce-2 publishing'])
})
