import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DkimKeyBody, DomainStatusBody } from '#contract/onboarding-records.ts'
import type { SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import type { SmarthostBody } from '#contract/smarthost.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'

/** Sending domains, as a person sets them up; each effect is asked of the API too. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }

async function api<R>(path: string): Promise<R | null> {
  const { dev } = dashboard.instance
  const headers = { authorization: `Bearer ${dev.api_token}` }
  const response = await fetch(`${dev.api}${path}`, { headers })
  // The test states the shape that the API documents.
  return ((await response.json()) as { readonly result: R | null }).result
}

async function zoneNamed(name: string): Promise<ZoneBody> {
  const [zone] = (await api<ZoneBody[]>(`/zones?name=${name}`)) ?? []
  assert.ok(zone, `there is no zone ${name}`)
  return zone
}

async function domainsOf(zone: string): Promise<SendingSubdomainBody[]> {
  return (
    (await api<SendingSubdomainBody[]>(`/zones/${(await zoneNamed(zone)).id}/email/sending/subdomains`)) ?? []
  )
}

async function openDomain(name: string, tab = ''): Promise<void> {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/domains'))
  await page.getByRole('main').getByRole('link', { name, exact: true }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
  if (tab !== '') await page.getByRole('tab', { name: tab }).click()
}

test('a domain that is hosted here: its records are shown before they are written', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/domains'))
  await page.getByRole('main').getByRole('link', { name: 'Onboard Domain' }).click()
  await page.getByRole('textbox', { name: 'Domain' }).fill('https://Hosted.example/')
  await page.getByRole('radio', { name: /Host the whole domain here/ }).waitFor()
  await dashboard.examine('sending-onboard-choose')
  await page.getByRole('button', { name: 'Review records' }).click()

  await page.getByRole('heading', { name: 'Records for hosted.example' }).waitFor()
  const records = page.getByRole('list', { name: 'Records to be added' })
  await records.waitFor()
  assert.equal(await records.getByRole('listitem').count(), 6)
  assert.equal(await records.getByText('To be added').count(), 6)
  await page.getByText('Nothing is written before.').waitFor()
  assert.deepEqual(await domainsOf('hosted.example'), [])
  await dashboard.examine('sending-onboard-review')

  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('heading', { level: 1, name: 'hosted.example' }).waitFor()
  await page.getByText('6 of 6 records found').waitFor()
  const shown = page.getByRole('list', { name: 'DNS records' })
  assert.equal(await shown.getByText('Found', { exact: true }).count(), 6)
  assert.equal(await shown.getByText('Locked', { exact: true }).count(), 5)
  assert.equal(await shown.getByText('Unlocked', { exact: true }).count(), 1)
  const [domain] = await domainsOf('hosted.example')
  assert.equal(domain?.enabled, true)
})

test(
  'a domain whose owner copies the records: the checker tells each that is missing, until they are there',
  skip,
  async () => {
    const { page } = dashboard
    await dashboard.open(dashboard.ofAccount('/sending/domains/onboard'))
    await page.getByRole('textbox', { name: 'Domain' }).fill('copied.example')
    await page.getByRole('radio', { name: /I copy the records myself/ }).click()
    await page.getByRole('button', { name: 'Review records' }).click()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByText('0 of 6 records found').waitFor()
    const records = page.getByRole('list', { name: 'DNS records' })
    assert.equal(await records.getByText('Missing', { exact: true }).count(), 6)

    await records.getByRole('button', { name: 'Copy the value of TXT _dmarc.copied.example' }).click()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'v=DMARC1; p=reject;')
    await records.getByRole('button', { name: 'Copy the name _dmarc' }).click()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), '_dmarc')
    await page.getByRole('button', { name: 'All of them as a zone file' }).click()
    await page.getByText('_dmarc.copied.example. 300 IN TXT "v=DMARC1; p=reject;"').waitFor()
    await dashboard.examine('sending-domain-waiting')

    // The records come to DNS elsewhere, and the page sees it by itself.
    const { dev } = dashboard.instance
    const { id } = await zoneNamed('copied.example')
    const changed = await fetch(`${dev.api}/zones/${id}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${dev.api_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'full' }),
    })
    assert.equal(changed.status, 200)
    await page.getByText('6 of 6 records found').waitFor()
  },
)

test('a subdomain is onboarded on its own, and the list has them all with their states', skip, async () => {
  const { page } = dashboard
  await openDomain('hosted.example')
  await page.getByLabel('Subdomain', { exact: true }).fill('mail')
  await page.getByRole('button', { name: 'Onboard subdomain' }).click()
  await page.getByRole('heading', { name: 'Records for mail.hosted.example' }).waitFor()
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByText('6 of 6 records found').waitFor()
  await page.getByRole('main').getByRole('link', { name: 'hosted.example', exact: true }).waitFor()

  await dashboard.open(dashboard.ofAccount('/sending/domains'))
  const row = page.getByRole('row', { name: /mail\.hosted\.example/ })
  await row.getByText('Verified').waitFor()
  await page
    .getByRole('row', { name: /yourdomain\.com/ })
    .getByText('Verified')
    .waitFor()
  await dashboard.examine('sending-domains')
  await page.getByRole('searchbox', { name: 'Search domains' }).fill('copied')
  await row.waitFor({ state: 'detached' })
  await page.getByRole('row', { name: /copied\.example/ }).waitFor()
  assert.match(page.url(), /name=copied/)
})

test('a record in the way is deleted where it is named', skip, async () => {
  const { page } = dashboard
  const { dev } = dashboard.instance
  const { id } = await zoneNamed('hosted.example')
  const records = `/zones/${id}/dns_records`
  const name = 'cf-bounce.shop.hosted.example'
  const added = await fetch(`${dev.api}${records}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${dev.api_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'MX', name, content: 'mx.elsewhere.example', priority: 10 }),
  })
  assert.equal(added.status, 200)
  await dashboard.open(dashboard.ofAccount('/sending/domains/onboard?domain=shop.hosted.example'))
  const done = page.getByRole('button', { name: 'Done' })
  const inTheWay = page.getByRole('list', { name: 'Records in the way' })
  await inTheWay.getByText('mx.elsewhere.example').waitFor()
  assert.equal(await done.isDisabled(), true)
  await dashboard.examine('sending-onboard-conflict')
  await inTheWay.getByRole('button', { name: `Delete record MX ${name}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete record' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByRole('list', { name: 'Records to be added' }).waitFor()
  await inTheWay.waitFor({ state: 'detached' })
  assert.equal(await done.isEnabled(), true)
  assert.deepEqual(await api(`${records}?name=${name}`), [])
})

test('records that were lost are repaired', skip, async () => {
  const { page } = dashboard
  await openDomain('hosted.example')
  const { id } = await zoneNamed('hosted.example')
  const [dmarc] = (await api<{ id: string }[]>(`/zones/${id}/dns_records?name=_dmarc.hosted.example`)) ?? []
  const { dev } = dashboard.instance
  const deleted = await fetch(`${dev.api}/zones/${id}/dns_records/${dmarc?.id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${dev.api_token}` },
  })
  assert.equal(deleted.status, 200)
  await page.getByRole('button', { name: 'Check now' }).click()
  await page.getByText('5 of 6 records found').waitFor()
  await page.getByText('Missing', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Repair' }).click()
  await page.getByText('6 of 6 records found').waitFor()
})

test('the DKIM key is rotated', skip, async () => {
  const { page } = dashboard
  await openDomain('hosted.example', 'DKIM keys')
  await page.getByRole('heading', { level: 3, name: 'cf-bounce' }).waitFor()
  await page.getByRole('button', { name: 'Rotate key' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate key' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page
    .getByText('Retiring', { exact: true })
    .or(page.getByText('Publishing', { exact: true }))
    .first()
    .waitFor()
  await dashboard.examine('sending-domain-dkim')
  const { id } = await zoneNamed('hosted.example')
  const [domain] = await domainsOf('hosted.example')
  const keys = await api<DkimKeyBody[]>(`/zones/${id}/email/sending/subdomains/${domain?.tag}/dkim`)
  assert.equal(keys?.length, 2)
})

test('a smarthost is set, tested and removed', skip, async () => {
  const { page } = dashboard
  const path = dashboard.ofAccount('').slice(1)
  const found = () => api<SmarthostBody>(`/accounts/${path}/email/sending/smarthost?domain=hosted.example`)
  await openDomain('hosted.example', 'Smarthost')
  const section = page.getByRole('region', { name: 'Smarthost of hosted.example' })
  await section.getByRole('button', { name: 'Set smarthost' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Host').fill('relay')
  await dialog.getByRole('button', { name: 'Save smarthost' }).click()
  await dialog.getByText('needs a top-level domain', { exact: false }).first().waitFor()
  await dialog.getByLabel('Host').fill('relay.invalid')
  await dialog.getByRole('combobox', { name: 'TLS' }).click()
  await page.getByRole('option', { name: 'None' }).click()
  await dialog.getByLabel('Port').fill('2526')
  await dialog.getByRole('button', { name: 'Save smarthost' }).click()
  await section.getByText('relay.invalid:2526').waitFor()
  assert.equal((await found())?.tls, 'none')
  await section.getByRole('button', { name: 'Test connection' }).click()
  await section.getByText('Does not work', { exact: true }).waitFor()
  await dashboard.examine('sending-domain-smarthost')
  await section.getByRole('button', { name: 'Remove smarthost' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove smarthost' }).click()
  await section.getByText('None is set.').waitFor()
  assert.equal(await found(), null)
})

test('settings are switched, and the domain removed by its name', skip, async () => {
  const { page } = dashboard
  await openDomain('hosted.example', 'Settings')
  await page.getByRole('switch', { name: 'Previews' }).click()
  await page.getByRole('switch', { name: 'Drop suppressed recipients' }).click()
  await page.getByRole('switch', { name: 'Drop suppressed recipients', checked: true }).waitFor()
  await page.getByRole('switch', { name: 'Previews', checked: false }).waitFor()
  await page.getByText('6 of 6 records found').waitFor()
  await dashboard.examine('sending-domain-settings')
  await page.reload()
  await page.getByRole('switch', { name: 'Previews', checked: false }).waitFor()
  const [domain] = await domainsOf('hosted.example')
  assert.deepEqual([domain?.preview_enabled, domain?.drop_suppressed_recipients], [false, true])

  await page.getByRole('button', { name: 'Remove Domain' }).click()
  const dialog = page.getByRole('dialog')
  const remove = dialog.getByRole('button', { name: 'Remove Domain' })
  assert.equal(await remove.isDisabled(), true)
  await dialog.getByLabel('Type hosted.example to confirm').fill('hosted.example')
  await remove.click()
  await page.getByRole('heading', { level: 1, name: 'Email Sending' }).waitFor()
  const left = (await domainsOf('hosted.example')).filter(({ enabled }) => enabled)
  assert.deepEqual(
    left.map(({ name }) => name),
    ['mail.hosted.example'],
  )
  const { id } = await zoneNamed('hosted.example')
  const status = await api<DomainStatusBody>(
    `/zones/${id}/email/sending/subdomains/${left[0]?.tag}/dns/status`,
  )
  assert.equal(status?.status, 'ready')
})

test('the figures of a domain are behind a tab', skip, async () => {
  const { page } = dashboard
  await openDomain('mail.hosted.example', 'Analytics')
  await page.getByRole('heading', { level: 1, name: 'Email Sending analytics' }).waitFor()
  await page.getByRole('combobox', { name: 'Domain' }).getByText('hosted.example').waitFor()
  await page.goBack()
  await page.getByRole('heading', { level: 1, name: 'mail.hosted.example' }).waitFor()
})

test('a domain that is not there is said not to be', skip, async () => {
  const { page } = dashboard
  const nowhere = '0'.repeat(32)
  const { id } = await zoneNamed('copied.example')
  for (const zone of [nowhere, id]) {
    await dashboard.open(dashboard.ofAccount(`/sending/domains/${zone}/${nowhere}`))
    await page.getByRole('heading', { level: 1, name: 'No such domain' }).waitFor()
    assert.equal(await page.getByRole('main').getByRole('tab').count(), 0)
  }
  await dashboard.examine('sending-domain-unknown')
  await page.getByRole('link', { name: 'All domains' }).click()
  await page.getByRole('heading', { level: 1, name: 'Email Sending' }).waitFor()
})
