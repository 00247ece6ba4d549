import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { SuppressionBody } from '#contract/suppressions.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { openInstanceDatabase } from '#test/instance-database.ts'

/** An account with hundreds of zones, and more domains that send: each is found, and has a state of its own. */
let dashboard: Dashboard

const ZONES = 320
const SUBDOMAINS = 3

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  const { instance } = dashboard
  await using database = await openInstanceDatabase(instance, undefined)
  const account = instance.dev.account_id
  const at = Date.now() - 86_400_000
  // Every fifth zone has no domain; of the others each tenth subdomain lacks a record, and one has a foreign one.
  await database.run(`
    with recursive n(i) as (select 0 union all select i + 1 from n where i < ${ZONES - 1})
    insert into zone (id, account_id, name, status, created_at, activated_at, type, dns)
      select printf('%032x', 4096 + i), '${account}', printf('zone%03d.example', i), 'active', ${at},
        ${at}, 'partial', 'manual' from n;
    with recursive n(i) as (select 0 union all select i + 1 from n where i < ${ZONES * SUBDOMAINS - 1})
    insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
        created_at, modified_at)
      select printf('%032x', 65536 + i), printf('%032x', 4096 + i / 3), '${account}',
        printf('%szone%03d.example', substr('     mail.news.', 1 + i % 3 * 5, 5 * min(1, i % 3)), i / 3),
        'active', 'none', 1, 0, ${at}, ${at}
      from n where i / 3 % 5 > 0;
    insert into dns_check (domain_id, mail, account_id, status, problems, checked_at, due_at)
      select id, 'sending', account_id,
        case when name in ('mail.zone011.example', 'news.zone012.example') then 'misconfigured' else 'ready' end,
        case name when 'mail.zone011.example' then '["dkim.missing"]'
          when 'news.zone012.example' then '["spf.multiple"]' else '[]' end,
        created_at, 4000000000000
      from domain where name like '%zone%.example'`)
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }

/** In a list that is open. */
const searchField = () => dashboard.page.getByPlaceholder('Search domains')

test('the list is paged, searched and narrowed; a subdomain’s state is its own', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/domains'))
  await page
    .getByRole('row', { name: /yourdomain\.com/ })
    .getByText('Verified')
    .waitFor()
  await page.getByText(/1-20 of 833/).waitFor()
  assert.equal(await page.getByRole('row').count(), 21)
  await dashboard.examine('sending-domains-many')
  await page.getByRole('button', { name: 'Next page' }).click()
  await page.getByText(/21-40 of 833/).waitFor()
  assert.match(page.url(), /page=2/)
  const row = (name: string) => page.getByRole('row', { name: new RegExp(`^${name.replaceAll('.', '\\.')}`) })
  await row('mail.zone011.example').getByText('Waiting for DNS').waitFor()
  await row('zone011.example').getByText('Verified').waitFor()
  await row('news.zone012.example').getByText('Needs attention').waitFor()

  await page.getByRole('searchbox', { name: 'Search domains' }).fill('zone319')
  await page
    .getByRole('row', { name: /zone011/ })
    .first()
    .waitFor({ state: 'detached' })
  assert.equal(await page.getByRole('row').count(), 4)
  assert.doesNotMatch(page.url(), /page=/)

  await page.getByRole('searchbox', { name: 'Search domains' }).fill('')
  await page.getByRole('combobox', { name: 'Show' }).click()
  await page.getByRole('option', { name: 'Needs attention' }).click()
  await row('zone010.example').first().waitFor({ state: 'detached' })
  await row('mail.zone011.example').waitFor()
  assert.equal(await page.getByRole('row').count(), 3)
  await page.getByRole('searchbox', { name: 'Search domains' }).fill('zone300')
  await page.getByText('No domain has “zone300” in its name').waitFor()
  await dashboard.examine('sending-domains-none')
  await page.getByRole('searchbox', { name: 'Search domains' }).fill('')
  await page.getByRole('combobox', { name: 'Show' }).click()
  await page.getByRole('option', { name: 'Not onboarded' }).click()
  await page.getByText(/1-20 of 64/).waitFor()
  await row('zone000.example').getByRole('link', { name: 'Onboard' }).waitFor()
  await page.reload()
  await page.getByText(/1-20 of 64/).waitFor()
})

