import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { CatchAllResult, RuleResult } from '#contract/rules.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { deployWorker } from '#test/deploy-worker.ts'
import { api, toMx, verifiedAddress } from '#test/routing-instance.ts'

/** Email Routing: onboarding, rules and their order, catch-all, settings, subdomains, and the end of it. */
let dashboard: Dashboard
const skip = { skip: NO_BROWSER }
const ZONE = 'yourdomain.com'

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  const { instance } = dashboard
  await verifiedAddress(instance, 'team@dest.example')
  const modules = { 'index.js': 'export default { async email(message) { message.setReject("no") } }' }
  await deployWorker(instance, 'inbox-worker', { modules })
})
after(() => dashboard?.[Symbol.asyncDispose]())

const routing = (path = '') => `/zones/${dashboard.instance.dev.zone_id}/email/routing${path}`
const ask = <T>(method: string, path: string, body?: unknown) =>
  api<T>(dashboard.instance, method, path, body)
const rules = () => ask<readonly RuleResult[]>('GET', `${routing('/rules')}?per_page=1000`)
const patterns = async () => (await rules()).map(({ matchers: [matcher] }) => matcher?.value)
const settings = () => ask<RoutingSettingsBody>('GET', routing())

async function openTab(name: 'Routing Rules' | 'Catch-all' | 'Settings'): Promise<void> {
  await dashboard.open(dashboard.ofAccount(`/routing/domains/${dashboard.instance.dev.zone_id}`))
  await dashboard.page.getByRole('tab', { name }).click()
}

async function choose(label: string, option: string): Promise<void> {
  const { page } = dashboard
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option }).click()
}

const message = (subject: string) =>
  `From: someone@pass.posthorn.test\r\nTo: x@${ZONE}\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@pass.posthorn.test>\r\n\r\nHello\r\n`
const mail = (to: string, subject: string) => toMx(dashboard.instance, { to, content: message(subject) })

test('a domain is added, its conflict said, its records shown, and then it takes mail', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/routing/domains'))
  await page.getByRole('link', { name: 'Onboard Domain' }).click()
  await page.getByRole('textbox', { name: 'Domain' }).fill('https://Shop.example/')
  await dashboard.examine('routing-onboard-choose')
  await page.getByRole('button', { name: 'Review records' }).click()
  await page.getByRole('heading', { name: 'Records for shop.example' }).waitFor()
  const zone = new URL(page.url()).searchParams.get('zone') ?? ''
  const before = await ask<RoutingSettingsBody>('GET', `/zones/${zone}/email/routing`)
  assert.equal(before.enabled, false)

  const foreign = { type: 'MX', name: '@', content: 'mail.elsewhere.example', priority: 10 }
  const { id } = await ask<{ id: string }>('POST', `/zones/${zone}/dns_records`, foreign)
  await page.getByRole('button', { name: 'Check now' }).click()
  await page.getByText(/remove MX shop\.example mail\.elsewhere\.example/).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Done' }).isDisabled(), true)
  await dashboard.examine('routing-onboard')

  await ask('DELETE', `/zones/${zone}/dns_records/${id}`)
  await page.getByRole('button', { name: 'Check now' }).click()
  await page.getByText('mail.elsewhere.example').first().waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('heading', { level: 1, name: 'shop.example' }).waitFor()
  await page.getByText('No routing rule yet').waitFor()
  assert.equal((await ask<RoutingSettingsBody>('GET', `/zones/${zone}/email/routing`)).enabled, true)

  await dashboard.open(dashboard.ofAccount('/routing/domains'))
  await page
    .getByRole('row', { name: /shop\.example/ })
    .getByText('Ready')
    .waitFor()
  await dashboard.examine('routing-domains')
})

