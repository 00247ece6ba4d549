import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { SchedulesBody } from '#contract/workers-places.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { deployWorker } from '#test/deploy-worker.ts'
import { api, rule, toMx } from '#test/routing-instance.ts'

/** Email Workers: what is deployed, bound and logged, where it is reached, and a message to try one with. */
let dashboard: Dashboard
const skip = { skip: NO_BROWSER }
const NAME = 'inbox-worker'

/** A Worker that does with a message what its subject says. */
const SOURCE = (greeting: string) => `
export default {
  async email(message, env) {
    const subject = message.headers.get('subject')
    console.log(${JSON.stringify(greeting)}, message.from, subject)
    console.warn({ secret: typeof env.API_KEY })
    if (subject === 'throw') throw new TypeError('thrown on purpose')
    if (subject === 'reject') return message.setReject('not today')
    if (subject === 'reply') return void await message.reply({ from: message.to, to: message.from, subject: 'Re', text: 'Thanks' })
    await message.forward('team@dest.example', new Headers({ 'X-Checked': '<img src=x onerror=alert(1)>' }))
  },
}`

const BINDINGS = [
  { name: 'GREETING', type: 'plain_text', text: 'hello' },
  { name: 'API_KEY', type: 'secret_text', text: 'never-shown' },
  { name: 'EMAIL', type: 'send_email' },
]

const deploy = (greeting: string) =>
  deployWorker(dashboard.instance, NAME, {
    metadata: { bindings: BINDINGS, annotations: { 'workers/message': greeting } },
    modules: { 'index.js': SOURCE(greeting) },
  })

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
})
after(() => dashboard?.[Symbol.asyncDispose]())

const scripts = () => `/accounts/${dashboard.instance.dev.account_id}/workers/scripts`

async function openTab(name: string): Promise<void> {
  await dashboard.open(dashboard.ofAccount(`/workers/${NAME}`))
  await dashboard.page.getByRole('tab', { name }).click()
}

test('without a Worker the page says how one is deployed, and shows it once it is', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open(dashboard.ofAccount('/workers'))
  await page.getByText('No Worker yet').waitFor()
  const commands = page.getByLabel('the commands that deploy a Worker', { exact: true })
  const text = (await commands.textContent()) ?? ''
  assert.match(text, /npx wrangler deploy$/)
  assert.ok(text.includes(`CLOUDFLARE_ACCOUNT_ID=${instance.dev.account_id}`))
  // The very command reaches this instance.
  const [, base = ''] = /CLOUDFLARE_API_BASE_URL=(\S+)/.exec(text) ?? []
  assert.equal((await fetch(`${base}/user/tokens/verify`)).status, 401)
  await dashboard.examine('workers-empty')

  await deploy('first')
  await rule(instance, 'support@yourdomain.com', { type: 'worker', value: [NAME] })
  await page
    .getByRole('row', { name: /inbox-worker/ })
    .getByText('email')
    .waitFor()
  await dashboard.examine('workers')
})

