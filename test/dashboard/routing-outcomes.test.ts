import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ActivityBody } from '#contract/activity.ts'
import type { AddressResult } from '#contract/addresses.ts'
import type { CatchAllResult, RuleResult } from '#contract/rules.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { deployWorker } from '#test/deploy-worker.ts'
import { until } from '#test/queue-world.ts'
import { api, rule, SENDER, toMx, verifiedAddress } from '#test/routing-instance.ts'

/** What becomes of mail once somebody set it on the pages: a Worker's outcome, every action of the catch-all, the order
 *  of rules, and destinations that are not there yet or no more. */
const ZONE = 'yourdomain.com'
const skip = { skip: NO_BROWSER }
let dashboard: Dashboard

/** A Worker that does with a message what its subject says. */
const SOURCE = `export default {
  async email(message) {
    const subject = message.headers.get('subject')
    if (subject === 'throw') throw new TypeError('thrown on purpose')
    if (subject === 'reject') return message.setReject('not today')
    await message.forward('team@dest.example')
  },
}`

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  const { instance } = dashboard
  await verifiedAddress(instance, 'team@dest.example')
  await deployWorker(instance, 'inbox-worker', { modules: { 'index.js': SOURCE } })
  await deployWorker(instance, 'site', {
    modules: { 'index.js': 'export default { fetch() { return new Response() } }' },
  })
})
after(() => dashboard?.[Symbol.asyncDispose]())

const ask = <T>(method: string, path: string, body?: unknown) =>
  api<T>(dashboard.instance, method, path, body)
const ofAccount = (path: string) => `/accounts/${dashboard.instance.dev.account_id}${path}`
const rulesPath = () => `/zones/${dashboard.instance.dev.zone_id}/email/routing/rules`
const row = (address: string) => dashboard.page.getByRole('listitem').filter({ hasText: address })

async function openTab(tab: 'rules' | 'catch-all'): Promise<void> {
  const { zone_id } = dashboard.instance.dev
  await dashboard.open(dashboard.ofAccount(`/routing/domains/${zone_id}?tab=${tab}`))
}

async function choose(label: string, option: string): Promise<void> {
  const { page } = dashboard
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option }).click()
}

function mail(to: string, subject: string): Promise<string> {
  const content = `From: ${SENDER}\nTo: ${to}\nSubject: ${subject}\nMessage-ID: <${subject}@pass.posthorn.test>\n\nHello\n`
  return toMx(dashboard.instance, { to, content })
}

/** What the log has of a message, once it has it. */
const logged = (subject: string) =>
  until(
    async () => (await ask<ActivityBody[]>('GET', `${ofAccount('/email/activity')}?subject=${subject}`))[0],
  )

