import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { ActivityBody } from '#contract/activity.ts'
import type { DeliveryBody, MessageBody } from '#contract/messages.ts'
import type { SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { deployWorker } from '#test/deploy-worker.ts'
import { askAccount } from '#test/operator.ts'
import { until } from '#test/queue-world.ts'
import { api, rule, SENDER, toMx } from '#test/routing-instance.ts'

/** One message: what became of it, what can still be done about it, and what it holds. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }
const from = 'app@yourdomain.com'
const region = (name: string | RegExp) => dashboard.page.getByRole('region', { name })

async function send(mail: { readonly to: readonly string[]; readonly subject: string }): Promise<string> {
  const attachment = {
    ...{ content: Buffer.from('a,b').toString('base64'), filename: 'figures.csv' },
    ...{ type: 'text/csv', disposition: 'attachment' },
  }
  const { status, body } = await dashboard.instance.send({
    ...{ from: { address: from, name: 'The app' }, text: 'As text', html: '<h1>As HTML</h1>' },
    ...{ attachments: [attachment], headers: { 'X-Campaign': 'spring' } },
    ...mail,
  })
  assert.equal(status, 200, JSON.stringify(body))
  return encodeURIComponent(body.result?.message_id ?? '')
}

async function deliveryOf(id: string): Promise<DeliveryBody> {
  const { result } = await askAccount<MessageBody>(dashboard.instance, 'GET', `/messages/${id}/deliveries`)
  return result.deliveries[0] ?? assert.fail('no delivery')
}

test('from accept to outcome, for each recipient, with what was said', skip, async () => {
  const { page } = dashboard
  const id = await send({
    to: ['a@example.com', 'bounce+one@simulator.posthorn.test'],
    subject: 'Two recipients',
  })
  await dashboard.open(dashboard.ofAccount(`/messages/${id}`))
  await page.getByRole('heading', { level: 1, name: 'Two recipients' }).waitFor()
  const timeline = region('Timeline')
  await timeline.getByRole('heading', { name: 'Accepted for 2 recipients' }).waitFor()
  await timeline.getByRole('heading', { name: 'Delivered', exact: true }).waitFor()
  await timeline.getByRole('heading', { name: 'Delivery failed' }).waitFor()
  await timeline.getByText('550 5.1.1 Simulated: no such mailbox', { exact: true }).waitFor()
  await timeline
    .getByText(/^TLSv1\.3/)
    .first()
    .waitFor()
  await dashboard.examine('message')

  const failed = page.getByRole('listitem').filter({ hasText: 'bounce+one' }).first()
  await failed.getByRole('button', { name: 'Only its events' }).click()
  await page.waitForURL(/delivery=[0-9a-f]{32}/)
  await timeline.getByRole('heading', { name: 'Delivered', exact: true }).waitFor({ state: 'hidden' })
  await timeline.getByText('SMTP dialogue').click()
  await timeline.getByText(/c: RCPT TO:<bounce\+one@simulator\.posthorn\.test>/).waitFor()
})

test('its preview, source, headers and attachments', skip, async () => {
  const { page } = dashboard
  const id = await send({ to: ['a@example.com'], subject: 'With contents' })
  await dashboard.open(dashboard.ofAccount(`/messages/${id}`))
  await page.getByRole('tab', { name: 'Preview' }).click()
  const frame = page.frameLocator('iframe[title="The message"]')
  await frame.getByRole('heading', { name: 'As HTML' }).waitFor()
  await dashboard.examine('message-preview')
  await page.getByRole('tab', { name: 'Source' }).click()
  await page.getByText('MIME-Version: 1.0').waitFor()
  const [eml] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download as .eml' }).click(),
  ])
  assert.match(readFileSync(await eml.path(), 'latin1'), /^X-Campaign: spring\r$/m)
  await page.getByRole('tab', { name: 'Headers' }).click()
  await page.getByRole('row', { name: 'X-Campaign spring' }).waitFor()
  await dashboard.examine('message-headers')
  await page.getByRole('tab', { name: 'Attachments' }).click()
  await page.getByText('text/csv, 3 bytes').waitFor()
  await dashboard.examine('message-attachments')
  const [csv] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download figures.csv' }).click(),
  ])
  assert.equal(csv.suggestedFilename(), 'figures.csv')
  assert.equal(readFileSync(await csv.path(), 'utf8'), 'a,b')
  // The tab stands in the URL.
  await page.reload()
  await page.getByRole('link', { name: 'Download figures.csv' }).waitFor()
})

test('a delivery that waits is held, released, tried again and cancelled', skip, async () => {
  const { page } = dashboard
  const id = await send({ to: ['deferred@simulator.posthorn.test'], subject: 'Not yet' })
  await dashboard.open(dashboard.ofAccount(`/messages/${id}`))
  const recipient = region('Recipient')
  await recipient.getByText('Waiting').waitFor()
  await region('Timeline').getByRole('heading', { name: 'Put off: it will be tried again' }).waitFor()
  await dashboard.examine('message-waiting')
  await recipient.getByRole('button', { name: 'Hold' }).click()
  await recipient.getByText('On hold').waitFor()
  assert.equal((await deliveryOf(id)).state, 'held')
  await recipient.getByRole('button', { name: 'Release' }).click()
  await region('Timeline').getByRole('heading', { name: 'Released' }).waitFor()
  await until(async () => (await deliveryOf(id)).state === 'waiting' || undefined)
  const { attempts } = await deliveryOf(id)
  await recipient.getByRole('button', { name: 'Retry now' }).click()
  await until(async () => (await deliveryOf(id)).attempts > attempts || undefined)

  await recipient.getByRole('button', { name: 'Cancel delivery' }).click()
  const dialog = page.getByRole('dialog', {
    name: 'Cancel the delivery to deferred@simulator.posthorn.test?',
  })
  await dialog.getByRole('button', { name: 'Cancel delivery' }).click()
  await recipient.getByText('Cancelled').waitFor()
  assert.equal((await deliveryOf(id)).state, 'dropped')
  await region('Timeline').getByRole('heading', { name: 'Cancelled' }).waitFor()
})

test('mail that came in: what its sender had proven, and what the Worker threw', skip, async () => {
  const { page, instance } = dashboard
  const code = `export default { async email(message) { throw new TypeError('Not this one') } }`
  await deployWorker(instance, 'thrower', { modules: { 'index.js': code } })
  await rule(instance, 'thrower@yourdomain.com', { type: 'worker', value: ['thrower'] })
  const content = `From: ${SENDER}\nTo: thrower@yourdomain.com\nSubject: Came in\nMessage-ID: <1@pass.posthorn.test>\n\nHello\n`
  await toMx(instance, { to: 'thrower@yourdomain.com', content })
  const path = `/accounts/${instance.dev.account_id}/email/activity?status=error`
  const line = await until(async () => (await api<ActivityBody[]>(instance, 'GET', path))[0])
  await dashboard.open(dashboard.ofAccount(`/messages/${line.message_id}`))
  await page.getByRole('heading', { level: 1, name: 'Came in' }).waitFor()
  const timeline = region('Timeline')
  const verdicts = timeline.getByRole('list', { name: 'Authentication results' })
  await verdicts.getByText('SPF pass').waitFor()
  await verdicts.getByText('DMARC pass').waitFor()
  await timeline.getByText('The Worker thrower: exception').waitFor()
  await timeline.getByLabel('the exception', { exact: true }).getByText('TypeError: Not this one').waitFor()
  const ruleLink = timeline.getByRole('link', { name: 'thrower@yourdomain.com' })
  assert.equal(
    await ruleLink.getAttribute('href'),
    dashboard.ofAccount(`/routing/domains/${instance.dev.zone_id}`),
  )
  await dashboard.examine('message-worker')
  await page.getByRole('tab', { name: 'Preview' }).click()
  await page.getByText('The content of mail that came in is not kept').waitFor()
})

test('clear words where there is nothing to show', skip, async () => {
  const { page, instance } = dashboard
  const base = `/zones/${instance.dev.zone_id}/email/sending/subdomains`
  const [domain] = await api<SendingSubdomainBody[]>(instance, 'GET', base)
  await api(instance, 'PATCH', `${base}/${domain?.tag}`, { preview_enabled: false })
  const id = await send({ to: ['a@example.com'], subject: 'Private' })
  for (const tab of ['preview', 'source', 'headers', 'attachments']) {
    await dashboard.open(dashboard.ofAccount(`/messages/${id}?tab=${tab}`))
    await page.getByText('The content of this message is not here').waitFor()
    await page.getByText('The preview of messages is off', { exact: false }).waitFor()
  }
  await dashboard.examine('message-not-kept')
  await dashboard.open(dashboard.ofAccount(`/messages/${'0'.repeat(32)}`))
  await page.getByText('There is no such message in this account').waitFor()
})