test('rules are created, and what is wrong is said while it is written', skip, async () => {
  const { page } = dashboard
  await openTab('Routing Rules')
  await page.getByRole('button', { name: 'Create routing rule' }).click()
  const dialog = page.getByRole('dialog')
  const pattern = dialog.getByRole('textbox', { name: 'Email pattern' })
  // Each lack once, at its field, however often one tries.
  for (const _ of ['once', 'again']) {
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('Say which address the rule is for.').waitFor()
    await dialog.getByText('Choose a destination address.').waitFor()
    await dialog.getByRole('button', { name: 'Save', disabled: false }).waitFor()
    assert.equal(await dialog.getByText('Say which address the rule is for.').count(), 1)
    assert.equal(await dialog.getByText('has to be mended').count(), 0)
  }
  await dashboard.examine('routing-rule-dialog-empty')
  await pattern.fill('sup port')
  await dialog.getByText('An address has no spaces.').waitFor()
  await pattern.fill('a..b')
  await dialog.getByText('A dot stands between two other characters.').waitFor()
  await pattern.fill('support')
  await dialog.getByText(`support@${ZONE}`).waitFor()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('Choose a destination address.').waitFor()
  await choose('Destination', 'team@dest.example')
  await dashboard.examine('routing-rule-dialog')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('listitem').filter({ hasText: 'support@' }).getByText('team@dest.example').waitFor()

  await page.getByRole('button', { name: 'Create routing rule' }).click()
  await pattern.fill('Support')
  await dialog.getByText('has a rule already').waitFor()
  await pattern.fill('robot')
  await choose('Action', 'Send to a Worker')
  await choose('Worker', 'inbox-worker')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page
    .getByRole('listitem')
    .filter({ hasText: 'robot@' })
    .getByRole('link', { name: 'inbox-worker' })
    .waitFor()

  await page.getByRole('button', { name: 'Create routing rule' }).click()
  await pattern.fill('trap')
  await choose('Action', 'Drop')
  await dialog.getByRole('textbox', { name: 'Name' }).fill('For lists')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('For lists').waitFor()
  assert.deepEqual(await patterns(), [`support@${ZONE}`, `robot@${ZONE}`, `trap@${ZONE}`])
  await dashboard.examine('routing-rules')

  assert.match(await mail(`support@${ZONE}`, 'forwarded'), /^250 /)
  await dashboard.instance.inbox('subject:forwarded')
  assert.match(await mail(`robot@${ZONE}`, 'rejected'), /^550 .*no/)
})

test('rules are put into another order with the keyboard, and by dragging them', skip, async () => {
  const { page } = dashboard
  await openTab('Routing Rules')
  const up = page.getByRole('button', { name: `Move the rule for trap@${ZONE} up` })
  await up.focus()
  await page.keyboard.press('Enter')
  await page.getByText(`trap@${ZONE} stands at place 2 of 3.`).waitFor()
  await page.locator('button:focus[aria-label^="Move the rule for trap"]').waitFor()
  await settled([`support@${ZONE}`, `trap@${ZONE}`, `robot@${ZONE}`])

  await page
    .locator(`[data-drag="robot@${ZONE}"]`)
    .dragTo(page.getByRole('listitem').filter({ hasText: `support@${ZONE}` }))
  await settled([`robot@${ZONE}`, `support@${ZONE}`, `trap@${ZONE}`])
})

/** The page shows this order, and the API has it. */
async function settled(order: readonly string[]): Promise<void> {
  const { page } = dashboard
  const rows = page.getByRole('list', { name: 'Routing Rules' }).getByRole('listitem')
  for (const [index, pattern] of order.entries()) await rows.nth(index).filter({ hasText: pattern }).waitFor()
  const end = Date.now() + 10_000
  while (JSON.stringify(await patterns()) !== JSON.stringify(order)) {
    assert.ok(Date.now() < end, `${JSON.stringify(await patterns())} in place of ${JSON.stringify(order)}`)
  }
}