test('a rule to a Worker, and in the log what the Worker made of each message', skip, async () => {
  const { page } = dashboard
  await openTab('rules')
  await page.getByRole('button', { name: 'Create routing rule' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Email pattern' }).fill('robot')
  await choose('Action', 'Send to a Worker')
  await choose('Worker', 'site')
  await dialog.getByText('This Worker has no email() handler').waitFor()
  await choose('Worker', 'inbox-worker')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await row(`robot@${ZONE}`).getByRole('link', { name: 'inbox-worker' }).waitFor()

  assert.match(await mail(`robot@${ZONE}`, 'pass'), /^250 /)
  assert.match(await mail(`robot@${ZONE}`, 'reject'), /^550 .*not today/)
  assert.match(await mail(`robot@${ZONE}`, 'throw'), /^451 /)
  await dashboard.instance.inbox('subject:pass')
  for (const subject of ['pass', 'reject', 'throw']) await logged(subject)

  await dashboard.open(dashboard.ofAccount('/routing/activity'))
  const log = page.getByRole('table', { name: 'Activity' })
  await log.getByRole('row', { name: /Handled.*pass/ }).waitFor()
  await log.getByRole('row', { name: /Rejected.*reject/ }).waitFor()
  await log.getByRole('row', { name: /(?:Failed|Error).*throw/i }).waitFor()
  await dashboard.examine('routing-worker-activity')
  await log
    .getByRole('row', { name: /Handled.*pass/ })
    .getByRole('link', { name: 'pass' })
    .click()
  await page.getByText('The Worker inbox-worker:').waitFor()
  await page.getByRole('link', { name: 'team@dest.example' }).first().waitFor()
  await dashboard.open(dashboard.ofAccount('/routing/activity'))
  await log.getByRole('row', { name: /throw/ }).getByRole('link', { name: 'throw' }).click()
  await page.getByText('TypeError: thrown on purpose').first().waitFor()
  await dashboard.examine('routing-worker-message')
})

test('a rule whose Worker is gone says so', skip, async () => {
  const { page } = dashboard
  await rule(dashboard.instance, `old@${ZONE}`, { type: 'worker', value: ['site'] })
  await ask('DELETE', ofAccount('/workers/scripts/site?force=true'))
  await openTab('rules')
  await row(`old@${ZONE}`).getByText('Deleted').waitFor()
  await page.getByRole('button', { name: `Edit the rule for old@${ZONE}` }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('combobox', { name: 'Worker' }).getByText('site (gone)').waitFor()
  await dashboard.examine('routing-rule-gone')
  await choose('Worker', 'inbox-worker')
  await dialog.getByText('saved, it is active again').waitFor()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await row(`old@${ZONE}`).getByText('Active').waitFor()
  assert.match(await mail(`old@${ZONE}`, 'reject'), /^550 .*not today/)
})

test(
  'of two rules for an address the first decides, and the keyboard changes which one that is',
  skip,
  async () => {
    const { page } = dashboard
    const all = await ask<readonly RuleResult[]>('GET', rulesPath())
    for (const { id } of all) await ask('DELETE', `${rulesPath()}/${id}`)
    await rule(dashboard.instance, `twin@${ZONE}`, { type: 'drop' })
    await rule(dashboard.instance, `twin@${ZONE}`, { type: 'forward', value: ['team@dest.example'] })
    await rule(dashboard.instance, `last@${ZONE}`, { type: 'drop' })
    await openTab('rules')
    const rows = page.getByRole('list', { name: 'Routing Rules' }).getByRole('listitem')
    const order = async (expected: readonly string[]) => {
      for (const [index, text] of expected.entries())
        await rows.nth(index).filter({ hasText: text }).waitFor()
    }
    await order(['Drop', 'team@dest.example', 'last@'])
    assert.match(await mail(`twin@${ZONE}`, 'first'), /^250 /)
    assert.equal((await logged('first')).status, 'dropped')

    await rows
      .nth(0)
      .getByRole('button', { name: /^Move .* down$/ })
      .focus()
    await page.keyboard.press('Enter')
    await page.getByText(`twin@${ZONE} stands at place 2 of 3.`).waitFor()
    await order(['team@dest.example', 'Drop', 'last@'])
    // The button stays in hand, as far as there is somewhere to go; then the other one is.
    await page.locator('button:focus[aria-label$=" down"]').waitFor()
    await page.keyboard.press('Space')
    await page.getByText(`twin@${ZONE} stands at place 3 of 3.`).waitFor()
    await order(['team@dest.example', 'last@', 'Drop'])
    await page.locator('button:focus[aria-label$=" up"]').waitFor()
    await until(async () => {
      const now = await ask<readonly RuleResult[]>('GET', rulesPath())
      return now.map(({ actions: [action] }) => action?.type).join() === 'forward,drop,drop' || undefined
    })
    assert.match(await mail(`twin@${ZONE}`, 'second'), /^250 /)
    await dashboard.instance.inbox('subject:second')
  },
)

test('the catch-all: to a Worker, dropped, disabled, and to who has not agreed yet', skip, async () => {
  const { page } = dashboard
  const saved = async () => {
    const answered = page.waitForResponse((response) => response.request().method() === 'PUT')
    await page.getByRole('button', { name: 'Save' }).click()
    assert.equal((await answered).status(), 200)
    return ask<CatchAllResult>('GET', `${rulesPath()}/catch_all`)
  }
  await openTab('catch-all')
  const enabled = page.getByRole('switch', { name: 'Catch-all rule' })
  await enabled.click()
  await choose('Action', 'Send to a Worker')
  assert.equal(await page.getByRole('button', { name: 'Save' }).isDisabled(), true)
  await choose('Worker', 'inbox-worker')
  assert.deepEqual((await saved()).actions, [{ type: 'worker', value: ['inbox-worker'] }])
  assert.match(await mail(`anybody@${ZONE}`, 'reject'), /^550 .*not today/)

  await choose('Action', 'Drop')
  await page.getByText('to its sender the address looks valid').waitFor()
  assert.deepEqual((await saved()).actions, [{ type: 'drop' }])
  assert.match(await mail(`anybody@${ZONE}`, 'dropped'), /^250 /)
  assert.equal((await logged('dropped')).status, 'dropped')

  const { id } = await ask<AddressResult>('POST', ofAccount('/email/routing/addresses'), {
    email: 'new@dest.example',
  })
  await openTab('catch-all')
  await choose('Action', 'Send to an email')
  await choose('Destination', 'new@dest.example (Pending)')
  await page.getByText('The rule stays disabled until the owner of the address has verified it.').waitFor()
  assert.equal((await saved()).enabled, false)
  await page.getByText('Waiting for verification').waitFor()
  await dashboard.examine('routing-catch-all-waiting')
  assert.match(await mail(`anybody@${ZONE}`, 'too-soon'), /^550 /)
  await ask('PATCH', ofAccount(`/email/routing/addresses/${id}`), { status: 'verified' })
  // Without anybody loading the page anew.
  await page.getByText('Waiting for verification').waitFor({ state: 'detached' })
  assert.equal((await ask<CatchAllResult>('GET', `${rulesPath()}/catch_all`)).enabled, true)
  assert.match(await mail(`anybody@${ZONE}`, 'agreed'), /^250 /)
  await dashboard.instance.inbox('subject:agreed')

  await enabled.click()
  assert.equal((await saved()).enabled, false)
  assert.match(await mail(`anybody@${ZONE}`, 'off'), /^550 /)
})

test(
  'a destination is said to be verified already, and takes rule and catch-all with it when it goes',
  skip,
  async () => {
    const { page } = dashboard
    await ask('PUT', `${rulesPath()}/catch_all`, {
      matchers: [{ type: 'all' }],
      actions: [{ type: 'forward', value: ['team@dest.example'] }],
      enabled: true,
    })
    await dashboard.open(dashboard.ofAccount('/routing/addresses'))
    const address = page.getByRole('row', { name: /team@dest\.example/ })
    await address.getByText('Verified').waitFor()
    assert.equal(await address.getByRole('button', { name: /^Resend/ }).count(), 0)
    await page.getByRole('textbox', { name: 'Email address' }).fill('team@dest.example')
    await page.getByRole('button', { name: 'Add address' }).click()
    await page.getByText('team@dest.example is verified already').first().waitFor()
    await page.getByRole('button', { name: 'Delete team@dest.example' }).click()
    const answered = page.waitForResponse((response) => response.request().method() === 'DELETE')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete address' }).click()
    assert.equal((await answered).status(), 200)
    await page.getByRole('row', { name: /new@dest\.example/ }).waitFor()
    assert.equal(await address.count(), 0)
    assert.equal((await ask<CatchAllResult>('GET', `${rulesPath()}/catch_all`)).enabled, false)

    await openTab('rules')
    await row('team@dest.example').getByText('Disabled').waitFor()
    await row('team@dest.example').getByRole('switch').click()
    await page.getByText('That was not done').first().waitFor()
    assert.equal((await ask<readonly RuleResult[]>('GET', rulesPath()))[0]?.enabled, false)
  },
)
