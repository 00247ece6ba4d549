import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'

/** A message by hand, and the home page that tells of it. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }
const open = () => dashboard.open(dashboard.ofAccount('/sending/test'))

test('a newcomer is told what to do', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/overview'))
  await page.getByRole('heading', { name: 'First steps' }).waitFor()
  await page.getByRole('region', { name: 'Domains' }).getByText('Verified').waitFor()
  await dashboard.examine('overview-first')
  await page.getByRole('link', { name: 'Send a test message' }).click()
  await page.getByRole('heading', { level: 1, name: 'Send a test' }).waitFor()
})

test('a message goes out with its attachment, and each recipient’s outcome is shown', skip, async () => {
  const { page, instance } = dashboard
  await open()
  await page.getByLabel('From', { exact: true }).fill('news')
  await page.getByLabel('Sender name').fill('Zoë')
  const late = 'softbounce+hand@simulator.posthorn.test'
  const gone = 'bounce+hand@simulator.posthorn.test'
  await page.getByLabel('To', { exact: true }).fill(`ann@example.com, ${late}, ${gone}`)
  await page.getByLabel('Subject').fill('By hand')
  await page.getByLabel('Attachments').setInputFiles({
    ...{ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('attached') },
  })
  await page.getByRole('list', { name: 'Attached files' }).getByText('note.txt').waitFor()
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  const result = page.getByRole('status', { name: 'Result' })
  const outcome = (address: string) => result.getByRole('listitem').filter({ hasText: address })
  await outcome('ann@example.com').getByText('Delivered', { exact: true }).waitFor()
  await outcome(gone).getByText('Bounced', { exact: true }).waitFor()
  await outcome(gone).getByText('550 5.1.1', { exact: false }).waitFor()
  await dashboard.examine('sending-test')
  // It is put off twice; the page sees it arrive.
  await outcome(late).getByText('Delivered', { exact: true }).waitFor()

  const [arrived] = await instance.inbox('to:ann@example.com')
  assert.equal(arrived?.Subject, 'By hand')
  assert.deepEqual(arrived.From, { Address: 'news@yourdomain.com', Name: 'Zoë' })
  assert.match(await instance.raw(arrived.ID), /filename="?note\.txt/)
  const link = page.getByRole('link', { name: 'Open message' })
  assert.equal(
    await link.getAttribute('href'),
    dashboard.ofAccount(`/messages/${encodeURIComponent(arrived.MessageID)}`),
  )
  await page.getByRole('link', { name: 'Open inbox' }).click()
  await page.getByRole('main').getByText('By hand').first().waitFor()
})

test('what is refused is said at its field, or above the button', skip, async () => {
  const { page } = dashboard
  await open()
  await page.getByLabel('To', { exact: true }).fill('ann@example.com nobody')
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await page.getByText("has no '@'", { exact: false }).waitFor()
  // A keyboard goes on where there is something to mend.
  await page
    .locator('input:focus')
    .and(page.getByLabel('To', { exact: true }))
    .waitFor()
  await page.getByLabel('To', { exact: true }).fill('ann@example.com')
  await page.getByLabel('Text').fill('')
  await page.getByLabel('HTML').fill('')
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await page.getByText('neither has content', { exact: false }).waitFor()
  await page.locator('form :is(button, textarea):focus').waitFor()
  // The simulator's recipients are one press away.
  await page.getByRole('button', { name: 'Bounces', exact: true }).click()
  assert.match(
    await page.getByLabel('To', { exact: true }).inputValue(),
    /^bounce\+\w+@simulator\.posthorn\.test$/,
  )
})

test('the code beside the form follows what is typed, in every language', skip, async () => {
  const { page, instance } = dashboard
  await open()
  await page.getByLabel('Subject').fill("Ann's first")
  const code = page.getByLabel('the request as', { exact: false }).and(page.locator('pre'))
  await code.filter({ hasText: `"subject": "Ann'\\''s first"` }).waitFor()
  assert.ok(
    (await code.textContent())?.includes(
      `${instance.dev.api}/accounts/${instance.dev.account_id}/email/sending/send`,
    ),
  )
  const expected = {
    'Node (fetch)': `subject: "Ann's first"`,
    'Node (SDK)': 'client.emailSending.send(',
    Python: 'urllib.request',
    'SMTP (curl)': `smtps://localhost:${instance.dev.submission.port}`,
    'SMTP (swaks)': '--data @mail.txt',
    Worker: 'env.EMAIL.send(',
  }
  for (const [tab, text] of Object.entries(expected)) {
    await page.getByRole('tab', { name: tab }).click()
    await code.filter({ hasText: text }).waitFor()
  }
  assert.match(page.url(), /code=worker/)
  await page.getByRole('button', { name: 'Copy the request as Worker' }).click()
  const copied = await page.evaluate<string>('navigator.clipboard.readText()')
  assert.equal(copied, await code.textContent())
})

test('the overview counts as Analytics does, and the newcomer’s steps are gone', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/overview'))
  const day = page.getByRole('region', { name: 'Last 24 hours' })
  // Two arrived, one of them late, and one came back.
  await day.getByText('2', { exact: true }).waitFor()
  const statuses = ['Delivered', 'Sent', 'Delivery failed', 'Rejected', 'Failed']
  const figures = (region: string) =>
    Promise.all(
      statuses.map((name) =>
        page
          .getByRole('region', { name: region })
          .locator('dl > div', { has: page.getByText(name, { exact: true }) })
          .locator('dd')
          .first()
          .textContent(),
      ),
    )
  const counted = await figures('Last 24 hours')
  assert.deepEqual(counted, ['2', '0', '1', '0', '0'])
  await page.getByRole('heading', { name: 'First steps' }).waitFor({ state: 'detached' })
  await page.getByRole('region', { name: 'Domains' }).getByRole('link', { name: 'yourdomain.com' }).waitFor()
  await dashboard.examine('overview')

  await day.getByRole('link', { name: 'Analytics' }).click()
  await page.getByRole('region', { name: 'Totals' }).getByText('Emails', { exact: true }).waitFor()
  assert.deepEqual(await figures('Totals'), counted)
  await page.goBack()
  await day.getByRole('link', { name: 'Delivered' }).click()
  await page.getByRole('switch', { name: 'Only the latest of each recipient', checked: true }).waitFor()
})
