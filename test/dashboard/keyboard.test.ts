import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { until } from '#test/queue-world.ts'

/** The dashboard without a mouse: where the focus is, and that it is always somewhere. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }

/** What has the focus: its id, or its name. */
async function focused(page: Page): Promise<string> {
  return page.evaluate<string>(`(() => {
    const element = document.activeElement
    if (element === null || element === document.body) return 'nothing'
    return element.id === 'page' ? 'the page' : (element.getAttribute('aria-label') ?? element.getAttribute('placeholder') ?? element.textContent)
  })()`)
}

async function focusIs(page: Page, wanted: string): Promise<void> {
  let last = ''
  await until(async () => {
    last = await focused(page)
    return last === wanted || undefined
  }).catch(() => assert.equal(last, wanted))
}

const menu = (page: Page) => page.getByPlaceholder('Go to…')

test('the command menu opens, finds, goes, and gives the focus back', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/overview'))
  const button = page.getByRole('button', { name: /^Go to…/ })
  await button.focus()
  await page.keyboard.press('Enter')
  await menu(page).waitFor()
  await focusIs(page, 'Go to…')
  await dashboard.examine('command-menu')
  await page.keyboard.press('Escape')
  await menu(page).waitFor({ state: 'detached' })
  await focusIs(page, (await button.textContent()) ?? '')

  // From wherever one is; what was written before is gone.
  await page.keyboard.press('Control+k')
  await page.keyboard.type('domains')
  const options = page.getByRole('option')
  await page.getByRole('option', { name: 'Domains' }).nth(1).waitFor()
  assert.equal(await options.count(), 2)
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Email Routing' }).waitFor()
  await focusIs(page, 'the page')

  await page.keyboard.press('Control+k')
  await menu(page).waitFor()
  assert.equal(await menu(page).inputValue(), '')
  await page.keyboard.type('nothing of that name')
  await page.getByText('Nothing has that name.').waitFor()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Control+a')
  // What is found first is chosen without an arrow.
  await page.keyboard.type('audit')
  await page.getByRole('option', { name: 'Audit log' }).waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Audit log' }).waitFor()
  await focusIs(page, 'the page')
})

test('the command menu closes by its own keys', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/overview'))
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await page.keyboard.press('Control+k')
  await menu(page).waitFor()
  await page.keyboard.press('Control+k')
  await menu(page).waitFor({ state: 'detached' })
})

test('who goes to another page begins at its top, and who changes its tab stays', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/overview'))
  const link = page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Webhooks' })
  await link.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Webhooks' }).waitFor()
  await focusIs(page, 'the page')
  assert.equal(await page.getByRole('main', { name: 'Webhooks' }).count(), 1)
  await page.keyboard.press('Tab')
  await focusIs(page, 'Add webhook')

  await dashboard.open(dashboard.ofAccount(`/messages/${await sent('tabs@example.com')}`))
  await page.getByRole('tab', { name: 'Timeline' }).focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await page.waitForURL(/tab=preview/)
  await focusIs(page, 'Preview')
})

async function sent(to: string): Promise<string> {
  const { body } = await dashboard.instance.send({ from: 'app@yourdomain.com', to, subject: 's', text: 'x' })
  return encodeURIComponent(body.result?.message_id ?? '')
}

test(
  'a dialog takes the focus and gives it back, and to the page where what opened it is gone',
  skip,
  async () => {
    const { page } = dashboard
    await dashboard.open('/installation/queue')
    const open = page.getByRole('button', { name: 'Pause a destination' })
    await open.focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Pause a destination' })
    await dialog.waitFor()
    // It keeps it.
    for (let press = 0; press < 12; press++) {
      await page.keyboard.press('Tab')
      // At the end of the round a guard has it for a moment.
      const inDialog = `document.activeElement.closest('[role=dialog]') !== null`
      await until(async () => (await page.evaluate<boolean>(inDialog)) || undefined)
    }
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await focusIs(page, 'Pause a destination')

    await page.reload()
    const recipient = 'deferred+keyboard@simulator.posthorn.test'
    await sent(recipient)
    const actions = page.getByRole('button', { name: `Actions for the mail to ${recipient}` })
    const ask = page.getByRole('dialog', { name: /^Cancel the mail to/ })
    const openAsk = async () => {
      await actions.focus()
      await page.keyboard.press('Enter')
      await page.getByRole('menuitem', { name: 'Cancel' }).waitFor()
      await page.keyboard.press('End')
      await page.keyboard.press('Enter')
      await ask.waitFor()
    }
    await openAsk()
    await page.keyboard.press('Escape')
    await ask.waitFor({ state: 'detached' })
    await focusIs(page, `Actions for the mail to ${recipient}`)
    await openAsk()
    await ask.getByRole('button', { name: 'Cancel the delivery' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('Nothing waits').waitFor()
    await focusIs(page, 'the page')
  },
)
