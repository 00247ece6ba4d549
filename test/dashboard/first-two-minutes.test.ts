import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_BROWSER, openDashboard } from '#test/browser.ts'

/** A person who has never seen the dashboard signs in, onboards a domain, sends a test and finds it in the log. What they
 *  press is counted, and bounded: each click is one thing more to understand. */
const MOST_CLICKS = 6
const TWO_MINUTES_MS = 120_000

test('from the sign-in to a message in the log', { skip: NO_BROWSER }, async (t) => {
  await using dashboard = await openDashboard({ POSTHORN_DEV_ZONES: 'unused.example' })
  const { context, page } = await dashboard.anotherWindow()
  const clicks: string[] = []
  const press = async (role: 'button' | 'link', name: string) => {
    clicks.push(name)
    await page.getByRole('main').getByRole(role, { name }).click()
  }
  const began = Date.now()

  await page.goto('/')
  await press('button', 'Sign in to this development instance')
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()

  await press('link', 'Onboard a domain')
  // The field has the focus: one types, and presses Enter.
  await page.getByRole('textbox', { name: 'Domain' }).waitFor()
  await page.keyboard.type('shop.example')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Records for shop.example' }).waitFor()
  await page.getByText('_domainkey').first().waitFor()
  await press('button', 'Done')
  await page.getByRole('heading', { level: 1, name: 'shop.example' }).waitFor()
  await page.getByText('6 of 6 records found').waitFor()

  await press('link', 'Send a test')
  await press('button', 'Send')
  const result = page.getByRole('status', { name: 'Result' })
  await result.getByText('Delivered', { exact: true }).waitFor()

  await press('link', 'See it in the log')
  await page.getByRole('heading', { level: 1, name: 'Activity log' }).waitFor()
  await page.getByText('A test from Posthorn').first().waitFor()
  const took = Date.now() - began

  t.diagnostic(`${clicks.length} clicks: ${clicks.join(' → ')}; ${(took / 1000).toFixed(1)} s for a machine`)
  assert.ok(clicks.length <= MOST_CLICKS, `${clicks.length} clicks: ${clicks.join(', ')}`)
  assert.ok(took < TWO_MINUTES_MS)
  const [arrived] = await dashboard.instance.inbox('subject:"A test from Posthorn"')
  assert.equal(arrived?.From.Address, 'hello@shop.example')
  await context.close()
})
