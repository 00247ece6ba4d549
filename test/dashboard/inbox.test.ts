import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'

/** Mail of a development instance, as a person looks at it. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }
const message = (subject: string, more: object = {}) => ({
  from: { address: 'news@yourdomain.com', name: 'News' },
  to: ['user@example.com'],
  subject,
  text: `The text of ${subject}`,
  html: `<h1>${subject}</h1><p>In HTML</p>`,
  ...more,
})

test('a message that is not there says so', skip, async () => {
  await dashboard.open('/inbox/nothing')
  await dashboard.page.getByRole('heading', { level: 1, name: 'No such message' }).waitFor()
  await dashboard.page.getByRole('link', { name: 'Back to the inbox' }).waitFor()
})

test('an empty inbox says what to do', skip, async () => {
  const { page } = dashboard
  await dashboard.open('/inbox')
  await page.getByText('No mail has arrived yet').waitFor()
  await page.getByText('Recipients that misbehave on purpose').click()
  await page.getByText('bounce@simulator.', { exact: false }).first().waitFor()
  await dashboard.examine('inbox-empty')
})

test('mail appears by itself, is searched, opened and deleted', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open('/inbox')
  const attachment = {
    ...{ content: Buffer.from('a,b').toString('base64'), filename: 'figures.csv' },
    ...{ type: 'text/csv', disposition: 'attachment' },
  }
  await instance.send(message('First issue', { attachments: [attachment] }))
  await instance.send(message('Second issue'))
  await page.getByRole('link', { name: /First issue/ }).waitFor()
  await page.getByRole('link', { name: /Second issue/ }).waitFor()
  await dashboard.examine('inbox')

  await page.getByRole('searchbox').fill('subject:first')
  await page.getByText('1 message found').waitFor()
  assert.equal(new URL(page.url()).searchParams.get('query'), 'subject:first')
  await page.getByRole('link', { name: /First issue/ }).click()
  await page.getByRole('heading', { level: 1, name: 'First issue' }).waitFor()
  const frame = page.frameLocator('iframe[title="The message"]')
  await frame.getByRole('heading', { name: 'First issue' }).waitFor()
  await dashboard.examine('inbox-message')
  await page.getByRole('tab', { name: 'Text' }).click()
  await page.getByText('The text of First issue').waitFor()
  await page.getByRole('tab', { name: 'Headers' }).click()
  await page.getByRole('cell', { name: 'Dkim-Signature' }).first().waitFor()
  await page.getByRole('tab', { name: 'Source' }).click()
  await page.getByText('MIME-Version: 1.0').waitFor()
  await page.getByRole('tab', { name: 'Attachments (1)' }).click()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'figures.csv' }).click(),
  ])
  assert.equal(download.suggestedFilename(), 'figures.csv')

  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('heading', { level: 1, name: 'Inbox' }).waitFor()
  await page.getByText('1 message', { exact: true }).waitFor()
  assert.equal(await page.getByRole('link', { name: /First issue/ }).count(), 0)

  await page.getByRole('button', { name: 'Delete all' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete all' }).click()
  await page.getByText('No mail has arrived yet').waitFor()
})

test('the way from a message to what happened to it', skip, async () => {
  const { page, instance } = dashboard
  const { body } = await instance.send(message('Traced'))
  await dashboard.open('/inbox')
  await page.getByRole('link', { name: /Traced/ }).click()
  const link = page.getByRole('link', { name: 'What happened to it' })
  const id = encodeURIComponent(body.result?.message_id ?? '')
  assert.equal(await link.getAttribute('href'), dashboard.ofAccount(`/messages/${id}`))
})
