import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { MtaStsBody } from '#contract/mta-sts.ts'
import type { DkimKeyBody } from '#contract/onboarding-records.ts'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { RuleResult } from '#contract/rules.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { askNameServers } from '#test/customer-dns.ts'
import { api, forwardRule, SENDER, toMx } from '#test/routing-instance.ts'

/** The routing records of a domain that is hosted here: what stands in their way, lock and repair, keys, the policy, and
 *  the end of them; each as DNS has it on the wire. */
const ZONE = 'yourdomain.com'
const FOREIGN = 'mail.elsewhere.example'
const OURS = ['route1.mx.posthorn.test', 'route2.mx.posthorn.test', 'route3.mx.posthorn.test']
const skip = { skip: NO_BROWSER }
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  await forwardRule(dashboard.instance, `support@${ZONE}`, 'team@dest.example')
})
after(() => dashboard?.[Symbol.asyncDispose]())

const ask = <T>(method: string, path: string, body?: unknown) =>
  api<T>(dashboard.instance, method, path, body)
const zonePath = () => `/zones/${dashboard.instance.dev.zone_id}`
const settings = () => ask<RoutingSettingsBody>('GET', `${zonePath()}/email/routing`)
const putMx = (zoneId: string, name = '@') =>
  ask('POST', `/zones/${zoneId}/dns_records`, { type: 'MX', name, content: FOREIGN, priority: 5 })
const exchanges = async (name: string) => {
  const found = await askNameServers(dashboard.instance)
    .resolveMx(name)
    .catch(() => [])
  return found.map(({ exchange }) => exchange).toSorted()
}
const texts = async (name: string) => {
  const found = await askNameServers(dashboard.instance).resolveTxt(name)
  return found.map((parts) => parts.join(''))
}
/** What is said for a moment is a dialog too. */
const confirmation = (action: string) => {
  const { page } = dashboard
  return page.getByRole('dialog').filter({ has: page.getByRole('button', { name: action, exact: true }) })
}
const records = () => dashboard.page.getByRole('region', { name: 'DNS records' })
const button = (name: string) => records().getByRole('button', { name, exact: true })
const headState = (state: string) =>
  dashboard.page.getByRole('main').getByText(state, { exact: true }).first().waitFor()

async function openSettings(): Promise<void> {
  const { zone_id } = dashboard.instance.dev
  await dashboard.open(dashboard.ofAccount(`/routing/domains/${zone_id}?tab=settings`))
  await records().getByText('records found').waitFor()
}

/** What stands in the way goes by its button, once that was confirmed. */
async function deleteForeign(name: string): Promise<void> {
  const { page } = dashboard
  await page.getByRole('button', { name: `Delete record MX ${name} ${FOREIGN}` }).click()
  const dialog = confirmation('Delete record')
  await dialog.getByText('no mail goes there any more').waitFor()
  await dialog.getByRole('button', { name: 'Delete record' }).click()
  await page.getByText('This cannot be undone.').waitFor({ state: 'detached' })
  await page.getByText(FOREIGN).first().waitFor({ state: 'detached' })
  assert.equal((await exchanges(name)).includes(FOREIGN), false)
}

test('a domain with another MX and an SPF record of its own is onboarded', skip, async () => {
  const { page } = dashboard
  const { id } = await ask<ZoneBody>('POST', '/zones', { name: 'moved.example' })
  await putMx(id)
  const own = { type: 'TXT', name: '@', content: 'v=spf1 include:_spf.elsewhere.invalid -all' }
  await ask('POST', `/zones/${id}/dns_records`, own)
  await dashboard.open(dashboard.ofAccount(`/routing/domains/onboard?zone=${id}`))
  const done = page.getByRole('button', { name: 'Done' })
  await page.getByText('What is named above has to be mended first.').waitFor()
  assert.equal(await done.isDisabled(), true)
  const planned = page.getByRole('list', { name: 'Records to be added' })
  await planned.getByText('To be changed').waitFor()
  await dashboard.examine('routing-foreign-onboard')
  await deleteForeign('moved.example')
  await done.click()
  await page.getByRole('heading', { level: 1, name: 'moved.example' }).waitFor()
  await headState('Ready')
  assert.deepEqual(await exchanges('moved.example'), OURS)
  const merged = 'v=spf1 include:_spf.mx.posthorn.test include:_spf.elsewhere.invalid -all'
  assert.deepEqual(await texts('moved.example'), [merged])
  // Its owner's record is theirs, and no reason to lock what is locked.
  await page.getByRole('tab', { name: 'Settings' }).click()
  await records().getByText('5 of 5 records found').waitFor()
  assert.equal(await button('Lock').count(), 0)
})

