import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { MtaStsBody } from '#contract/mta-sts.ts'
import type { DkimKeyBody, DomainStatusBody, ExpectedRecordBody } from '#contract/onboarding-records.ts'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { askNameServers, type CustomerDns, customerDns } from '#test/customer-dns.ts'
import { api } from '#test/routing-instance.ts'

/** A domain whose owner copies its routing records to their DNS provider, from the first to the last; what they publish
 *  is found on the wire. */
const NAME = 'shop.provider.example'
const OWN_SPF = 'v=spf1 ip4:192.0.2.7 -all'
const skip = { skip: NO_BROWSER }
let dashboard: Dashboard
let dns: CustomerDns
let zoneId = ''
let spfId = ''

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  const { instance } = dashboard
  const { id } = await api<ZoneBody>(instance, 'POST', '/zones', { name: 'provider.example' })
  dns = customerDns(instance, id)
  spfId = await dns.publish({ type: 'TXT', name: NAME, content: OWN_SPF })
})
after(() => dashboard?.[Symbol.asyncDispose]())

const ask = <T>(method: string, path: string) =>
  api<T>(dashboard.instance, method, `/zones/${zoneId}/email/routing${path}`)
const status = (domain = NAME) => ask<DomainStatusBody>('GET', `/dns/status?subdomain=${domain}`)
const records = () => dashboard.page.getByRole('region', { name: 'DNS records' })
const headState = (state: string) =>
  dashboard.page.getByRole('main').getByText(state, { exact: true }).first()

/** As a person does it, field by field. */
async function copyRecord(list: string, { type, name, content = '', priority }: ExpectedRecordBody) {
  const { page } = dashboard
  const item = page
    .getByRole('list', { name: list })
    .getByRole('listitem')
    .filter({ has: page.getByRole('button', { name: `Copy the value of ${type} ${name}`, exact: true }) })
    .filter({ hasText: content.slice(0, 60) })
    .first()
  const read = () => page.evaluate<string>('navigator.clipboard.readText()')
  await item.getByRole('button', { name: /^(?:Copy|Copied) the name/ }).click()
  const short = await read()
  assert.equal(short === '@' ? NAME : `${short}.${NAME}`, name)
  await item.getByRole('button', { name: `Copy the value of ${type} ${name}`, exact: true }).click()
  assert.equal(await read(), content)
  await dns.publish({ type, name, content: await read(), priority })
}

test(
  'another provider has its mail: the page waits until that is mended, and then says what to copy',
  skip,
  async () => {
    const { page, instance } = dashboard
    const foreign = await dns.publish({
      type: 'MX',
      name: NAME,
      content: 'mail.elsewhere.example',
      priority: 5,
    })
    await dashboard.open(dashboard.ofAccount('/routing/domains/onboard'))
    await page.getByRole('textbox', { name: 'Domain' }).fill(NAME)
    await page.getByText('It is below your zone provider.example').waitFor()
    await page.getByRole('radio', { name: /I copy the records myself/ }).click()
    await page.getByRole('button', { name: 'Review records' }).click()
    await page.getByText(`You publish these at the DNS provider of ${NAME}`).waitFor()
    zoneId = new URL(page.url()).searchParams.get('zone') ?? ''
    await page.getByText(`remove MX ${NAME} mail.elsewhere.example`).waitFor()
    // It stands elsewhere, where nothing can be deleted from here.
    assert.equal(await page.getByRole('button', { name: /^Delete record/ }).count(), 0)
    const planned = page.getByRole('list', { name: 'Records to be added' })
    await planned.getByText('v=spf1 include:_spf.mx.posthorn.test ip4:192.0.2.7 -all').waitFor()
    const done = page.getByRole('button', { name: 'Done' })
    assert.equal(await done.isDisabled(), true)
    await dashboard.examine('routing-manual-onboard')

    await dns.withdraw(foreign)
    // Without anybody asking.
    await page.getByText('mail.elsewhere.example').first().waitFor({ state: 'detached' })
    await done.click()
    await page.getByRole('heading', { level: 1, name: NAME }).waitFor()
    await page.getByRole('tab', { name: 'Settings', selected: true }).waitFor()
    await records().getByText('0 of 5 records found').waitFor()
    assert.equal((await ask<RoutingSettingsBody>('GET', '')).enabled, true)
    assert.deepEqual(
      await askNameServers(instance)
        .resolveMx(NAME)
        .catch((error) => error.code),
      'ENODATA',
    )
  },
)