test('the overview asks twice, whatever the account has, and leads on to the rest', skip, async () => {
  const { page } = dashboard
  const asked: string[] = []
  page.on('request', (request) => {
    if (/email\/sending\/(?:domains|subdomains|zones|deliverability)|\/zones\b/.test(request.url()))
      asked.push(new URL(request.url()).pathname)
  })
  await dashboard.open(dashboard.ofAccount('/overview'))
  const domains = page.getByRole('region', { name: 'Domains', exact: true })
  await domains.getByText('Verified').first().waitFor()
  assert.equal(await domains.getByRole('listitem').count(), 6)
  await page.getByText('DNS does not have all records of mail.zone011.example.', { exact: false }).waitFor()
  await page.getByText('Records of news.zone012.example in DNS are not', { exact: false }).waitFor()
  // That of yourdomain.com, which was never looked at, is looked at now.
  assert.ok(asked.filter((path) => !path.endsWith('/dns/status')).length <= 2, asked.join('\n'))
  await dashboard.examine('overview-many')
  await domains.getByRole('link', { name: '763 more' }).click()
  await page.getByText(/1-20 of 769/).waitFor()
})

test('a domain is chosen by a part of its name, wherever one is chosen', skip, async () => {
  const { page, instance } = dashboard
  const { dev } = instance
  await dashboard.open(dashboard.ofAccount('/sending/test'))
  await page.getByRole('combobox', { name: 'At domain' }).click()
  await page.getByText('769 in all', { exact: false }).waitFor()
  await searchField().fill('news.zone318')
  await dashboard.examine('sending-test-choose')
  await page.getByRole('option', { name: 'news.zone318.example' }).click()
  const code = page.getByLabel('the request as', { exact: false }).and(page.locator('pre'))
  await code.filter({ hasText: 'hello@news.zone318.example' }).waitFor()

  await dashboard.open(dashboard.ofAccount('/sending/suppressions'))
  await page.getByRole('button', { name: 'Add address' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'Add an address' })
  await dialog.getByLabel('Address').fill('alex@example.com')
  await dialog.getByRole('combobox', { name: 'Scope' }).click()
  await searchField().fill('mail.zone317')
  await page.getByRole('option', { name: 'mail.zone317.example' }).click()
  await dialog.getByRole('button', { name: 'Add address' }).click()
  await dialog.waitFor({ state: 'detached' })
  const url = `${dev.api}/accounts/${dev.account_id}/email/sending/suppressions`
  const listed = await fetch(url, { headers: { authorization: `Bearer ${dev.api_token}` } })
  // The test states the shape that the API documents.
  const { result } = (await listed.json()) as { readonly result: readonly SuppressionBody[] }
  assert.deepEqual(result[0]?.scope, { type: 'sending_domain', value: 'mail.zone317.example' })
  await page.getByRole('combobox', { name: 'Scope' }).click()
  await searchField().fill('mail.zone317')
  await page.getByRole('option', { name: 'mail.zone317.example' }).click()
  await page.getByRole('row', { name: /alex@example\.com/ }).waitFor()
  assert.match(page.url(), /scope=mail\.zone317\.example/)

  await dashboard.open(dashboard.ofAccount('/sending/activity'))
  await page.getByRole('combobox', { name: 'Domain' }).click()
  await searchField().fill('zone300')
  await page.getByRole('option', { name: 'zone300.example' }).click()
  await page.waitForURL(/zone=[0-9a-f]{32}/)
  await page.getByRole('combobox', { name: 'Domain' }).getByText('zone300.example').waitFor()
  await dashboard.examine('sending-activity-choose')
})

test('a subdomain of a zone beyond the first hundreds is onboarded in that zone', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/domains/onboard?domain=shop.zone319.example'))
  await page.getByRole('heading', { name: 'Records for shop.zone319.example' }).waitFor()
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByText('0 of 6 records found').waitFor()
  const others = page.getByRole('region', { name: 'Subdomains' }).getByRole('listitem')
  await others.filter({ hasText: 'mail.zone319.example' }).getByText('Verified').waitFor()
})