test('a rule is switched off and on, changed, tried and deleted', skip, async () => {
  const { page } = dashboard
  await openTab('Routing Rules')
  const toggle = page.getByRole('switch', { name: `Rule for trap@${ZONE}` })
  await toggle.click()
  await page.getByRole('listitem').filter({ hasText: 'trap@' }).getByText('Disabled').waitFor()
  const address = page.getByRole('textbox', { name: 'Address' })
  await address.fill(`trap@${ZONE}`)
  await page.getByText('Refused').waitFor()
  await toggle.click()
  await page.getByRole('listitem').filter({ hasText: 'trap@' }).getByText('Active').waitFor()
  await page.getByText(`The rule for trap@${ZONE}`).waitFor()

  await page.getByRole('button', { name: `Edit the rule for trap@${ZONE}` }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Email pattern' }).fill('honey')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('listitem').filter({ hasText: 'honey@' }).waitFor()

  await page.getByRole('button', { name: `Delete the rule for honey@${ZONE}` }).click()
  await page.getByRole('button', { name: 'Delete', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  assert.deepEqual(await patterns(), [`robot@${ZONE}`, `support@${ZONE}`])
})

test('the catch-all takes what no rule is for', skip, async () => {
  const { page } = dashboard
  await openTab('Routing Rules')
  await page.getByRole('link', { name: 'Enable Catch-all rule' }).click()
  await page.getByRole('tab', { name: 'Catch-all', selected: true }).waitFor()
  await page.getByRole('switch', { name: 'Catch-all rule' }).click()
  await choose('Action', 'Send to an email')
  await choose('Destination', 'team@dest.example')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText(`Catch-all rule of ${ZONE} saved`).first().waitFor()
  await dashboard.examine('routing-catch-all')
  const saved = await ask<CatchAllResult>('GET', routing('/rules/catch_all'))
  assert.deepEqual(
    [saved.enabled, saved.actions],
    [true, [{ type: 'forward', value: ['team@dest.example'] }]],
  )
  assert.match(await mail(`anybody@${ZONE}`, 'caught'), /^250 /)
  await dashboard.instance.inbox('subject:caught')
  await page.getByRole('tab', { name: 'Routing Rules' }).click()
  await page.getByRole('textbox', { name: 'Address' }).fill(`anybody@${ZONE}`)
  await page.getByText('No rule is for it, so the catch-all decides').waitFor()
  await page.getByRole('link', { name: 'Edit Catch-all rule' }).waitFor()
})

test('what is not there is said, with the way to what is', skip, async () => {
  const { page } = dashboard
  for (const path of [
    `/routing/domains/${'0'.repeat(32)}`,
    `/routing/domains/onboard?zone=${'0'.repeat(32)}`,
  ]) {
    await dashboard.open(dashboard.ofAccount(path))
    await page.getByRole('heading', { level: 1, name: 'No such domain' }).waitFor()
    assert.equal(await page.title(), 'No such domain · Posthorn')
    await page.getByRole('link', { name: 'All domains' }).waitFor()
  }
  await dashboard.examine('routing-no-such-domain')
})

test('subaddressing, subdomains, Unlock and Lock, and the MTA-STS policy', skip, async () => {
  const { page } = dashboard
  await openTab('Settings')
  const before = (await settings()).support_subaddress
  const subaddressing = page.getByRole('switch', { name: 'Subaddressing' })
  await subaddressing.click()
  await page.getByRole('switch', { name: 'Subaddressing', checked: !before }).waitFor()

  const records = page.getByRole('region', { name: 'DNS records' })
  await records.getByText('Locked', { exact: true }).first().waitFor()
  await records.getByRole('button', { name: 'Unlock' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Unlock' }).click()
  await records.getByText('Unlocked', { exact: true }).first().waitFor()
  assert.equal((await settings()).status, 'unlocked')
  assert.equal((await settings()).support_subaddress, !before)
  await records.getByRole('button', { name: 'Lock', exact: true }).click()
  await records.getByText('Locked', { exact: true }).first().waitFor()
  assert.equal((await settings()).status, 'ready')

  const sts = page.getByRole('region', { name: 'MTA-STS' })
  await sts.getByRole('radio', { name: /^Testing/ }).click()
  await sts.getByRole('button', { name: 'Save policy' }).click()
  await sts.getByText('mode: testing').waitFor()
  assert.equal((await ask<{ mode: string }>('GET', routing('/mta_sts'))).mode, 'testing')

  await page.getByRole('textbox', { name: 'Subdomain' }).fill('help')
  await page.getByRole('button', { name: 'Add subdomain' }).click()
  await page
    .getByRole('row', { name: /help\.yourdomain\.com/ })
    .getByText('Ready')
    .waitFor()
  await dashboard.examine('routing-settings')
  await choose('Records and policy of', `help.${ZONE}`)
  await records.getByText(/_domainkey\.help/).waitFor()

  await page.getByRole('tab', { name: 'Routing Rules' }).click()
  await page.getByRole('button', { name: 'Create routing rule' }).click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Email pattern' }).fill('desk')
  await choose('Domain', `@help.${ZONE}`)
  await choose('Action', 'Drop')
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByRole('listitem').filter({ hasText: 'desk@help' }).waitFor()

  await page.getByRole('tab', { name: 'Settings' }).click()
  await page.getByRole('button', { name: `Remove help.${ZONE}` }).click()
  await page.getByRole('button', { name: 'Remove subdomain' }).click()
  await page
    .getByRole('row', { name: /help\.yourdomain\.com/ })
    .getByText('Not onboarded')
    .waitFor()
  const left = await ask<readonly RoutingSettingsBody[]>('GET', routing('/subdomains'))
  assert.deepEqual(
    left.map(({ name, enabled }) => [name, enabled]),
    [
      [ZONE, true],
      [`help.${ZONE}`, false],
    ],
  )
})

test('Disable Email Routing, once its name was typed', skip, async () => {
  const { page } = dashboard
  await openTab('Settings')
  await page.getByRole('button', { name: 'Disable Email Routing' }).click()
  const dialog = page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: 'Disable Email Routing' })
  assert.equal(await confirm.isDisabled(), true)
  await dialog.getByRole('textbox').fill(ZONE)
  await confirm.click()
  await page.getByRole('heading', { level: 1, name: 'Email Routing' }).waitFor()
  await page
    .getByRole('row', { name: /yourdomain\.com/ })
    .getByText('Not onboarded')
    .waitFor()
  assert.equal((await settings()).enabled, false)
})
