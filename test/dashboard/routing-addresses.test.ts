import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AddressResult } from '#contract/addresses.ts'
import type { RuleResult } from '#contract/rules.ts'
import { NO_BROWSER, openDashboard } from '#test/browser.ts'
import { api, rule } from '#test/routing-instance.ts'

/** Destination addresses: one is added, mailed twice, verified by its owner in another window, used and deleted. */
test('a destination address from its first mail to its end', { skip: NO_BROWSER }, async () => {
  await using dashboard = await openDashboard()
  const { page, instance } = dashboard
  const { account_id, zone_id } = instance.dev
  const list = () =>
    api<readonly AddressResult[]>(instance, 'GET', `/accounts/${account_id}/email/routing/addresses`)
  await dashboard.open(dashboard.ofAccount('/routing/addresses'))
  await page.getByText('No destination address yet').waitFor()
  await dashboard.examine('routing-addresses-empty')

  const field = page.getByRole('textbox', { name: 'Email address' })
  await field.fill('no address')
  await page.getByRole('button', { name: 'Add address' }).click()
  await page.getByText("The address has no '@'").waitFor()
  await field.fill('owner@dest.example')
  await page.getByRole('button', { name: 'Add address' }).click()
  const row = page.getByRole('row', { name: /owner@dest\.example/ })
  await row.getByText('Pending').waitFor()
  await page.getByText('Verification mail sent').first().waitFor()
  await instance.inbox('to:owner@dest.example')

  await row.getByRole('button', { name: 'Resend the verification mail to owner@dest.example' }).click()
  const [mail] = await instance.inbox('to:owner@dest.example', 2)
  assert.ok(mail)
  // A rule may lead there before, and waits.
  await rule(instance, 'hello@yourdomain.com', { type: 'forward', value: ['owner@dest.example'] })
  await dashboard.open(dashboard.ofAccount(`/routing/domains/${zone_id}`))
  await page.getByText('Waiting for verification').waitFor()
  await dashboard.open(dashboard.ofAccount('/routing/addresses'))
  await row.getByText('Pending').waitFor()
  await dashboard.examine('routing-addresses')

  const link = /^ {2}(http:\S+)\r$/m.exec(await instance.raw(mail.ID))?.[1]
  assert.ok(link)
  const owner = await page.context().newPage()
  // By the name under which the page was opened, so that the browser of the test takes it for the instance.
  await owner.goto(new URL(new URL(link).pathname, instance.dev.dashboard).href)
  await owner.getByRole('button').click()
  await page.bringToFront()
  // Without anybody loading the page anew.
  await row.getByText('Verified').waitFor()
  assert.notEqual((await list())[0]?.verified, null)
  const rules = () => api<readonly RuleResult[]>(instance, 'GET', `/zones/${zone_id}/email/routing/rules`)
  assert.deepEqual(
    (await rules()).map(({ enabled }) => enabled),
    [true],
  )

  await page.getByRole('button', { name: 'Delete owner@dest.example' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete address' }).click()
  await page.getByText('No destination address yet').waitFor()
  assert.deepEqual(await list(), [])
  assert.deepEqual(
    (await rules()).map(({ enabled }) => enabled),
    [false],
  )
})
