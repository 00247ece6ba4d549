import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'

/** What is around every page: keyboard, colours, small screens, links that are shared, and what a first visit costs. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }

test('by keyboard: past the menu, and anywhere by typing', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/overview'))
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate('document.activeElement?.textContent'), 'Skip to the page')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate('document.activeElement?.id'), 'page')
  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Go to…').fill('audit')
  await page.getByRole('option', { name: 'Audit log' }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Audit log' }).waitFor()
})

test('dark colours are chosen once, and stay', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/overview'))
  await page.getByRole('button', { name: 'Use dark colours' }).click()
  await page.reload()
  await page.getByRole('button', { name: 'Use light colours' }).waitFor()
  assert.equal(await page.evaluate('document.documentElement.dataset.mode'), 'dark')
  await page.getByRole('button', { name: 'Use light colours' }).click()
})

test('on a phone the menu opens over the page, and closes behind whoever goes', skip, async () => {
  const { page } = dashboard
  await page.setViewportSize({ width: 390, height: 844 })
  await dashboard.open(dashboard.ofAccount('/overview'))
  await page.getByRole('button', { name: 'Menu' }).click()
  const menu = page.getByRole('navigation', { name: 'Posthorn' })
  await menu.getByRole('link', { name: 'Usage and limits' }).click()
  await page.getByRole('heading', { level: 1, name: 'Usage and limits' }).waitFor()
  await menu.waitFor({ state: 'hidden' })
  await page.setViewportSize({ width: 1280, height: 800 })
})

test('on a phone with text of twice the size nothing of the top is cut off', skip, async () => {
  const { page } = dashboard
  await page.setViewportSize({ width: 390, height: 844 })
  await dashboard.open(dashboard.ofAccount('/workers'))
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.evaluate("document.documentElement.style.fontSize = '200%'")
  const box = await page.getByRole('button', { name: 'You' }).boundingBox()
  assert.ok(box !== null && box.x + box.width <= 390, JSON.stringify(box))
  await page.setViewportSize({ width: 1280, height: 800 })
})

test('what a link says of a page is passed over where the page knows no such thing', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/suppressions?reason=nonsense'))
  await page.getByText('Nobody is suppressed').waitFor()
  await dashboard.open(dashboard.ofAccount(`/routing/domains/${instance.dev.zone_id}?tab=nonsense`))
  await page.getByRole('tab', { name: 'Routing Rules', selected: true }).waitFor()
})

test('a link to a page leads there by way of the sign-in, and nowhere else', skip, async () => {
  const { page, context } = await dashboard.anotherWindow()
  await page.goto(dashboard.ofAccount('/account/audit-log?action=token.create'))
  await page.getByRole('button', { name: 'Sign in to this development instance' }).click()
  await page.getByRole('heading', { level: 1, name: 'Audit log' }).waitFor()
  assert.match(page.url(), /account\/audit-log\?action=token\.create$/)
  await context.clearCookies()
  for (const elsewhere of ['//evil.example/', '/\\evil.example', 'https://evil.example/']) {
    await page.goto(`/sign-in?next=${encodeURIComponent(elsewhere)}`)
    await page.getByRole('button', { name: 'Sign in to this development instance' }).click()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await context.clearCookies()
  }
  await context.close()
})

test('a password that is wrong is said, and the right one signs in', skip, async () => {
  const { page, context } = await dashboard.anotherWindow()
  const { email, password } = dashboard.instance.dev.admin
  await page.goto('/sign-in')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill('not this one')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('alert').waitFor()
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await context.close()
})

test('what is not there says so: a page, and another’s account', skip, async () => {
  const { page } = dashboard
  for (const path of [dashboard.ofAccount('/nothing'), `/${'0'.repeat(32)}/overview`]) {
    await dashboard.open(path)
    await page.getByText('There is no such page').waitFor()
  }
  await dashboard.examine('no-such-page')
})

test('nobody frames it, and no script runs but its own files', skip, async () => {
  const { instance } = dashboard
  const { headers } = await fetch(`${instance.dev.dashboard}/`, { headers: { accept: 'text/html' } })
  const policy = headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /script-src 'self';/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.equal(headers.get('x-frame-options'), 'DENY')
  // In a window that is not watched for violations, since here is one.
  const context = await dashboard.browser.newContext()
  const window = await context.newPage()
  await window.goto(`${instance.dev.dashboard}/sign-in`)
  const ran = await window.evaluate<boolean>(`(() => {
    const script = document.createElement('script')
    script.textContent = 'window.ran = true'
    const violated = new Promise((resolve) => document.addEventListener('securitypolicyviolation', () => resolve(false)))
    document.head.append(script)
    return window.ran === true ? true : violated
  })()`)
  assert.equal(ran, false)
  await context.close()
})

test('the first visit loads less than 250 kB of script', skip, async () => {
  const folder = process.env['POSTHORN_DASHBOARD'] ?? join(import.meta.dirname, '../../dashboard/dist')
  const index = readFileSync(join(folder, 'index.html'), 'utf8')
  const first = [...index.matchAll(/assets\/[\w.-]+\.js/g)].map(([path]) => path)
  const size = first.reduce((sum, path) => sum + gzipSync(readFileSync(join(folder, path))).length, 0)
  assert.ok(first.length > 0 && size < 250_000, `${size} octets`)
  const charts = readdirSync(join(folder, 'assets')).filter((name) =>
    readFileSync(join(folder, 'assets', name), 'latin1').includes('axisPointer'),
  )
  assert.ok(
    charts.length > 0 && charts.every((name) => !index.includes(name)),
    'charts come where they are shown',
  )
})

test(
  'whoever is signed out in another tab signs in again, and comes back; a session begun anew there goes on here',
  skip,
  async () => {
    const { context, page } = await dashboard.anotherWindow()
    const other = await context.newPage()
    async function signIn(there: Page) {
      await there.getByRole('button', { name: 'Sign in to this development instance' }).click()
    }
    async function signOutElsewhere() {
      await other.goto('/profile')
      await other.getByRole('button', { name: 'You' }).click()
      await other.getByRole('menuitem', { name: 'Sign out' }).click()
      await other.waitForURL(/sign-in/)
    }
    const list = dashboard.ofAccount('/sending/suppressions')
    async function addAddress(address: string) {
      await page.getByRole('button', { name: 'Add address' }).first().click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Address').fill(address)
      await dialog.getByRole('button', { name: 'Add address' }).click()
    }
    await page.goto(list)
    await signIn(page)
    await page.getByRole('heading', { level: 1, name: 'Suppressions' }).waitFor()

    await signOutElsewhere()
    await addAddress('one@example.com')
    await page.waitForURL(/sign-in/)
    await signIn(page)
    await page.waitForURL(`**${list}`)

    await signOutElsewhere()
    await signIn(other)
    await other.getByRole('heading', { level: 1 }).waitFor()
    await addAddress('two@example.com')
    await page.getByText('two@example.com').waitFor()
    await context.close()
  },
)
