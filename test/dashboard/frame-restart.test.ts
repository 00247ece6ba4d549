import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { NO_BROWSER, openDashboard } from '#test/browser.ts'

/** Comes back at the address that it had. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  server.close()
  await once(server, 'close')
  return String(address.port)
}

test('while the server is down a page not visited before says so; once it is back the page comes by itself', {
  skip: NO_BROWSER,
}, async () => {
  await using dashboard = await openDashboard({ POSTHORN_HTTP_PORT: await freePort() })
  const { instance } = dashboard
  // In a window that is not watched for errors: React reports what the page then shows.
  const context = await dashboard.browser.newContext({
    baseURL: instance.dev.dashboard,
    storageState: await dashboard.page.context().storageState(),
  })
  const page = await context.newPage()
  await page.goto(dashboard.ofAccount('/overview'))
  const places = page.getByRole('navigation', { name: 'Places' })
  const headingOf = (name: string) => page.getByRole('heading', { level: 1, name })
  await headingOf('Overview').waitFor()
  await page.evaluate('window.isTheSame = true')
  await instance.kill()

  await places.getByRole('link', { name: 'Members' }).click()
  await headingOf('This page could not be shown').waitFor()
  await page.getByText('The server does not answer.').waitFor()
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('button', { name: 'Try again', disabled: false }).waitFor()
  await places.getByRole('link', { name: 'Audit log' }).click()
  await page.waitForURL(/audit-log/)
  await headingOf('This page could not be shown').waitFor()

  await instance.restart()
  await headingOf('Audit log').waitFor()
  await places.getByRole('link', { name: 'Members' }).click()
  await headingOf('Members').waitFor()
  assert.equal(await page.evaluate('window.isTheSame'), true, 'the window was never loaded anew')
})
