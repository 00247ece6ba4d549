import assert from 'node:assert/strict'
import { newId } from '#store/id.ts'
import { statement } from '#store/store.ts'
import { openSetupWorld } from '#test/mail-setup-world.ts'
import { onBothEngines } from '#test/stores.ts'

const DOMAIN = 'yourdomain.com'
const OWN_SPF = 'v=spf1 include:_spf.example.net ~all'
const MERGED = 'v=spf1 include:_spf.mx.posthorn.test include:_spf.example.net ~all'

const addDomain = statement(
  'test.add-domain',
  `insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
     created_at, modified_at) values ($1, $2, $3, $4, 'none', 'active', 1, 0, 0, 0)`,
)

onBothEngines('each service’s removal leaves the other’s records and the owner’s', async (_t, open) => {
  const { zone: newZone, mailSetup, publish, rows, record, domains, accountId } = await openSetupWorld(open)
  const zone = await newZone()
  await publish(zone, 'TXT', DOMAIN, 'site-verification=1')
  await publish(zone, 'A', `www.${DOMAIN}`, '192.0.2.1')
  const owners = await rows(zone)
  const sending = await mailSetup.add(zone, DOMAIN, 'sending', record)
  const withSending = await rows(zone)
  const routing = await mailSetup.add(zone, DOMAIN, 'routing', record)
  assert.ok(sending.kind === 'onboarded' && routing.kind === 'onboarded')
  assert.equal(routing.domainId, sending.domainId)

  const domain = await mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  const selector = await mailSetup.selector(domain, 'sending')
  assert.equal(await mailSetup.remove(zone, domain, 'routing', record), true)
  assert.deepEqual(await rows(zone), withSending)
  assert.equal(await mailSetup.remove(zone, domain, 'routing', record), false)
  assert.equal((await domains.senderDomain(accountId, DOMAIN)).kind, 'sending')

  assert.equal(await mailSetup.remove(zone, domain, 'sending', record), true)
  assert.deepEqual(await rows(zone), owners)
  assert.deepEqual(await mailSetup.sendingDomains(zone), [])
  assert.equal((await domains.senderDomain(accountId, DOMAIN)).kind, 'unknown')

  // It comes back as it was: the same id, the same key.
  const again = await mailSetup.add(zone, DOMAIN, 'sending', record)
  assert.deepEqual(again, sending)
  assert.equal(await mailSetup.selector(domain, 'sending'), selector)
  assert.deepEqual(await rows(zone), withSending)
})

onBothEngines('what its owner changed of ours is its owner’s, and stays', async (_t, open) => {
  const { zone: newZone, mailSetup, publish, rows, record, vanish } = await openSetupWorld(open)
  const zone = await newZone()
  await mailSetup.add(zone, DOMAIN, 'sending', record)
  await vanish(zone, `_dmarc.${DOMAIN}`)
  await publish(zone, 'TXT', `_dmarc.${DOMAIN}`, 'v=DMARC1; p=none')
  const domain = await mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  assert.equal((await mailSetup.check(zone, domain, 'sending')).status, 'ready')
  await mailSetup.remove(zone, domain, 'sending', record)
  assert.deepEqual(await rows(zone), [`TXT _dmarc.${DOMAIN} v=DMARC1; p=none owner`])
})

onBothEngines('an SPF record is merged, counted before, and taken apart again', async (_t, open) => {
  const { zone: newZone, mailSetup, publish, rows, record, published } = await openSetupWorld(open)
  const zone = await newZone()
  await publish(zone, 'TXT', DOMAIN, OWN_SPF)
  published.set('TXT _spf.example.net', ['v=spf1 include:a.example.net mx -all'])
  published.set('TXT a.example.net', ['v=spf1 a -all'])
  const before = await rows(zone)

  const preview = await mailSetup.preview(zone, DOMAIN, 'routing')
  assert.ok('spf' in preview)
  // Ours, theirs, a.example.net, its `a`, and the `mx`.
  assert.deepEqual(preview.spf, { existing: OWN_SPF, merged: MERGED, lookups: 5, limit: 10 })
  assert.ok(preview.problems.some(({ code }) => code === 'spf.foreign'))
  assert.equal(preview.records.find(({ role }) => role === 'spf')?.content, MERGED)
  assert.equal(preview.records.find(({ role }) => role === 'dkim')?.content, '')
  assert.deepEqual(await rows(zone), before, 'a preview writes nothing')

  assert.equal((await mailSetup.add(zone, DOMAIN, 'routing', record)).kind, 'onboarded')
  const spf = (await rows(zone)).filter((row) => row.includes('v=spf1'))
  assert.deepEqual(spf, [`TXT ${DOMAIN} ${MERGED} owner`])
  const domain = await mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  const check = await mailSetup.check(zone, domain, 'routing')
  assert.deepEqual([check.status, check.spfLookups], ['ready', 5])
  await mailSetup.remove(zone, domain, 'routing', record)
  assert.deepEqual(await rows(zone), before)
})

