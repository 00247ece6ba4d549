import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'

/** The queue of the whole installation, as its operator works with it, and its health. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }
const DEFERRED = 'deferred+queue@simulator.posthorn.test'

test('what waits is seen, held, released, retried and cancelled', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open('/installation/queue')
  await page.getByText('Nothing waits').waitFor()
  await instance.send({ from: 'news@yourdomain.com', to: DEFERRED, subject: 'Waits', text: 'x' })
  const row = page.getByRole('row', { name: new RegExp(DEFERRED.replaceAll('+', String.raw`\+`)) })
  await row.waitFor()
  await dashboard.examine('queue')

  async function act(name: string) {
    await page.getByRole('button', { name: `Actions for the mail to ${DEFERRED}` }).click()
    await page.getByRole('menuitem', { name }).click()
  }
  await act('Hold')
  await row.getByText('held').waitFor()
  await page.getByLabel('State').click()
  await page.getByRole('option', { name: 'Held' }).click()
  await page.waitForURL(/state=held/)
  await row.waitFor()
  await page.getByLabel('State').click()
  await page.getByRole('option', { name: 'Every state' }).click()
  await act('Release')
  await row.getByText('waiting').waitFor()
  await act('Retry now')
  await act('Cancel')
  await page.getByText('The recipient gets nothing, and nobody is told.').waitFor()
  await page.getByRole('button', { name: 'Cancel the delivery' }).click()
  await page.getByText('Nothing waits').waitFor()
})

test('a destination is paused, and goes on', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open('/installation/queue')
  await page.getByRole('button', { name: 'Pause a destination' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('paused.example')
  await dialog.getByLabel('For how long').fill('a while')
  await dialog.getByRole('button', { name: 'Pause' }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel('For how long').fill('2h')
  await dialog.getByLabel('Reason').fill('They asked us to wait')
  await dialog.getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('heading', { name: 'Paused' }).waitFor()
  const { body } = await instance.send({
    ...{ from: 'news@yourdomain.com', to: 'user@paused.example' },
    ...{ subject: 'Rests', text: 'x' },
  })
  assert.deepEqual(body.result?.queued, ['user@paused.example'])
  await page.getByRole('cell', { name: 'user@paused.example', exact: true }).waitFor()
  await page.getByRole('button', { name: 'End the pause of paused.example' }).click()
  await instance.inbox('recipient:user@paused.example')
  await page.getByText('Nothing waits').waitFor()
})

test('health says what is ready and where it listens', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open('/installation/health')
  await page.getByText('Ready', { exact: true }).first().waitFor()
  await page.getByText(`:${instance.dev.mx.port}`).waitFor()
  await dashboard.examine('health')
})
