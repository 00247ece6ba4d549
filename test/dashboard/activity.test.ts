import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { until } from '#test/queue-world.ts'
import { api, forwardRule, SENDER, toMx } from '#test/routing-instance.ts'

/** The log of real mail: found, narrowed, followed and taken away as a file. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  const { instance } = dashboard
  await send('delivered@simulator.posthorn.test', 'Invoice 1')
  await send('bounce@simulator.posthorn.test', 'Invoice 2')
  await send('bounce@simulator.posthorn.test', 'To somebody suppressed')
  await forwardRule(instance, 'fwd@yourdomain.com', 'dest@example.net')
  const content = `From: ${SENDER}\nTo: fwd@yourdomain.com\nSubject: Came in\nMessage-ID: <1@pass.posthorn.test>\n\nHello\n`
  await toMx(instance, { to: 'fwd@yourdomain.com', content })
  await until(async () => {
    const path = `/accounts/${instance.dev.account_id}/email/activity?subject=Came%20in`
    return (await api<unknown[]>(instance, 'GET', path))[0]
  })
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }

function send(to: string, subject: string) {
  return dashboard.instance.send({ from: 'app@yourdomain.com', to, subject, text: 'x' })
}

const rows = () => dashboard.page.getByRole('table', { name: 'Activity' }).getByRole('row')

test('everything, the newest first, and from a row to its message and back', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/activity'))
  await page.getByText('5 rows').waitFor()
  // The head, then what was refused last.
  await rows().nth(1).getByText('Rejected').waitFor()
  await rows().nth(5).getByText('Sent').waitFor()
  await dashboard.examine('activity')
  await page.getByRole('link', { name: 'Invoice 2' }).first().click()
  await page.getByRole('heading', { level: 1, name: 'Invoice 2' }).waitFor()
  assert.match(page.url(), /\/messages\/%3C[0-9a-f]{32}%40yourdomain\.com%3E$/)
  await page.goBack()
  await page.getByText('5 rows').waitFor()
})

test('what was refused before it was a message is shown whole', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/activity?status=rejected'))
  await page.getByRole('button', { name: 'To somebody suppressed' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Suppressed', { exact: true }).waitFor()
  await dialog.getByText('bounce@simulator.posthorn.test').first().waitFor()
  assert.match(page.url(), /open=/)
  await dialog.getByRole('button', { name: 'Close' }).first().click()
  await dialog.waitFor({ state: 'hidden' })
})

test('filters narrow it, stand in the URL, and are removed one by one', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/activity'))
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('invoice')
  await page.waitForURL(/search=invoice/)
  await page.getByText('4 rows').waitFor()
  await page.getByRole('button', { name: 'Status: all' }).click()
  await page.getByRole('menuitemcheckbox', { name: 'Delivery failed' }).click()
  await page.keyboard.press('Escape')
  await page.waitForURL(/status=deliveryFailed/)
  await page.getByText('1 row', { exact: true }).waitFor()
  await page.getByText('Recipient unknown').waitFor()

  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Recipient').fill('no address')
  await dialog.getByRole('button', { name: 'Show' }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel('Recipient').fill('bounce@simulator.posthorn.test')
  await dialog.getByRole('combobox', { name: 'Cause' }).click()
  await page.getByRole('option', { name: 'Recipient unknown' }).click()
  await dialog.getByRole('button', { name: 'Show' }).click()
  await dialog.waitFor({ state: 'hidden' })
  assert.equal(new URL(page.url()).searchParams.get('recipient'), 'bounce@simulator.posthorn.test')

  assert.equal(new URL(page.url()).searchParams.get('cause'), 'recipient-unknown')
  await page.getByText('Cause: Recipient unknown').waitFor()

  // The same link shows the same.
  await page.reload()
  await page.getByText('1 row', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Remove the filter Recipient' }).click()
  await page.getByRole('button', { name: 'Remove the filter Cause' }).click()
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('no such thing')
  await page.getByText('Nothing in the log matches').waitFor()
  await dashboard.examine('activity-empty')
  await page.getByRole('button', { name: 'Remove all filters' }).click()
  await page.getByText('5 rows').waitFor()
  await page.getByRole('switch', { name: 'Only the latest of each recipient' }).click()
  await page.getByText('3 rows').waitFor()
})

test('rows appear by themselves while it is live', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/activity'))
  await page.getByText('5 rows').waitFor()
  await page.getByRole('switch', { name: 'Live' }).click()
  await page.waitForURL(/live=true/)
  await send('delivered@simulator.posthorn.test', 'Just now')
  await rows().nth(1).getByRole('link', { name: 'Just now' }).waitFor()
  await page.getByText('7 rows').waitFor()
})

test('the log as a file, with the filters of the page', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/activity?search=invoice'))
  await page.getByText('4 rows').waitFor()
  for (const [format, lines] of [
    ['CSV', 5],
    ['NDJSON', 4],
  ] as const) {
    await page.getByRole('button', { name: 'Export' }).click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: format, exact: true }).click(),
    ])
    assert.equal(download.suggestedFilename(), `email-activity.${format.toLowerCase()}`)
    const text = readFileSync(await download.path(), 'utf8')
    assert.equal(text.trim().split('\n').length, lines)
    await page.keyboard.press('Escape')
  }
})

test('mail that came in, and a phone', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/routing/activity'))
  await page
    .getByRole('row', { name: /Forwarded/ })
    .getByText(SENDER)
    .waitFor()
  await page.setViewportSize({ width: 390, height: 844 })
  await page.getByRole('link', { name: 'Came in' }).click()
  await page.getByRole('list', { name: 'Authentication results' }).getByText('SPF pass').waitFor()
  await page.goBack()
  await page.getByRole('link', { name: 'Came in' }).waitFor()
  await page.setViewportSize({ width: 1280, height: 800 })
})
