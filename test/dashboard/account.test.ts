import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { checkedFetch } from '#test/checked-fetch.ts'
import { mailedLink } from '#test/mailed-links.ts'
import { openReceiver, type Receiver } from '#test/webhook-receiver.ts'

/** Tokens, members, webhooks, subscriptions, the audit log, usage, and the viewer's own password and sessions. */
let dashboard: Dashboard
let receiver: Receiver
const hook = () => `http://127.0.0.1:${receiver.port}/hook`

before(async () => {
  if (NO_BROWSER !== false) return
  receiver = await openReceiver()
  dashboard = await openDashboard({ POSTHORN_WEBHOOKS_HTTP: 'on' })
})
after(async () => {
  await receiver?.[Symbol.asyncDispose]()
  await dashboard?.[Symbol.asyncDispose]()
})

const skip = { skip: NO_BROWSER }

async function statusOf(path: string, token: string): Promise<number> {
  const { dev } = dashboard.instance
  return (await checkedFetch(`${dev.api}${path}`, { headers: { authorization: `Bearer ${token}` } })).status
}

test('API tokens: created with permissions, shown once, rolled, disabled, revoked', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/account/tokens'))
  await page.getByRole('button', { name: 'Create token' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Newsletter')
  await dialog.getByRole('button', { name: 'Create token' }).click()
  await dialog.getByText('Choose one permission at least.').waitFor()
  await dialog.locator('button[type="submit"]:focus').waitFor()
  await dialog.getByRole('checkbox', { name: 'Email Sending Read' }).click()
  await dialog.getByRole('button', { name: 'Create token' }).click()
  const shown = page.getByLabel('the secret of the token', { exact: true })
  const first = (await shown.textContent()) ?? ''
  const limits = `/accounts/${dashboard.instance.dev.account_id}/email/sending/limits`
  assert.equal(await statusOf(limits, first), 200)
  assert.equal(await statusOf(`/accounts/${dashboard.instance.dev.account_id}/tokens`, first), 403)
  await dashboard.examine('tokens')

  const actions = page.getByRole('button', { name: 'Actions for Newsletter' })
  await actions.click()
  await page.getByRole('menuitem', { name: 'Roll' }).click()
  await page.getByRole('button', { name: 'Roll the token' }).click()
  await shown.filter({ hasNotText: first }).waitFor()
  const second = (await shown.textContent()) ?? ''
  assert.deepEqual([await statusOf(limits, first), await statusOf(limits, second)], [401, 200])

  const row = page.getByRole('row', { name: /Newsletter/ })
  await actions.click()
  await page.getByRole('menuitem', { name: 'Disable' }).click()
  await row.getByText('disabled').waitFor()
  assert.equal(await statusOf(limits, second), 401)
  await actions.click()
  await page.getByRole('menuitem', { name: 'Revoke' }).click()
  await page.getByRole('button', { name: 'Revoke the token' }).click()
  await row.waitFor({ state: 'detached' })
  await page.reload()
  assert.equal(await shown.count(), 0)
})

const OF_ADMINISTRATORS = {
  'API tokens': '/account/tokens',
  Members: '/account/members',
  'Audit log': '/account/audit-log',
}

test(
  'members: invited by mail, with a password of their own, and what a member may not do',
  skip,
  async () => {
    const { page, instance } = dashboard
    await dashboard.open(dashboard.ofAccount('/account/members'))
    await page.getByRole('button', { name: 'Invite a member' }).click()
    await page.getByRole('dialog').getByLabel('Email').fill('ann@example.com')
    await page.getByRole('button', { name: 'Send the invitation' }).click()
    await page.getByText('The invitation is on its way to ann@example.com.', { exact: false }).waitFor()
    // Only whoever reads the mail of the address sees the link.
    assert.equal(await page.getByLabel('the link of the invitation').count(), 0)
    const { href: link } = await mailedLink(instance, 'ann@example.com')
    await page.getByText('Invited', { exact: true }).waitFor()
    await dashboard.examine('members')

    const other = await dashboard.anotherWindow()
    await other.page.goto(link)
    await other.page.getByText('You are invited to').waitFor()
    await other.page.getByLabel('Choose a password').fill('a password of ann')
    await other.page.getByRole('button', { name: 'Accept the invitation' }).click()
    await other.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    // What a member is refused is not offered, and a link to it says why.
    const places = other.page.getByRole('complementary', { name: 'Posthorn' })
    await places.getByRole('link', { name: 'Webhooks' }).waitFor()
    for (const [name, path] of Object.entries(OF_ADMINISTRATORS)) {
      assert.equal(await places.getByRole('link', { name, exact: true }).count(), 0)
      await other.page.goto(dashboard.ofAccount(path))
      await other.page.getByRole('heading', { level: 1, name }).waitFor()
      await other.page.getByText(/^Only administrators of .+ see /).waitFor()
      assert.equal(await other.page.getByRole('alert').count(), 0)
    }
    await other.page.goto(dashboard.ofAccount('/account/webhooks'))
    await other.page.getByRole('button', { name: 'Add webhook' }).first().waitFor()
    await other.context.close()

    await page.reload()
    await page.getByRole('button', { name: 'Remove ann@example.com' }).click()
    await page.getByRole('button', { name: 'Remove the member' }).click()
    await page.getByRole('row', { name: /ann@example.com/ }).waitFor({ state: 'detached' })
    // The last administrator stays.
    await page
      .getByRole('button', { name: /^Remove / })
      .first()
      .waitFor({ state: 'detached' })
  },
)

test('webhooks: added, tested, told of mail, replayed, disabled, deleted', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open(dashboard.ofAccount('/account/webhooks'))
  await page.getByRole('button', { name: 'Add webhook' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('URL').fill('http://10.0.0.1/hook')
  await dialog.getByRole('button', { name: 'Add webhook' }).click()
  await dialog.locator('input[type="url"][aria-invalid="true"]:focus').waitFor()
  assert.equal(await dialog.getByRole('alert').count(), 0)
  await dialog.getByLabel('URL').fill(hook())
  await dialog.getByLabel('Description').fill('Bounces to the CRM')
  await dialog.getByRole('button', { name: 'Add webhook' }).click()
  await page.getByLabel('the signing secret', { exact: true }).waitFor()
  await dashboard.examine('webhooks')

  await page.getByRole('link', { name: hook() }).click()
  await page.getByRole('button', { name: 'Send a test' }).click()
  await page.getByText('It answered as it should').waitFor()
  await instance.send({
    from: 'news@yourdomain.com',
    to: 'bounce+hook@simulator.posthorn.test',
    subject: 'Told',
    text: 'x',
  })
  const bounced = page.getByRole('button', { name: 'cf.email.sending.message.bounced' })
  await bounced.first().waitFor()
  await dashboard.examine('webhook')
  await bounced.first().click()
  await page.getByText('HTTP 200', { exact: false }).first().waitFor()
  await page.getByRole('button', { name: 'Send again' }).click()
  await page.getByRole('dialog').getByRole('listitem').nth(1).waitFor()
  await page.getByRole('button', { name: 'Close' }).click()

  await page.getByRole('button', { name: 'Disable' }).click()
  await page.getByText('Disabled').waitFor()
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('button', { name: 'Delete the webhook' }).click()
  await page.getByText('Nobody is told yet').waitFor()
})

test('a webhook that is gone says so, with the way back', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount(`/account/webhooks/${'0'.repeat(32)}`))
  await page.getByRole('heading', { level: 1, name: 'Webhook' }).waitFor()
  await page.getByText('There is no such webhook').waitFor()
  await page.getByRole('link', { name: 'All webhooks' }).click()
  await page.getByRole('heading', { level: 1, name: 'Webhooks' }).waitFor()
})