test('each record is copied, and the page sees by itself that it is there', skip, async () => {
  const { page, instance } = dashboard
  await headState('Waiting for DNS').waitFor()
  for (const name of ['Repair', 'Lock', 'Unlock'])
    assert.equal(await records().getByRole('button', { name, exact: true }).count(), 0)
  await page.getByRole('button', { name: 'All of them as a zone file' }).click()
  await page.getByText(`${NAME}. 300 IN MX `).waitFor()
  await dashboard.examine('routing-manual-waiting')

  const expected = await status()
  assert.deepEqual(
    expected.records.map(({ type, state }) => [type, state]),
    [
      ['MX', 'missing'],
      ['MX', 'missing'],
      ['MX', 'missing'],
      ['TXT', 'foreign'],
      ['TXT', 'missing'],
    ],
  )
  // What is to be copied does not take away what the owner had.
  const spf = expected.records.find(({ content }) => content?.startsWith('v=spf1'))
  assert.equal(spf?.content, 'v=spf1 include:_spf.mx.posthorn.test ip4:192.0.2.7 -all')
  for (const record of expected.records) {
    if (record === spf) await dns.withdraw(spfId)
    await copyRecord('DNS records', record)
  }
  await records().getByText('5 of 5 records found').waitFor()
  await headState('Ready').waitFor()
  assert.equal((await status()).status, 'ready')
  assert.deepEqual(
    (await askNameServers(instance).resolveMx(NAME)).map(({ exchange }) => exchange).toSorted(),
    ['route1.mx.posthorn.test', 'route2.mx.posthorn.test', 'route3.mx.posthorn.test'],
  )
  await dashboard.open(dashboard.ofAccount('/routing/domains'))
  await page
    .getByRole('row', { name: new RegExp(NAME.replaceAll('.', String.raw`\.`)) })
    .getByText('Ready')
    .waitFor()
})

test('a new DKIM key signs once its record was copied', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount(`/routing/domains/${zoneId}?tab=settings`))
  const keys = page.getByRole('region', { name: 'DKIM keys' })
  const rotate = keys.getByRole('button', { name: 'Rotate key' })
  await keys.getByText('Active', { exact: true }).waitFor()
  await rotate.click()
  await page.getByRole('dialog').getByText('You publish the record of the new key').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate key' }).click()
  await keys.getByText('Publishing', { exact: true }).waitFor()
  assert.equal(await rotate.isDisabled(), true)
  await records().getByText('Next key').waitFor()
  await records().getByText('5 of 6 records found').waitFor()
  // The key that signs is there: mail goes on.
  assert.equal((await status()).status, 'ready')
  const next = (await ask<DkimKeyBody[]>('GET', '/dkim')).find(({ state }) => state === 'publishing')
  assert.ok(next)
  await copyRecord(`Record of ${next.selector}`, next.record)
  await records().getByRole('button', { name: 'Check now' }).click()
  await records().getByText('6 of 6 records found').waitFor()
  // The step that the service makes each minute by itself.
  await ask('POST', '/dkim/rotate')
  await keys.getByText('Retiring', { exact: true }).waitFor()
  await records().getByText('5 of 5 records found').waitFor()
  assert.deepEqual(
    (await ask<DkimKeyBody[]>('GET', '/dkim')).map(({ selector, state }) => [selector, state]),
    [
      ['cf2024-1', 'retiring'],
      [next.selector, 'active'],
    ],
  )
})

test('a subdomain, and a policy of MTA-STS, are copied too', skip, async () => {
  const { page } = dashboard
  const sub = `help.${NAME}`
  const row = page.getByRole('row', { name: new RegExp(`^${sub.replaceAll('.', String.raw`\.`)}`) })
  await page.getByRole('textbox', { name: 'Subdomain' }).fill('help')
  await page.getByRole('button', { name: 'Add subdomain' }).click()
  await row.getByText('Waiting for DNS').waitFor()
  // Its records are shown without anybody choosing it.
  await records().getByText('0 of 5 records found').waitFor()
  for (const record of (await status(sub)).records) await copyRecord('DNS records', record)
  await row.getByText('Ready').waitFor()

  const sts = page.getByRole('region', { name: 'MTA-STS' })
  await sts.getByText('You publish the records; this service serves the policy.').waitFor()
  await sts.getByRole('radio', { name: /^Testing/ }).click()
  await sts.getByRole('button', { name: 'Save policy' }).click()
  await sts.getByText('Missing').first().waitFor()
  const policy = await ask<MtaStsBody>('GET', `/mta_sts?subdomain=${sub}`)
  assert.equal(policy.mode, 'testing')
  await dashboard.examine('routing-manual-sts')
  for (const record of policy.records) await copyRecord('Records that announce the policy', record)
  await sts.getByText('Missing').first().waitFor({ state: 'detached' })
  await records().getByText('7 of 7 records found').waitFor()

  await page.getByRole('button', { name: `Remove ${sub}` }).click()
  await page.getByRole('dialog').getByText('at your DNS provider afterwards').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove subdomain' }).click()
  await row.getByText('Not onboarded').waitFor()
})

test('Disable Email Routing leaves the records to their owner', skip, async () => {
  const { page } = dashboard
  await page.getByRole('button', { name: 'Disable Email Routing' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('at your DNS provider afterwards').waitFor()
  await dialog.getByRole('textbox').fill(NAME)
  await dialog.getByRole('button', { name: 'Disable Email Routing' }).click()
  await page.getByRole('heading', { level: 1, name: 'Email Routing' }).waitFor()
  assert.equal((await ask<RoutingSettingsBody>('GET', '')).enabled, false)
  assert.equal((await askNameServers(dashboard.instance).resolveMx(NAME)).length, 3)
})
