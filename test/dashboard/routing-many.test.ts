import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { api, rule } from '#test/routing-instance.ts'

/** More domains and rules than anybody reads, and letters twice as large. */
let dashboard: Dashboard
const skip = { skip: NO_BROWSER }
const ZONE = 'yourdomain.com'
const ZONES = 60
const RULES = 24

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  const { instance } = dashboard
  for (let number = 0; number < ZONES; number++)
    await api(instance, 'POST', '/zones', { name: `zone${number}.example` })
  for (let number = 0; number < RULES; number++)
    await rule(instance, `someone${number}@${ZONE}`, { type: 'drop' })
})
after(() => dashboard?.[Symbol.asyncDispose]())

test('of many domains one is found by a part of its name, the others page by page', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/routing/domains'))
  await page.getByRole('button', { name: 'Next page' }).click()
  await page.waitForURL(/page=2/)
  await dashboard.examine('routing-domains-many')
  const search = page.getByRole('searchbox', { name: 'Search domains' })
  await search.fill('ZONE59')
  await page.getByRole('link', { name: 'zone59.example', exact: true }).waitFor()
  assert.match(page.url(), /\?name=ZONE59$/)
  await search.fill('nowhere')
  await page.getByText('No domain has that in its name.').waitFor()
})

test('of many rules one is found; letters twice as large leave all of it in the window', skip, async () => {
  const { page, instance } = dashboard
  await dashboard.open(dashboard.ofAccount(`/routing/domains/${instance.dev.zone_id}`))
  const rows = page.getByRole('list', { name: 'Routing Rules' }).getByRole('listitem')
  await rows.nth(RULES - 1).waitFor()
  await page.getByRole('button', { name: `Move the rule for someone3@${ZONE} up` }).waitFor()
  const search = page.getByRole('searchbox', { name: 'Search rules' })
  await search.fill('someone3@')
  await rows.nth(1).waitFor({ state: 'detached' })
  // Between what is left out there is no place to move to.
  assert.equal(await page.getByRole('button', { name: /^Move the rule/ }).count(), 0)
  await dashboard.examine('routing-rules-found')
  await search.fill('')
  await page.evaluate('document.documentElement.style.fontSize = "200%"')
  await rows.nth(RULES - 1).waitFor()
  const wide = await page
    .getByRole('main')
    .evaluate(
      (main) =>
        [...main.querySelectorAll('*')].filter((part) => part.getBoundingClientRect().right > 1281).length,
    )
  assert.equal(wide, 0)
})