test('of many tokens one is found by a part of its name, the others page by page', skip, async () => {
  const { page, instance } = dashboard
  const { api, account_id, api_token } = instance.dev
  const tokens = `${api}/accounts/${account_id}/tokens`
  const headers = { authorization: `Bearer ${api_token}` }
  const asked = await checkedFetch(`${tokens}/permission_groups?name=Email%20Sending%20Read`, { headers })
  const { result } = (await asked.json()) as { result: readonly { readonly id: string }[] }
  const policies = [
    {
      effect: 'allow',
      permission_groups: [{ id: result[0]?.id }],
      resources: { [`com.cloudflare.api.account.${account_id}`]: '*' },
    },
  ]
  const names = [...Array.from({ length: 60 }, (_, number) => `Program ${number}`), 'W'.repeat(120)]
  for (const name of names)
    await checkedFetch(tokens, { method: 'POST', headers, body: JSON.stringify({ name, policies }) })
  await dashboard.open(dashboard.ofAccount('/account/tokens'))
  await page.getByRole('button', { name: 'Next page' }).click()
  await page.waitForURL(/page=2/)
  await dashboard.examine('tokens-many')
  await page.getByRole('searchbox', { name: 'Search tokens' }).fill('program 59')
  await page.getByRole('row', { name: /Program 59/ }).waitFor()
  assert.equal(await page.getByRole('row').count(), 2)
  await page.getByRole('searchbox', { name: 'Search tokens' }).fill('WWW')
  await page.getByRole('row', { name: /WWW/ }).waitFor()
  await dashboard.examine('tokens-long-name')
})

