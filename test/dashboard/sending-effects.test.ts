import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { MessageBody } from '#contract/messages.ts'
import type { DkimKeyBody } from '#contract/onboarding-records.ts'
import type { SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import type { SmarthostBody } from '#contract/smarthost.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { api } from '#test/routing-instance.ts'

/** What is set on the pages of a sending domain, as the next message meets it. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard({ POSTHORN_RETRY_MS: '1000' })
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }

async function openTab(tab: string) {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/domains'))
  await page.getByRole('main').getByRole('link', { name: 'yourdomain.com', exact: true }).click()
  await page.getByRole('tab', { name: tab }).click()
  return page
}

function send(to: string | readonly string[]) {
  const [first = ''] = [to].flat()
  return dashboard.instance.send({ from: 'app@yourdomain.com', to, subject: `To ${first}`, text: 'x' })
}

/** The message as it arrived. */
async function source(to: string): Promise<string> {
  const { instance } = dashboard
  const [arrived] = await instance.inbox(`subject:"To ${to}"`)
  return instance.raw(arrived?.ID ?? '')
}

async function domain(): Promise<SendingSubdomainBody> {
  const { instance } = dashboard
  const path = `/zones/${instance.dev.zone_id}/email/sending/subdomains`
  const [found] = await api<SendingSubdomainBody[]>(instance, 'GET', path)
  return found ?? assert.fail('no domain')
}

test('a rotated key signs the next message', skip, async () => {
  await send('before@example.com')
  assert.match(await source('before@example.com'), /^DKIM-Signature:[^;]*;(?:[^;]*;)*\s*s=cf-bounce;/m)
  const page = await openTab('DKIM keys')
  await page.getByRole('button', { name: 'Rotate key' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate key' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByText('Retiring', { exact: true }).waitFor()
  const { instance } = dashboard
  const path = `/zones/${instance.dev.zone_id}/email/sending/subdomains/${(await domain()).tag}/dkim`
  const keys = await api<DkimKeyBody[]>(instance, 'GET', path)
  const active = keys.find(({ state }) => state === 'active')
  assert.ok(active && active.selector !== 'cf-bounce')
  await page.getByRole('heading', { level: 3, name: active.selector }).waitFor()
  await send('after@example.com')
  assert.ok(
    (await source('after@example.com')).replaceAll(/\r\n\s+/g, ' ').includes(` s=${active.selector};`),
  )
})

test(
  'suppressed recipients are dropped where the switch says so, and content is kept where it says so',
  skip,
  async () => {
    const { instance } = dashboard
    const gone = 'gone@example.net'
    await api(instance, 'POST', `/accounts/${instance.dev.account_id}/email/sending/suppressions`, {
      email: gone,
    })
    const refused = await send(['stays@example.net', gone])
    assert.equal(refused.body.errors[0]?.error_chain?.[0]?.name, 'E_RECIPIENT_SUPPRESSED')
    const page = await openTab('Settings')
    await page.getByRole('switch', { name: 'Drop suppressed recipients' }).click()
    await page.getByRole('switch', { name: 'Drop suppressed recipients', checked: true }).waitFor()
    await page.getByRole('switch', { name: 'Previews', checked: true }).click()
    await page.getByRole('switch', { name: 'Previews', checked: false }).waitFor()
    await page.getByText('6 of 6 records found').waitFor()
    const { body } = await send(['stays@example.net', gone])
    assert.deepEqual(
      [body.result?.delivered, body.result?.suppressed_recipients],
      [['stays@example.net'], [gone]],
    )
    const id = body.result?.message_id.replace(/^<|>$/g, '') ?? ''
    await dashboard.open(dashboard.ofAccount(`/messages/${encodeURIComponent(id)}`))
    await page.getByRole('heading', { level: 1 }).waitFor()
    const { dev } = instance
    const content = await fetch(`${dev.api}/accounts/${dev.account_id}/email/sending/messages/${id}`, {
      headers: { authorization: `Bearer ${dev.api_token}` },
    })
    assert.equal(content.status, 404)
  },
)

/** A development instance connects to this machine alone, and a customer's smarthost is looked for at public addresses:
 *  none works here. What is sent waits for it all the same, and does not go round it. */
test(
  'the smarthost of the account stands before everything it sends, until it is removed',
  skip,
  async () => {
    const { instance } = dashboard
    const { account_id } = instance.dev
    const page = await openTab('Smarthost')
    const section = page.getByRole('region', { name: 'Smarthost of the account' })
    await section.getByText('None is set.').waitFor()
    await section.getByRole('button', { name: 'Set smarthost' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Host').fill('relay.example.net')
    await dialog.getByRole('combobox', { name: 'TLS' }).click()
    await page.getByRole('option', { name: 'None' }).click()
    await dialog.getByLabel('Port').fill('80')
    await dialog.getByLabel('User name').fill('us')
    await dialog.getByLabel('Password', { exact: true }).fill('secret')
    await dialog.getByRole('button', { name: 'Save smarthost' }).click()
    await dialog.getByText('The port must be', { exact: false }).first().waitFor()
    await dialog.getByLabel('Port').fill('2525')
    await dialog.getByRole('button', { name: 'Save smarthost' }).click()
    await dialog.getByText('A login needs TLS', { exact: false }).first().waitFor()
    await dialog.getByRole('combobox', { name: 'TLS' }).click()
    await page.getByRole('option', { name: 'STARTTLS' }).click()
    await dashboard.examine('sending-smarthost-form')
    await dialog.getByRole('button', { name: 'Save smarthost' }).click()
    await section.getByText('relay.example.net:2525').waitFor()
    const path = `/accounts/${account_id}/email/sending/smarthost`
    const set = await api<SmarthostBody>(instance, 'GET', path)
    assert.deepEqual(
      [set.scope.type, set.host, set.port, set.tls, set.username],
      ['account', 'relay.example.net', 2525, 'starttls', 'us'],
    )
    assert.ok(!JSON.stringify(set).includes('secret'))

    await section.getByRole('button', { name: 'Test connection' }).click()
    await section.getByText('Does not work', { exact: true }).waitFor()
    await section.getByText('relay.example.net has no address in DNS', { exact: false }).waitFor()
    await dashboard.examine('sending-account-smarthost')

    const { body } = await send('relayed@example.org')
    assert.deepEqual(body.result?.queued, ['relayed@example.org'])
    const id = body.result.message_id.replace(/^<|>$/g, '')
    const messages = `/accounts/${account_id}/email/sending/messages`
    const message = await api<MessageBody>(instance, 'GET', `${messages}/${id}/deliveries`)
    assert.equal(message.deliveries[0]?.state, 'waiting')
    assert.deepEqual(await instance.inbox('to:relayed@example.org', 0), [])

    await section.getByRole('button', { name: 'Remove smarthost' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove smarthost' }).click()
    await section.getByText('None is set.').waitFor()
    await assert.rejects(api(instance, 'GET', path), /404/)
    await source('relayed@example.org')
  },
)

test(
  'a domain goes by its whole name alone; then nothing is sent from it, until it comes back with its key',
  skip,
  async () => {
    const page = await openTab('Settings')
    await page.getByRole('button', { name: 'Remove Domain' }).click()
    const dialog = page.getByRole('dialog')
    const remove = dialog.getByRole('button', { name: 'Remove Domain' })
    const typed = dialog.getByLabel('Type yourdomain.com to confirm')
    for (const wrong of ['', 'yourdomain', 'yourdomain.com.', 'YOURDOMAIN.COM']) {
      await typed.fill(wrong)
      assert.equal(await remove.isDisabled(), true, wrong)
    }
    await dashboard.examine('sending-domain-remove')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Remove Domain' }).click()
    // What was typed before is forgotten.
    assert.equal(await typed.inputValue(), '')
    await typed.fill('yourdomain.com')
    await remove.click()
    await page.getByRole('heading', { level: 1, name: 'Email Sending' }).waitFor()
    const row = page.getByRole('row', { name: /^yourdomain\.com/ })
    await row.getByText('Not onboarded').waitFor()
    const { instance } = dashboard
    const records = await api<{ purpose?: string; name: string }[]>(
      instance,
      'GET',
      `/zones/${instance.dev.zone_id}/dns_records?name=cf-bounce.yourdomain.com`,
    )
    assert.deepEqual(records, [])
    const refused = await send('nobody@example.com')
    assert.equal(refused.body.errors[0]?.error_chain?.[0]?.name, 'E_RECIPIENT_NOT_ALLOWED')

    await row.getByRole('link', { name: 'Onboard' }).click()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByText('6 of 6 records found').waitFor()
    assert.equal((await send('again@example.com')).status, 200)
    assert.doesNotMatch(await source('again@example.com'), /s=cf-bounce;/)
  },
)
