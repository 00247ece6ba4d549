import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { OperatorUser } from '#contract/operator-users.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { openBrowser } from '#test/http-browser.ts'
import { mailedLink } from '#test/mailed-links.ts'
import { askOperator } from '#test/operator.ts'

/** A forgotten password, from the sign-in through the inbox and back. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }
const EMAIL = 'ann@example.com'

test('a forgotten password: asked for, mailed, chosen anew, and signed in', skip, async () => {
  const { page, instance } = dashboard
  const body = { email: EMAIL, account_id: instance.dev.account_id, password: 'the old password' }
  assert.equal((await askOperator<OperatorUser>(instance, 'POST', '/users', { body })).status, 200)
  const elsewhere = openBrowser(instance)
  assert.equal((await elsewhere.signIn(EMAIL, 'the old password')).status, 200)

  const { page: other, context } = await dashboard.anotherWindow()
  await other.goto('/sign-in')
  await other.getByLabel('Email').fill(EMAIL)
  await other.getByLabel('Password').fill('what was it')
  await other.getByRole('button', { name: 'Sign in', exact: true }).click()
  await other.getByText('The e-mail address or the password is wrong.').waitFor()
  await other.getByRole('link', { name: 'Forgot your password?' }).click()
  await other.getByRole('heading', { level: 1, name: 'Reset your password' }).waitFor()
  assert.equal(new URL(other.url()).search, '')
  // What was written at the sign-in need not be written again.
  assert.equal(await other.getByLabel('Email').inputValue(), EMAIL)
  await other.getByLabel('Email').fill('ann@nowhere')
  await other.getByRole('button', { name: 'Send the link' }).click()
  const wrong = other.getByText(/two labels|domain/i)
  await wrong.first().waitFor()
  assert.equal(await other.getByRole('alert').count(), 0, 'it is said at the field')
  await other.getByLabel('Email').fill(EMAIL)
  await other.getByRole('button', { name: 'Send the link' }).click()
  await other.getByRole('heading', { level: 1, name: 'Look into your mail' }).waitFor()
  const words = async () => (await other.getByRole('main').innerText()).replace(/\S+@\S+/g, '…')
  const ofKnown = await words()
  await other.getByRole('button', { name: 'Use another address' }).click()
  await other.getByLabel('Email').fill('nobody@example.com')
  await other.getByRole('button', { name: 'Send the link' }).click()
  await other.getByText('nobody@example.com').waitFor()
  assert.equal(await words(), ofKnown)

  // As whoever reads the mail does: by its own page, in the inbox.
  await mailedLink(instance, EMAIL)
  await page.goto('/inbox')
  await page.getByText('Reset your password').first().click()
  const link = await mailedLink(instance, EMAIL)
  await page.getByText(link.hash).first().waitFor()

  const requests: { readonly url: string; readonly referer: string }[] = []
  other.on('request', (request) =>
    requests.push({ url: request.url(), referer: request.headers()['referer'] ?? '' }),
  )
  await other.goto(link.href)
  await other.getByRole('heading', { level: 1, name: 'Choose a new password' }).waitFor()
  assert.equal(await other.getByLabel('Email').inputValue(), EMAIL)
  const password = other.getByLabel('New password')
  await password.fill('p'.repeat(300))
  await other.getByRole('button', { name: 'Set the password and sign in' }).click()
  await other.getByText(/256 characters at most/).waitFor()
  assert.equal(await other.getByRole('alert').count(), 0)
  await password.fill('the new password')
  await other.getByRole('button', { name: 'Set the password and sign in' }).click()
  await other.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await other.getByText('Your password is changed').waitFor()
  const token = link.hash.slice(1)
  for (const { url, referer } of requests) {
    const [sent] = url.split('#')
    assert.deepEqual([sent?.includes(token), referer], [false, ''], url)
  }
  assert.equal((await elsewhere.ask('GET', '/client/v4/zones')).status, 401)
  assert.equal((await openBrowser(instance).signIn(EMAIL, 'the new password')).status, 200)

  await other.goto('/')
  await other.goto(link.href)
  await other.getByRole('heading', { level: 1, name: 'This link does not work' }).waitFor()
  await other.getByRole('link', { name: 'Send another link' }).click()
  await other.getByRole('heading', { level: 1, name: 'Reset your password' }).waitFor()
  await context.close()
})

test('the pages, looked at', skip, async () => {
  const { page, instance } = dashboard
  await page.goto('/sign-in')
  await page.getByRole('link', { name: 'Forgot your password?' }).waitFor()
  await dashboard.examine('sign-in-forgot')
  await page.goto('/forgot-password')
  await page.getByLabel('Email').fill('x@y')
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page
    .getByText(/domain/i)
    .first()
    .waitFor()
  await dashboard.examine('forgot-password')
  await page.getByLabel('Email').fill(EMAIL)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page.getByRole('heading', { level: 1, name: 'Look into your mail' }).waitFor()
  await dashboard.examine('forgot-password-asked')
  const { href } = await mailedLink(instance, EMAIL, 2)
  await page.goto(href)
  await page.getByLabel('New password').waitFor()
  await dashboard.examine('reset-password')
  await page.goto('/reset-password#nothing')
  await page.getByRole('heading', { level: 1, name: 'This link does not work' }).waitFor()
  await dashboard.examine('reset-password-gone')
})

test('the profile: a wrong password is said at its field, a session by its browser', skip, async () => {
  const { browser, instance } = dashboard
  const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0'
  const context = await browser.newContext({
    baseURL: new URL(instance.dev.api).origin,
    userAgent: windows,
  })
  const other = await context.newPage()
  await other.goto('/')
  await other.getByRole('button', { name: 'Sign in to this development instance' }).click()
  await other.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await other.goto('/profile')
  await other.getByRole('cell', { name: 'Firefox 141 on Windows' }).waitFor()
  await other.getByRole('cell', { name: /^Chrome \d+ on Linux$/ }).waitFor()
  const current = other.getByLabel('Current password')
  await current.fill('another one than it is')
  await other.getByLabel('New password').fill('ten characters')
  await other.getByRole('button', { name: 'Change password' }).click()
  await other.getByText('The current password is another.').waitFor()
  await other.locator('input[name="current_password"]:focus').waitFor()
  assert.equal(await other.getByText('The current password is another.').count(), 1)
  assert.equal(await other.getByRole('alert').count(), 0)
  await context.close()
})

test('where no mail can be sent, the page says who sets a password', skip, async () => {
  const { page } = dashboard
  // By a proxy others ask, who would read what comes into the inbox of a development instance.
  await page.setExtraHTTPHeaders({ 'x-forwarded-for': '203.0.113.5' })
  await page.goto('/forgot-password')
  await page.getByText('This installation cannot send mail to you').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Send the link' }).count(), 0)
  await dashboard.examine('forgot-password-no-mail')
})
