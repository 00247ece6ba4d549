import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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
  // What is wrong is said at its field, where the keyboard goes on.
  await dialog.getByText('for must be a duration', { exact: false }).waitFor()
  await dialog.locator('input[name="for"]:focus').waitFor()
  assert.equal(await dialog.getByRole('alert').count(), 0)
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

test('health says what is wrong, and what to do about it', skip, async () => {
  const { page, instance } = dashboard
  const database = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'))
  database.exec(`pragma busy_timeout = 5000;
    create trigger stuck before delete on event begin select raise(abort, 'out of order'); end`)
  try {
    const { status } = await instance.send({
      ...{ from: 'app@yourdomain.com', to: 'late@example.com', subject: 's', text: 'x' },
    })
    assert.equal(status, 200)
    database.exec('update event set at = at - 3600000')
    await dashboard.open('/installation/health')
    const partOf = (name: string) =>
      page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) })
    const part = partOf('History and webhooks')
    await part.getByText('Warning', { exact: true }).waitFor()
    await part.getByText(/history and webhooks are \d+ s behind; mail goes on/).waitFor()
    await part.getByText('What to do:').waitFor()
    const well = partOf('Database')
    await well.getByText('Ready', { exact: true }).waitFor()
    assert.equal(await well.getByText('What to do:').count(), 0)
    await dashboard.examine('health-warning')
  } finally {
    database.exec('drop trigger stuck')
    database.close()
  }
})

test('on a phone a delivery is a card with all that its row has', skip, async () => {
  const { page, instance } = dashboard
  const to = 'deferred+card@simulator.posthorn.test'
  await instance.send({ from: 'news@yourdomain.com', to, subject: 'Waits', text: 'x' })
  await page.setViewportSize({ width: 390, height: 844 })
  await dashboard.open('/installation/queue')
  const card = page.getByRole('list', { name: 'Deliveries' }).getByRole('listitem').filter({ hasText: to })
  for (const text of ['news@yourdomain.com', 'Waiting', 'Expires']) await card.getByText(text).waitFor()
  await card.getByText(/^451 /).waitFor()
  await card.getByRole('button', { name: `Actions for the mail to ${to}` }).click()
  await page.getByRole('menuitem', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Cancel the delivery' }).click()
  await card.waitFor({ state: 'detached' })
  await page.setViewportSize({ width: 1280, height: 800 })
})