onBothEngines('an SPF record that would ask too much is left as it is', async (_t, open) => {
  const { zone: newZone, mailSetup, publish, rows, record } = await openSetupWorld(open)
  const zone = await newZone()
  const full = `v=spf1 ${Array.from({ length: 10 }, (_, i) => `include:s${i}.example`).join(' ')} -all`
  await publish(zone, 'TXT', DOMAIN, full)
  const preview = await mailSetup.preview(zone, DOMAIN, 'routing')
  assert.ok('spf' in preview && preview.spf.lookups === 11)
  assert.ok(preview.problems.some(({ code }) => code === 'spf.too_many_lookups'))
  const refused = await mailSetup.add(zone, DOMAIN, 'routing', record)
  assert.ok(refused.kind === 'spf-too-many-lookups')
  assert.deepEqual([refused.lookups, refused.limit], [11, 10])
  assert.deepEqual(await rows(zone), [`TXT ${DOMAIN} ${full} owner`])
  // Sending has its SPF record elsewhere.
  assert.equal((await mailSetup.add(zone, DOMAIN, 'sending', record)).kind, 'onboarded')
})

onBothEngines('records that compete are named, whatever they are', async (_t, open) => {
  const { zone: newZone, mailSetup, publish, rows, record } = await openSetupWorld(open)
  for (const [name, mail, type, at, content] of [
    ['one.example', 'routing', 'MX', 'one.example', 'mx.example.net'],
    ['two.example', 'sending', 'MX', 'cf-bounce.two.example', 'route1.mx.other.example'],
    ['three.example', 'sending', 'CNAME', 'cf-bounce.three.example', 'bounces.example.net'],
    ['four.example', 'routing', 'TXT', 'cf2024-1._domainkey.four.example', 'v=DKIM1; p=QUJD'],
  ] as const) {
    const zone = await newZone(name)
    await publish(zone, type, at, content)
    const before = await rows(zone)
    assert.deepEqual(await mailSetup.add(zone, name, mail, record), {
      kind: 'conflicting-records',
      records: [`${type} ${at} ${content}`],
    })
    assert.deepEqual(await rows(zone), before)
  }
})

onBothEngines('names that cannot be set up', async (_t, open) => {
  const { zone: newZone, mailSetup, record } = await openSetupWorld(open)
  const zone = await newZone()
  const sub = await newZone(`mail.${DOMAIN}`)
  const add = (name: string, to = zone) => mailSetup.add(to, name, 'sending', record)
  assert.deepEqual(await add('example.com'), { kind: 'outside-zone', zone: DOMAIN })
  assert.deepEqual(await add(`cf-bounce.${DOMAIN}`), { kind: 'reserved-name' })
  const long = `${'a'.repeat(60)}.`.repeat(3)
  assert.equal((await add(`${long}${'b'.repeat(40)}.${DOMAIN}`)).kind, 'name-too-long')
  assert.equal((await add(`mail.${DOMAIN}`)).kind, 'onboarded')
  assert.deepEqual(await add(`mail.${DOMAIN}`, sub), { kind: 'in-other-zone', zone: DOMAIN })
})

onBothEngines(
  'the limit counts what is in use, and a domain comes back only where there is room',
  async (_t, open) => {
    const { zone: newZone, mailSetup, record, store } = await openSetupWorld(open)
    const zone = await newZone()
    const one = await mailSetup.add(zone, DOMAIN, 'routing', record)
    assert.ok(one.kind === 'onboarded')
    for (let i = 1; i < 30; i++)
      await store.commit([
        { statement: addDomain, params: [newId(), zone.id, zone.accountId, `d${i}.${DOMAIN}`] },
      ])
    const full = { kind: 'too-many-domains', limit: 30 } as const
    assert.deepEqual(await mailSetup.add(zone, `d30.${DOMAIN}`, 'sending', record), full)
    const domain = await mailSetup.domainNamed(zone, DOMAIN)
    assert.ok(domain)
    await mailSetup.remove(zone, domain, 'routing', record)
    assert.equal((await mailSetup.add(zone, `d30.${DOMAIN}`, 'sending', record)).kind, 'onboarded')
    assert.deepEqual(await mailSetup.add(zone, DOMAIN, 'routing', record), full)
  },
)

