import assert from 'node:assert/strict'
import Fastify from 'fastify'
import type { AccountDomainBody } from '#contract/account-domains.ts'
import type { ResultInfo } from '#contract/paging.ts'
import type { Permission } from '#model/permission.ts'
import { openLog } from '#observe/log.ts'
import { openReputation } from '#registry/reputation/reputation.ts'
import { statement } from '#store/store.ts'
import { openSetupWorld } from '#test/mail-setup-world.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { accountDomainRoutes } from './account-domains.ts'

const standing = statement(
  'test.standing',
  `insert into deliverability_standing (domain_id, account_id, changes, seen, problems, since, looked_at)
   values ($1, $2, 1, 1, $3, 1800000000000, 0)`,
)
const addDomain = statement(
  'test.add-domain',
  `insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
     created_at, modified_at) values ($1, $2, $3, $4, $5, 'active', 1, 0, 0, 0)`,
)

/** The route over real parts, for an account of one's own. */
async function door(open: OpenStore) {
  const setup = await openSetupWorld(open)
  const { accounts, domains, mailSetup, accountId } = setup
  const reputation = openReputation({
    ...{ store: open.store, windowDays: 7, simulator: 'simulator.posthorn.test', now: () => 0 },
    ...{ thresholds: { delivery: 0.95, hardBounce: 0.02, complaint: 0.001 } },
    takenBy: async () => undefined,
  })
  const app = Fastify()
  const accountOfZone = (zoneId: string) => domains.accountOfZone(zoneId)
  accountDomainRoutes(app, { accounts, log: openLog('silent'), accountOfZone, mailSetup, reputation })
  const token = async (permissions: readonly Permission[]) =>
    (await accounts.createToken(accountId, { name: 't', permissions })).secret
  const all = await token(['Email Sending:Read', 'Analytics:Read'])

  async function ask(query = '', secret = all, of = accountId) {
    const answer = await app.inject({
      url: `/accounts/${of}/email/sending/domains${query}`,
      headers: { authorization: `Bearer ${secret}` },
    })
    const body = answer.json<{ result: AccountDomainBody[] | null; result_info?: ResultInfo }>()
    return { status: answer.statusCode, list: body.result ?? [], info: body.result_info }
  }

  return {
    ...setup,
    ask,
    token,
    names: async (query: string) => (await ask(query)).list.map(({ name }) => name),
  }
}

onBothEngines(
  'each domain has a state of its own, and a zone of which none sends stands for itself',
  async (_t, open) => {
    const { zone, mailSetup, record, vanish, publish, ask, token, names, store, accountId, accounts } =
      await door(open)
    const shop = await zone('shop.example')
    await zone('idle.example')
    await zone('unproven.example', { active: false, type: 'partial' })
    for (const name of ['news.shop.example', 'shop.example', 'a.shop.example'])
      assert.equal((await mailSetup.add(shop, name, 'sending', record)).kind, 'onboarded')
    const [, a, news] = await mailSetup.sendingDomains(shop)
    assert.ok(a && news)
    await vanish(shop, '_dmarc.a.shop.example')
    await publish(shop, 'TXT', 'cf-bounce.news.shop.example', 'v=spf1 include:elsewhere.example -all')
    for (const domain of [a, news]) await mailSetup.check(shop, domain, 'sending')
    const problems = JSON.stringify(['complaint_rate.high'])
    assert.ok(
      (await store.commit([{ statement: standing, params: [a.id, accountId, problems], rows: 1 }])).ok,
    )

    const { list, info } = await ask()
    assert.deepEqual(
      list.map(({ name, tag, zone, status, errors, problems }) => [
        ...[name, tag === null, zone.name, zone.status, status, errors.join(' '), problems?.join(' ')],
      ]),
      [
        ['idle.example', true, 'idle.example', 'active', 'unconfigured', '', ''],
        ['shop.example', false, 'shop.example', 'active', 'ready', '', ''],
        [
          'a.shop.example',
          false,
          'shop.example',
          'active',
          'misconfigured',
          'dmarc.missing',
          'complaint_rate.high',
        ],
        ['news.shop.example', false, 'shop.example', 'active', 'misconfigured', 'spf.multiple', ''],
        ['unproven.example', true, 'unproven.example', 'pending', 'unconfigured', '', ''],
      ],
    )
    assert.equal(info?.total_count, 5)
    assert.equal(list[2]?.problems_since, '2027-01-15T08:00:00.000000Z')
    assert.match(list[2]?.checked ?? '', /^2027-01-15T/)

    assert.deepEqual(await names('?sending=true&attention=false'), ['shop.example'])
    assert.deepEqual(await names('?sending=false'), ['idle.example', 'unproven.example'])
    assert.deepEqual(await names('?attention=true'), [
      'a.shop.example',
      'news.shop.example',
      'unproven.example',
    ])
    assert.deepEqual(await names('?name=NEWS.'), ['news.shop.example'])
    assert.deepEqual(await names('?name=shop&per_page=2&page=2'), ['news.shop.example'])
    assert.equal((await ask('?sending=maybe')).status, 400)

    // Removed from the service it is no domain that sends.
    assert.equal(await mailSetup.remove(shop, news, 'sending', record), true)
    assert.deepEqual(await names('?sending=true'), ['shop.example', 'a.shop.example'])

    const withoutRates = await ask('', await token(['Email Sending:Read']))
    assert.ok(withoutRates.list.every((each) => each.problems === null && each.problems_since === null))
    assert.equal((await ask('', await token(['Analytics:Read']))).status, 403)
    // Zones that the token may not read are left out.
    const idle = list[0]?.zone.id ?? ''
    const ofZone = await accounts.createToken(accountId, {
      ...{ name: 't', permissions: [] },
      policies: [
        {
          ...{ id: '1'.repeat(32), effect: 'allow', permissions: ['Email Sending:Read'] },
          ...{ written: { [`com.cloudflare.api.account.zone.${idle}`]: '*' }, resources: [] },
        },
      ],
    })
    assert.deepEqual(
      (await ask('', ofZone.secret)).list.map(({ name }) => name),
      ['idle.example'],
    )
    assert.equal((await ask('', undefined, 'f'.repeat(32))).status, 404)
  },
)

onBothEngines('a domain that was never looked at says so, and hundreds are paged', async (_t, open) => {
  const { zone, ask, store, accountId } = await door(open)
  const big = await zone('big.example')
  const names = Array.from({ length: 250 }, (_, n) => `n${String(n).padStart(3, '0')}.big.example`)
  const writes = names.map((name, n) => ({
    ...{ statement: addDomain, rows: 1 },
    params: [String(n).padStart(32, '0'), big.id, accountId, name, n % 5 === 0 ? 'pending' : 'active'],
  }))
  assert.ok((await store.commit(writes)).ok)
  const seen: string[] = []
  for (let page = 1; page <= 3; page++) {
    const { list, info } = await ask(`?page=${page}&per_page=100`)
    assert.equal(info?.total_count, 250)
    assert.ok(list.every(({ status, checked }) => status === null && checked === null))
    seen.push(...list.map(({ name }) => name))
  }
  assert.deepEqual(seen, names)
  // What nobody looked at is not known to be wrong.
  assert.equal((await ask('?attention=true')).info?.total_count, 0)
})
