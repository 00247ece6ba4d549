import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { checkedFetch } from '#test/checked-fetch.ts'
import { until } from '#test/queue-world.ts'
import { api, forwardRule, rule, SENDER, toMx } from '#test/routing-instance.ts'

/** Charts of real mail: their figures, their tables, and the queries that anybody may ask. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  const { instance } = dashboard
  for (const to of ['delivered+1', 'delivered+2', 'bounce', 'policy']) {
    const mail = { from: 'app@yourdomain.com', to: `${to}@simulator.posthorn.test`, subject: to, text: 'x' }
    await instance.send(mail)
  }
  for (const to of ['a@example.com', 'b@example.net'])
    await instance.send({ from: 'app@yourdomain.com', to, subject: 'To others', text: 'x' })
  await forwardRule(instance, 'fwd@yourdomain.com', 'dest@example.net')
  await rule(instance, 'drop@yourdomain.com', { type: 'drop' })
  for (const to of ['fwd', 'drop', 'nobody']) {
    const content = `From: ${SENDER}\nTo: ${to}@yourdomain.com\nSubject: In\nMessage-ID: <${to}@pass.posthorn.test>\n\nHello\n`
    await toMx(instance, { to: `${to}@yourdomain.com`, content })
  }
  // It is in history about a second later.
  await until(async () => {
    const path = `/accounts/${instance.dev.account_id}/email/activity`
    const rows = await api<{ readonly to: string }[]>(instance, 'GET', path)
    return rows.some(({ to }) => to === 'nobody@yourdomain.com') || undefined
  })
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }
const panel = (name: string) => dashboard.page.getByRole('region', { name, exact: true })
const figure = (name: string) =>
  panel('Totals')
    .locator('dl > div', { has: dashboard.page.getByText(name, { exact: true }) })
    .locator('dd')
    .first()

test('sending: totals, charts by time, domain, provider and cause', skip, async () => {
  const { page } = dashboard
  const loaded: string[] = []
  page.on('request', (request) => loaded.push(request.url()))
  await dashboard.open(dashboard.ofAccount('/sending/activity'))
  await page.getByRole('table', { name: 'Activity' }).waitFor()
  assert.ok(!loaded.some((url) => url.includes('status-chart')), 'charts are loaded where they are shown')

  await page.getByRole('link', { name: 'Analytics' }).first().click()
  await page.getByRole('heading', { level: 1, name: 'Email Sending analytics' }).waitFor()
  await figure('Delivered').waitFor()
  assert.deepEqual(
    await Promise.all(['Emails', 'Delivered', 'Delivery failed'].map((name) => figure(name).textContent())),
    ['6', '4', '2'],
  )
  // Drawn, although nothing may be evaluated and no style sheet written here.
  const chart = panel('Emails by status').getByRole('img', { name: /Delivered: 4, Delivery failed: 2/ })
  await chart.waitFor()
  assert.ok(loaded.some((url) => url.includes('status-chart')))
  await panel('By domain').getByRole('link', { name: 'yourdomain.com' }).waitFor()
  await panel('By domain').getByText('66.7% delivered').waitFor()
  await panel('By recipient provider').getByText('Delivered', { exact: false }).first().waitFor()
  await panel('Authentication results').getByText('DKIM').waitFor()
  await dashboard.examine('analytics-sending')

  await panel('Delivery failure analysis').getByRole('link', { name: 'Recipient unknown' }).click()
  await page.getByRole('heading', { level: 1, name: 'Email Sending activity log' }).waitFor()
  await page.getByText('Cause: Recipient unknown').waitFor()
  await page.getByRole('link', { name: 'bounce', exact: true }).waitFor()
})

test('every chart shows its table and its query, which anybody may ask', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open(dashboard.ofAccount(`/sending/analytics?zone=${instance.dev.zone_id}`))
  const charts = ['Totals', 'Emails by status', 'By domain', 'By recipient provider']
  for (const name of [...charts, 'Delivery failure analysis', 'Authentication results']) {
    await panel(name).getByRole('tab', { name: 'Table' }).click()
    await panel(name).getByRole('table').waitFor()
    await panel(name).getByRole('tab', { name: 'Query' }).click()
  }
  await panel('Emails by status').getByRole('button', { name: 'Copy Query' }).click()
  const query = await page.evaluate<string>('navigator.clipboard.readText()')
  const variables = await panel('Emails by status').getByLabel('Variables', { exact: true }).textContent()
  const response = await checkedFetch(`${instance.dev.api}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${instance.dev.api_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: JSON.parse(variables ?? '') }),
  })
  const { data, errors } = JSON.parse(await response.text())
  assert.equal(errors, null)
  const [{ emailSendingAdaptiveGroups: groups }] = data.viewer.zones
  const count = (status: string) =>
    groups
      .filter((group: { dimensions: { status: string } }) => group.dimensions.status === status)
      .reduce((sum: number, group: { count: number }) => sum + group.count, 0)
  assert.deepEqual([count('delivered'), count('deliveryFailed')], [4, 2])
  await dashboard.examine('analytics-query')
})

test('by keyboard the range moves, and is looked at closer, as by mouse', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/analytics'))
  await figure('Delivered').waitFor()
  const steps = page.getByRole('group', { name: 'Time' })
  const range = () => new URL(page.url()).searchParams.get('range')
  const hours = () => {
    const [from = 0, to = 0] = (range() ?? '').split('..').map((moment) => Date.parse(moment))
    return (to - from) / 3_600_000
  }
  const press = async (name: string) => {
    const before = range()
    await steps.getByRole('button', { name }).focus()
    await page.keyboard.press('Enter')
    await until(async () => range() !== before || undefined)
    // It can be pressed again.
    assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-label")'), name)
  }
  await press('Narrower')
  assert.equal(hours(), 12)
  await press('Narrower')
  assert.equal(hours(), 6)
  await press('Earlier')
  assert.equal(hours(), 6)
  await steps.getByRole('status').getByText('–').waitFor({ state: 'attached' })
  await press('Wider')
  await press('Wider')
  // Until it is the whole day again, which ends now: that is what is shown by itself.
  for (let step = 0; step < 4 && range() !== null; step++) await press('Later')
  assert.equal(range(), null)
  const later = steps.getByRole('button', { name: 'Later' })
  assert.equal(await later.getAttribute('aria-disabled'), 'true')
  await later.focus()
  await page.keyboard.press('Enter')
  assert.equal(range(), null)
  await page.goBack()
  assert.notEqual(range(), null)
})

test('a range and a domain are chosen, stand in the URL, and can be one’s own', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/analytics'))
  await page.getByRole('button', { name: 'Refresh' }).waitFor()
  await page.getByRole('combobox', { name: 'Time range' }).click()
  await page.getByRole('option', { name: 'Last 30 minutes' }).click()
  await page.waitForURL(/range=30m/)
  await page.getByText('Live', { exact: true }).waitFor()
  // What happens now is there by itself.
  const { to } = { to: 'delivered+live@simulator.posthorn.test' }
  await instance.send({ from: 'app@yourdomain.com', to, subject: 'Live', text: 'x' })
  await figure('Emails').getByText('7', { exact: true }).waitFor()

  await page.getByRole('combobox', { name: 'Domain' }).click()
  await page.getByRole('option', { name: 'yourdomain.com' }).click()
  await page.waitForURL(new RegExp(`zone=${instance.dev.zone_id}`))

  await page.getByRole('combobox', { name: 'Time range' }).click()
  await page.getByRole('option', { name: 'Custom…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('From').fill('2020-01-02T10:00')
  await dialog.getByLabel('To').fill('2020-01-01T10:00')
  await dialog.getByRole('button', { name: 'Show' }).click()
  await dialog.getByText('The end must be after the start.').waitFor()
  await dialog.getByLabel('To').fill('2020-01-03T10:00')
  await dialog.getByRole('button', { name: 'Show' }).click()
  await page.waitForURL(/range=2020-01-/)
  await panel('Emails by status').getByText('cannot request data older than', { exact: false }).waitFor()
})

test('the longest range has nothing to compare with; an empty one says what to do', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/analytics?range=31d'))
  await panel('Totals').getByText('nothing to compare with', { exact: false }).waitFor()
  await page.getByRole('combobox', { name: 'Time range' }).getByText('Last 31 days').waitFor()
  const [from, to] = [48, 47].map((hours) => new Date(Date.now() - hours * 3_600_000).toISOString())
  await dashboard.open(dashboard.ofAccount(`/sending/analytics?range=${from}..${to}`))
  await panel('Emails by status').getByText('No emails in this time range').waitFor()
  await panel('Emails by status').getByRole('link', { name: 'Send a test' }).waitFor()
  await panel('Delivery failure analysis').getByText('Nothing failed').waitFor()
})

test('routing: by status, by rule with its name, what senders had proven', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/routing/analytics'))
  await figure('Forwarded').waitFor()
  assert.deepEqual(await Promise.all(['Forwarded', 'Dropped'].map((name) => figure(name).textContent())), [
    '1',
    '1',
  ])
  await panel('By routing rule').getByText('No rule matched').waitFor()
  await panel('By routing rule').getByRole('link', { name: 'drop@yourdomain.com' }).waitFor()
  await panel('Authentication results').getByText('pass 2').first().waitFor()
  await dashboard.examine('analytics-routing')
  await panel('By routing rule').getByRole('link', { name: 'fwd@yourdomain.com' }).click()
  await page.getByRole('heading', { level: 1, name: 'Email Routing activity log' }).waitFor()
  await page.getByRole('row', { name: /Forwarded/ }).waitFor()
  assert.match(page.url(), /rule=[0-9a-f]{32}/)
})