test('event subscriptions: a queue is subscribed, disabled, deleted', skip, async () => {
  const { page, instance } = dashboard
  const { api, account_id, api_token } = instance.dev
  await dashboard.open(dashboard.ofAccount('/account/subscriptions'))
  await page.getByText('This account has no queue yet').waitFor()
  await dashboard.examine('subscriptions-no-queue')
  assert.equal(await page.getByRole('button', { name: 'Subscribe a queue' }).count(), 0)
  await checkedFetch(`${api}/accounts/${account_id}/queues`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api_token}` },
    body: JSON.stringify({ queue_name: 'mail-events' }),
  })
  await page.getByRole('button', { name: 'Subscribe a queue' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Bounces')
  await dialog.getByRole('checkbox', { name: 'message.bounced' }).click()
  await dialog.getByRole('button', { name: 'Subscribe' }).click()
  await page.getByRole('row', { name: /Bounces mail-events/ }).waitFor()
  await dashboard.examine('subscriptions')
  const enabled = page.getByRole('switch', { name: 'Enabled: Bounces' })
  await enabled.click()
  await page.getByRole('switch', { name: 'Enabled: Bounces', checked: false }).waitFor()
  await page.getByRole('button', { name: 'Delete Bounces' }).click()
  await page.getByRole('button', { name: 'Delete the subscription' }).click()
  await page.getByText('No queue is subscribed').waitFor()
})

test('the audit log has what was done, with before and after', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/account/audit-log'))
  await page.getByText('API token created: Program 59', { exact: true }).waitFor()
  await page.locator('summary').first().click()
  await page.getByRole('heading', { name: 'After' }).first().waitFor()
  await dashboard.examine('audit-log')
  await page.getByRole('combobox', { name: 'Action' }).click()
  await page.getByPlaceholder('Search actions').fill('token created')
  await page.getByRole('option', { name: 'API token created' }).click()
  await page.getByRole('button', { name: 'Search' }).click()
  await page.waitForURL(/action=token.create/)
})

test('usage and limits', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/account/usage'))
  await page.getByRole('heading', { name: 'By month' }).waitFor()
  await page.getByText(new Date().toISOString().slice(0, 7)).waitFor()
  await dashboard.examine('usage')
})

test('sessions: seen, and signed out everywhere', skip, async () => {
  const { page } = dashboard
  const other = await dashboard.anotherWindow()
  await other.page.goto('/sign-in')
  await other.page.getByRole('button', { name: 'Sign in to this development instance' }).click()
  await other.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await dashboard.open('/profile')
  await page.getByText('This one').waitFor()
  await dashboard.examine('profile')
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
  await dashboard.examine('sign-in')
  await other.page.reload()
  await other.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
  await other.context.close()
})