test('unlocked, another MX beside ours, and locked again', skip, async () => {
  const { page } = dashboard
  await openSettings()
  const sts = page.getByRole('region', { name: 'MTA-STS' })
  await sts.getByRole('radio', { name: /^Enforce/ }).click()
  await sts.getByText('Use Testing for some weeks first').waitFor()
  await sts.getByRole('button', { name: 'Save policy' }).click()
  await sts.getByText('mode: enforce').waitFor()
  await records().getByText('7 of 7 records found').waitFor()

  await button('Unlock').click()
  await confirmation('Unlock').getByRole('button', { name: 'Unlock' }).click()
  await headState('Ready, unlocked')
  // The policy's records stay locked, and nothing is left to unlock.
  assert.equal(await button('Unlock').count(), 0)
  assert.equal(await records().getByText('Locked', { exact: true }).count(), 2)
  assert.equal((await settings()).status, 'unlocked')

  await putMx(dashboard.instance.dev.zone_id)
  await button('Check now').click()
  await records().getByText(`remove MX ${ZONE} ${FOREIGN}`).waitFor()
  await headState('Ready, unlocked')
  await button('Lock').click()
  await records().getByText(`Remove or change these records first: MX ${ZONE} ${FOREIGN}`).waitFor()
  await dashboard.examine('routing-foreign-unlocked')
  await deleteForeign(ZONE)
  await button('Lock').click()
  await headState('Ready')
  await button('Unlock').waitFor()
  assert.equal((await settings()).status, 'ready')
  assert.deepEqual(await exchanges(ZONE), OURS)
})

test('records that were deleted by hand are repaired', skip, async () => {
  await button('Unlock').click()
  await confirmation('Unlock').getByRole('button', { name: 'Unlock' }).click()
  await headState('Ready, unlocked')
  const all = await ask<{ id: string; content: string }[]>(
    'GET',
    `${zonePath()}/dns_records?type=MX&name=${ZONE}`,
  )
  for (const { id } of all) await ask('DELETE', `${zonePath()}/dns_records/${id}`)
  assert.deepEqual(await exchanges(ZONE), [])
  await button('Check now').click()
  await headState('Misconfigured')
  await records().getByText('4 of 7 records found').waitFor()
  await button('Repair').click()
  await headState('Ready')
  await records().getByText('7 of 7 records found').waitFor()
  assert.deepEqual(await exchanges(ZONE), OURS)
  assert.equal((await settings()).status, 'ready')
})

test('a new key signs what is forwarded', skip, async () => {
  const { page, instance } = dashboard
  const keys = page.getByRole('region', { name: 'DKIM keys' })
  await keys.getByRole('button', { name: 'Rotate key' }).click()
  await confirmation('Rotate key').getByText('The new key is published at once').waitFor()
  await confirmation('Rotate key').getByRole('button', { name: 'Rotate key' }).click()
  await keys.getByText('Retiring', { exact: true }).waitFor()
  await keys.getByRole('heading', { level: 3, name: 'cf2024-2' }).waitFor()
  await dashboard.examine('routing-key')
  const list = await ask<DkimKeyBody[]>('GET', `${zonePath()}/email/routing/dkim`)
  assert.deepEqual(
    list.map(({ selector, state }) => [selector, state]),
    [
      ['cf2024-1', 'retiring'],
      ['cf2024-2', 'active'],
    ],
  )
  for (const { record } of list) assert.deepEqual(await texts(record.name), [record.content])
  const content = `From: ${SENDER}\nTo: support@${ZONE}\nSubject: signed anew\nMessage-ID: <k@pass.posthorn.test>\n\nHello\n`
  assert.match(await toMx(instance, { to: `support@${ZONE}`, content }), /^250 /)
  const [mail] = await instance.inbox('subject:"signed anew"')
  assert.ok(mail)
  assert.match(await instance.raw(mail.ID), new RegExp(`DKIM-Signature:[^:]*d=${ZONE};\\s+s=cf2024-2;`))
})

test('a policy that is switched off says none for as long as anybody holds the old one', skip, async () => {
  const { page } = dashboard
  const sts = page.getByRole('region', { name: 'MTA-STS' })
  await sts.getByRole('radio', { name: /^Off/ }).click()
  const save = sts.getByRole('button', { name: 'Save policy' })
  await save.click()
  await sts.getByText('Switched off; it says none until').waitFor()
  const { mode, ends, policy_id: id } = await ask<MtaStsBody>('GET', `${zonePath()}/email/routing/mta_sts`)
  assert.deepEqual([mode, ends !== null], ['none', true])
  assert.deepEqual(await texts(`_mta-sts.${ZONE}`), [`v=STSv1; id=${id};`])
  // As it was saved, also for whoever comes later.
  await page.reload()
  await sts.getByText('Switched off; it says none until').waitFor()
  assert.equal(await sts.getByRole('radio', { name: /^Off/ }).isChecked(), true)
  assert.equal(await save.isDisabled(), true)
  await dashboard.examine('routing-sts-off')
})