test('a Worker: mail rules, deployments, and an older version that runs again', skip, async () => {
  const { page, instance } = dashboard
  await deploy('second')
  await dashboard.open(dashboard.ofAccount('/workers'))
  await page.getByRole('link', { name: NAME }).click()
  await page.getByRole('link', { name: 'support@yourdomain.com' }).waitFor()
  await dashboard.examine('worker-overview')

  await page.getByRole('tab', { name: 'Deployments' }).click()
  await page.getByRole('region', { name: 'Deployments' }).getByText('second').waitFor()
  const [token] = await api<readonly { name: string }[]>(
    ...([instance, 'GET', `/accounts/${instance.dev.account_id}/tokens`] as const),
  )
  const by = page
    .getByRole('table')
    .first()
    .getByText(/^API token /)
  await by.first().waitFor()
  assert.equal(await by.first().textContent(), `API token ${token?.name ?? ''}`)
  await dashboard.examine('worker-deployments')
  await page.getByRole('button', { name: 'Deploy version 1' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy version' }).click()
  await page.getByRole('button', { name: 'Deploy version 2' }).waitFor()
  const { deployments } = await api<{ deployments: { versions: { version_id: string }[] }[] }>(
    ...([instance, 'GET', `${scripts()}/${NAME}/deployments`] as const),
  )
  assert.equal(deployments.length, 3)
  assert.equal(deployments[0]?.versions[0]?.version_id, deployments[2]?.versions[0]?.version_id)
})

test('bindings: secrets by their names alone, set and deleted', skip, async () => {
  const { page, instance } = dashboard
  // A secret belongs to the newest version, which is to be the one that runs.
  await deploy('third')
  await openTab('Bindings')
  const secret = page.getByRole('row', { name: /API_KEY/ })
  await secret.getByText('Hidden').waitFor()
  assert.ok(!(await page.content()).includes('never-shown'))
  await dashboard.examine('worker-bindings')
  await page.getByRole('button', { name: 'Set a secret' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name' }).fill('__proto__')
  await dialog.getByLabel('Text', { exact: true }).fill('also never shown')
  await dialog.getByRole('button', { name: 'Set secret' }).click()
  await dialog.getByText(/another name/).waitFor()
  assert.equal(await dialog.getByText(/another name/).count(), 1)
  await dialog.getByRole('textbox', { name: 'Name' }).fill('OTHER_KEY')
  await dialog.getByText(/another name/).waitFor({ state: 'detached' })
  await dialog.getByRole('button', { name: 'Set secret' }).click()
  await page.getByRole('row', { name: /OTHER_KEY/ }).waitFor()
  await page.getByRole('button', { name: 'Delete the secret OTHER_KEY' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete secret' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByRole('row', { name: /OTHER_KEY/ }).waitFor({ state: 'detached' })
  const left = await api<readonly { name: string }[]>(instance, 'GET', `${scripts()}/${NAME}/secrets`)
  assert.deepEqual(
    left.map(({ name }) => name),
    ['API_KEY'],
  )
})

test('live logs of real mail, and of a message that it is tried with', skip, async () => {
  const { page, instance } = dashboard
  await openTab('Live logs')
  await page.getByText('Live', { exact: true }).waitFor()
  const content =
    'From: someone@pass.posthorn.test\r\nTo: support@yourdomain.com\r\nSubject: reject\r\nMessage-ID: <1@pass.posthorn.test>\r\n\r\nHi\r\n'
  assert.match(await toMx(instance, { to: 'support@yourdomain.com', content }), /^550 /)
  const log = page.getByRole('log')
  await log.getByText('Email from someone@pass.posthorn.test to support@yourdomain.com').waitFor()
  await log.getByText('third someone@pass.posthorn.test reject').waitFor()
  await toMx(instance, { to: 'support@yourdomain.com', content: content.replace('reject', 'throw') })
  await log.getByText('TypeError: thrown on purpose').first().waitFor()
  await dashboard.examine('worker-logs')

  await page.getByRole('textbox', { name: 'Search the logs' }).fill('thrown')
  await log.getByText('third someone@pass.posthorn.test reject').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('Paused').waitFor()
  const open = async () =>
    (await api<readonly unknown[]>(instance, 'GET', `${scripts()}/${NAME}/tails`)).length
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByText('Live', { exact: true }).waitFor()
  assert.equal(await open(), 1)
})

test('a test message: what is forwarded, replied, rejected and thrown', skip, async () => {
  const { page, instance } = dashboard
  await openTab('Test message')
  const to = page.getByRole('textbox', { name: 'To' })
  await page.locator('input[value="support@yourdomain.com"]').waitFor()
  const send = page.getByRole('button', { name: 'Send test message' })
  const subject = page.getByRole('textbox', { name: 'Subject' })
  const report = page.getByRole('region', { name: 'What it did' })
  await subject.fill('Grüße')
  await send.click()
  await report.getByText('team@dest.example').waitFor()
  await report.getByText('<img src=x onerror=alert(1)>').waitFor()
  await report.getByText('third').waitFor()
  await dashboard.examine('worker-test')
  await instance.inbox('subject:Grüße')

  await subject.fill('reply')
  await send.click()
  await report.getByRole('heading', { name: 'Reply from support@yourdomain.com' }).waitFor()
  await subject.fill('reject')
  await send.click()
  await report.getByText('with “not today”').waitFor()
  await subject.fill('throw')
  await send.click()
  await report.getByText('TypeError: thrown on purpose').first().waitFor()

  await to.fill('nobody at all')
  await send.click()
  await page.getByText(/`to` is "nobody at all"/).waitFor()
  await to.fill('support@yourdomain.com')
  await page.getByRole('switch', { name: 'Edit the raw message' }).click()
  const raw = page.getByRole('textbox', { name: 'Raw message' })
  await raw.fill('Subject: no id\n\nHello\n')
  await send.click()
  await page.getByText(/invalid or no message id provided/).waitFor()
})

test('host name, routes, custom domains, crons, and the end of the Worker', skip, async () => {
  const { page, instance } = dashboard
  await openTab('Settings')
  const place = () => api<{ enabled: boolean }>(instance, 'GET', `${scripts()}/${NAME}/subdomain`)
  const { enabled } = await place()
  // The page shows what is wanted at once: only the answer tells that it is so.
  const answered = page.waitForResponse(
    (response) => response.url().endsWith('/subdomain') && response.request().method() === 'POST',
  )
  await page.getByRole('switch', { name: 'Reached at its own host name', checked: enabled }).click()
  await answered
  await page.getByRole('switch', { name: 'Reached at its own host name', checked: !enabled }).waitFor()
  assert.equal((await place()).enabled, !enabled)

  const add = async (what: string, text: string) => {
    await page.getByRole('textbox', { name: `New ${what}` }).fill(text)
    await page.getByRole('button', { name: `Add ${what}` }).click()
  }
  await add('route', 'yourdomain.com/api/*')
  await page.getByText('yourdomain.com/api/*', { exact: true }).waitFor()
  await add('custom domain', 'app.yourdomain.com')
  await page.getByRole('button', { name: 'Remove the custom domain app.yourdomain.com' }).waitFor()
  await add('cron', 'never')
  await page.getByText(/is no cron/).waitFor()
  await add('cron', '*/5 * * * *')
  await page.getByRole('button', { name: 'Remove the cron */5 * * * *' }).waitFor()
  const path = `${scripts()}/${NAME}/schedules`
  const { schedules } = await api<SchedulesBody>(instance, 'GET', path)
  assert.deepEqual(
    schedules.map(({ cron }) => cron),
    ['*/5 * * * *'],
  )
  await dashboard.examine('worker-settings')
  for (const place of [
    'route yourdomain.com/api/*',
    'custom domain app.yourdomain.com',
    'cron */5 * * * *',
  ]) {
    await page.getByRole('button', { name: `Remove the ${place}` }).click()
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Remove/ })
      .click()
    await page.getByRole('button', { name: `Remove the ${place}` }).waitFor({ state: 'detached' })
  }

  await page.getByRole('button', { name: 'Delete Worker' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').fill(NAME)
  await dialog.getByRole('button', { name: 'Delete Worker' }).click()
  await page.getByText('No Worker yet').waitFor()
  assert.deepEqual(await api(instance, 'GET', scripts()), [])
})