onBothEngines('routing records unlock, then their owner may bring another provider', async (_t, open) => {
  const { zone: newZone, mailSetup, publish, rows, record, actions } = await openSetupWorld(open)
  const zone = await newZone()
  await mailSetup.add(zone, DOMAIN, 'routing', record)
  await mailSetup.add(zone, DOMAIN, 'sending', record)
  await mailSetup.add(zone, `sub.${DOMAIN}`, 'routing', record)
  const domain = await mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  assert.equal(await mailSetup.status(zone, domain, 'routing'), 'ready')
  actions()
  await mailSetup.unlock(zone, domain, record)
  await mailSetup.unlock(zone, domain, record)
  assert.deepEqual(actions(), ['routing.unlock'])
  const unlocked = (await rows(zone)).filter((row) => !row.endsWith('locked'))
  assert.equal(unlocked.length, 5 + 1, 'of the domain itself, and the DMARC record')
  assert.equal(await mailSetup.status(zone, domain, 'routing'), 'unlocked')

  await publish(zone, 'MX', DOMAIN, 'mx.example.net')
  assert.equal((await mailSetup.check(zone, domain, 'routing')).status, 'unlocked')
  assert.equal((await mailSetup.add(zone, DOMAIN, 'routing', record)).kind, 'conflicting-records')
  await mailSetup.remove(zone, domain, 'routing', record)
  assert.deepEqual(
    (await rows(zone)).filter((row) => row.startsWith(`MX ${DOMAIN} `)),
    [`MX ${DOMAIN} mx.example.net owner`],
  )
})

onBothEngines('enabling again locks what was unlocked', async (_t, open) => {
  const { zone: newZone, mailSetup, rows, record } = await openSetupWorld(open)
  const zone = await newZone()
  await mailSetup.add(zone, DOMAIN, 'routing', record)
  const locked = await rows(zone)
  const domain = await mailSetup.domainNamed(zone, DOMAIN)
  assert.ok(domain)
  await mailSetup.unlock(zone, domain, record)
  await mailSetup.add(zone, DOMAIN, 'routing', record)
  assert.deepEqual(await rows(zone), locked)
})

onBothEngines('options change one by one, each with its line', async (_t, open) => {
  const { zone: newZone, mailSetup, record, domains, accountId, changes } = await openSetupWorld(open)
  const zone = await newZone()
  await mailSetup.add(zone, DOMAIN, 'sending', record)
  const [domain] = await mailSetup.sendingDomains(zone)
  assert.ok(domain)
  changes.splice(0)
  await mailSetup.changeOptions(zone, domain, { previewEnabled: false, record })
  const changed = await mailSetup.changeOptions(zone, domain, { dropSuppressedRecipients: true, record })
  assert.deepEqual([changed?.previewEnabled, changed?.dropSuppressedRecipients], [false, true])
  const sender = await domains.senderDomain(accountId, DOMAIN)
  assert.ok(sender.kind === 'sending' && !sender.previewEnabled && sender.dropSuppressedRecipients)
  const shown = (preview: boolean, drop: boolean) => ({
    name: DOMAIN,
    preview_enabled: preview,
    drop_suppressed_recipients: drop,
  })
  assert.deepEqual(
    changes.map(({ before, after }) => [before, after]),
    [
      [shown(true, false), shown(false, false)],
      [shown(false, false), shown(false, true)],
    ],
  )
})

onBothEngines('routing settings: what is left out stays', async (_t, open) => {
  const { zone: newZone, mailSetup, record } = await openSetupWorld(open)
  const zone = await newZone()
  const chosen = async () => {
    const { skipWizard, supportSubaddress } = await mailSetup.routingSettings(zone)
    return [skipWizard, supportSubaddress]
  }
  assert.deepEqual(await chosen(), [false, false])
  await mailSetup.changeRoutingSettings(zone, { supportSubaddress: true }, record)
  await mailSetup.changeRoutingSettings(zone, { skipWizard: true }, record)
  await mailSetup.changeRoutingSettings(zone, {}, record)
  assert.deepEqual(await chosen(), [true, true])
  await mailSetup.changeRoutingSettings(zone, { supportSubaddress: false }, record)
  assert.deepEqual(await chosen(), [true, false])
})