test('a subdomain that has another MX is added once that is gone', skip, async () => {
  const { page } = dashboard
  const sub = `help.${ZONE}`
  await putMx(dashboard.instance.dev.zone_id, 'help')
  await page.getByRole('textbox', { name: 'Subdomain' }).fill('help')
  const add = page.getByRole('button', { name: 'Add subdomain' })
  await add.click()
  await page.getByText(`Remove or change these records first: MX ${sub} ${FOREIGN}`).waitFor()
  await page.getByRole('button', { name: `Delete record MX ${sub} ${FOREIGN}` }).waitFor()
  await dashboard.examine('routing-foreign-subdomain')
  await page.getByRole('button', { name: `Delete record MX ${sub} ${FOREIGN}` }).click()
  await confirmation('Delete record').getByRole('button', { name: 'Delete record' }).click()
  await page.getByText('This cannot be undone.').waitFor({ state: 'detached' })
  await add.click()
  await page
    .getByRole('row', { name: /^help\.yourdomain\.com/ })
    .getByText('Ready')
    .waitFor()
  await page.getByText(FOREIGN).first().waitFor({ state: 'detached' })
  assert.deepEqual(await exchanges(sub), OURS)
})

test(
  'Disable Email Routing takes the records out of DNS, and what comes back has its rules',
  skip,
  async () => {
    const { page, instance } = dashboard
    const { zone_id: zoneId } = instance.dev
    await ask('POST', `${zonePath()}/dns_records`, { type: 'TXT', name: '@', content: 'site-verification=1' })
    await page.getByRole('button', { name: 'Disable Email Routing' }).click()
    const dialog = confirmation('Disable Email Routing')
    await dialog.getByText('are removed from DNS').waitFor()
    await dialog.getByRole('textbox').fill(ZONE)
    await dialog.getByRole('button', { name: 'Disable Email Routing' }).click()
    const row = page.getByRole('row', { name: /yourdomain\.com/ })
    await row.getByText('Not onboarded').waitFor()
    assert.deepEqual(await exchanges(ZONE), [])
    assert.deepEqual(await texts(ZONE), ['site-verification=1'])
    assert.deepEqual(await exchanges(`help.${ZONE}`), OURS)
    const content = `From: ${SENDER}\nTo: support@${ZONE}\nSubject: for nobody\nMessage-ID: <l@pass.posthorn.test>\n\nHello\n`
    assert.match(await toMx(instance, { to: `support@${ZONE}`, content }), /^250 .* Kept in the inbox/)

    // Its subdomain goes on without it.
    await row.getByRole('link', { name: ZONE, exact: true }).click()
    await page.getByText(`${ZONE} itself takes no mail.`).waitFor()
    await page.getByRole('link', { name: 'Onboard it' }).click()
    await page.getByRole('heading', { name: `Records for ${ZONE}` }).waitFor()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('listitem').filter({ hasText: 'support@' }).getByText('team@dest.example').waitFor()
    assert.deepEqual(await exchanges(ZONE), OURS)
    const rules = await ask<readonly RuleResult[]>('GET', `/zones/${zoneId}/email/routing/rules`)
    assert.deepEqual(
      rules.map(({ enabled }) => enabled),
      [true],
    )
  },
)

test('of a domain that stays elsewhere, what cannot be delegated is to be copied', skip, async () => {
  const { page } = dashboard
  const wish = { name: 'names.example', type: 'partial', dns: 'hosted' }
  const { id } = await ask<ZoneBody>('POST', '/zones', wish)
  await dashboard.open(dashboard.ofAccount(`/routing/domains/onboard?zone=${id}`))
  await page.getByText('the ones at names.example itself you copy to its DNS provider').waitFor()
  await page.getByRole('button', { name: 'Done' }).click()
  await headState('Waiting for DNS')
  await records().getByText('1 of 5 records found').waitFor()
  await records().getByText('What stands at names.example itself cannot be delegated').waitFor()
  // The key is written here, and is there.
  assert.equal(await page.getByRole('list', { name: 'Delegation' }).count(), 0)
  assert.equal(await records().getByText('Locked', { exact: true }).count(), 1)
  for (const name of ['Lock', 'Repair']) assert.equal(await button(name).count(), 0)
  await dashboard.examine('routing-names')
  const { status } = await ask<RoutingSettingsBody>('GET', `/zones/${id}/email/routing`)
  assert.equal(status, 'misconfigured/locked')
  assert.equal((await texts('cf2024-1._domainkey.names.example')).length, 1)
})
