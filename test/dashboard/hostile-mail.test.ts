import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import type { ActivityBody } from '#contract/activity.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { deployWorker } from '#test/deploy-worker.ts'
import { clobberingBody, hostileBodies, hostileTexts, leavingBody } from '#test/hostile-mail.ts'
import { until } from '#test/queue-world.ts'
import { api, rule, SENDER, toMx } from '#test/routing-instance.ts'

/** Mail that is built to attack whoever looks at it: nothing of it runs, loads, leads away or stands in for the page. */
let dashboard: Dashboard
let elsewhere: Elsewhere
let watched: Watched

before(async () => {
  if (NO_BROWSER !== false) return
  elsewhere = await openElsewhere()
  dashboard = await openDashboard()
  watched = await openWatched()
})
after(async () => {
  await watched?.context.close()
  await dashboard?.[Symbol.asyncDispose]()
  elsewhere?.[Symbol.dispose]()
})

beforeEach(() => {
  if (elsewhere) elsewhere.heard.length = 0
})

const skip = { skip: NO_BROWSER }
const from = 'app@yourdomain.com'

interface Elsewhere extends Disposable {
  readonly url: string
  /** Whoever connected, and what they asked for first; '' where they asked for nothing. */
  readonly heard: string[]
}

async function openElsewhere(): Promise<Elsewhere> {
  const heard: string[] = []
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    const place = heard.push('') - 1
    socket.on('error', () => {})
    socket.once('data', (data) => {
      heard[place] = data.toString('latin1').split('\r\n', 1)[0] ?? ''
      socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    ...{ url: `http://127.0.0.1:${address.port}`, heard },
    [Symbol.dispose]() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

interface Watched {
  readonly context: BrowserContext
  readonly page: Page
  /** What the mail did: dialogs, windows, downloads, pages that the window went to. */
  readonly done: string[]
}

/** The same person in a window whose policy may be violated: here that is the policy at work. */
async function openWatched(signedIn = true): Promise<Watched> {
  const context = await dashboard.browser.newContext({
    baseURL: dashboard.instance.dev.dashboard,
    ...(signedIn && { storageState: await dashboard.page.context().storageState() }),
  })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const done: string[] = []
  context.on('dialog', (dialog) => {
    done.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss().catch(() => {})
  })
  page.on('download', (download) => done.push(`download: ${download.url()}`))
  context.on('page', (popup) => done.push(`window: ${popup.url()}`))
  return { context, page, done }
}

/** That the page is the one that was opened, still works, and nothing happened beside it. */
async function assertUnharmed(path: string, clicked?: string): Promise<void> {
  const { page, done } = watched
  // What was to happen by itself would have happened by then.
  await page.waitForTimeout(150)
  assert.deepEqual(done, [])
  // Who clicks a link has Chromium connect before it learns that the link leads nowhere; it asks for nothing.
  const heard = elsewhere.heard.filter((line) => clicked === undefined || line !== '')
  assert.deepEqual(heard, [], clicked ?? path)
  const here = new URL(page.url())
  assert.equal(here.origin, new URL(dashboard.instance.dev.dashboard).origin)
  assert.equal(here.pathname, new URL(path, here.origin).pathname)
  const state = await page.evaluate<Record<string, unknown>>(`({
    hit: window.hit === undefined,
    root: document.getElementById('root')?.contains(document.querySelector('main h1')),
    roots: document.querySelectorAll('#root').length,
    lookup: typeof document.getElementById === 'function' && document.querySelector('form[name=document]') === null,
    bases: document.querySelectorAll('base').length,
    scripts: [...document.scripts].filter(({ src }) => !src.startsWith(location.origin)).length,
    frames: [...document.querySelectorAll('iframe')].every((frame) => frame.getAttribute('sandbox') === ''),
  })`)
  assert.deepEqual(state, {
    ...{ hit: true, root: true, roots: 1, lookup: true, bases: 0, scripts: 0, frames: true },
  })
}

async function send(mail: { readonly subject: string; readonly html: string; readonly text?: string }) {
  const name = mail.text ?? 'x'
  const { status, body } = await dashboard.instance.send({
    ...{ from: { address: from, name }, to: ['reader@example.com'], text: 'x', ...mail },
    headers: { 'X-Hostile': name },
    attachments: [
      {
        content: 'eA==',
        filename: `${name.replaceAll('/', '')}.svg`,
        type: 'image/svg+xml',
        disposition: 'attachment',
      },
    ],
  })
  assert.equal(status, 200, JSON.stringify(body))
  const id = body.result?.message_id ?? assert.fail()
  const [inInbox] = await dashboard.instance.inbox(`message-id:${id.slice(1, -1)}`)
  return { id, page: `/messages/${encodeURIComponent(id)}`, inbox: `/inbox/${inInbox?.ID}` }
}

test('what the attacks do where nothing is in their way', skip, async () => {
  const bare = await openWatched(false)
  using other = await openElsewhere()
  for (const html of hostileBodies(other.url)) {
    const page = await bare.context.newPage()
    // Some of it never ends loading.
    void page.setContent(html).catch(() => {})
  }
  const asked = (path: string) => other.heard.some((line) => line.includes(path))
  await until(
    () =>
      (bare.done.some((what) => what.startsWith('dialog')) && asked('/img') && asked('/ran')) || undefined,
  )
  await bare.context.close()
})

test('HTML that attacks, in the page of the message and in the inbox', skip, async () => {
  const { page } = watched
  for (const [index, html] of hostileBodies(elsewhere.url).entries()) {
    const sent = await send({ subject: `Attack ${index}`, html })
    for (const path of [`${dashboard.ofAccount(sent.page)}?tab=preview`, sent.inbox]) {
      await page.goto(path)
      await page.getByRole('heading', { level: 1, name: `Attack ${index}` }).waitFor()
      await page
        .frameLocator('iframe[title="The message"]')
        .getByText('the end of the mail')
        .first()
        .waitFor({ state: 'attached' })
      await assertUnharmed(path)
    }
  }
})

test('links and forms of a mail lead nowhere, whoever clicks them', skip, async () => {
  const { page } = watched
  const sent = await send({ subject: 'Click here', html: leavingBody(elsewhere.url) })
  for (const path of [`${dashboard.ofAccount(sent.page)}?tab=preview`, sent.inbox]) {
    for (const name of ['script', 'top', 'window', 'form', 'file', 'here', 'self', 'svg']) {
      await page.goto(path)
      const frame = page.frameLocator('iframe[title="The message"]')
      await frame.locator(`#${name}`).click()
      await assertUnharmed(path, name)
      // Nor does an error take the message's place.
      await frame.getByText('the end of the mail').waitFor()
    }
    // Where they lead is said below it; what is no address of the web is left out.
    const links = page.getByRole('region', { name: 'Links' })
    await links.getByText(`${elsewhere.url}/here`).waitFor()
    assert.equal(await links.getByRole('link', { name: 'script' }).count(), 0)
  }
})

test('names and ids of a mail stand in for nothing of the page', skip, async () => {
  const { page } = watched
  const sent = await send({ subject: 'Clobbering', html: clobberingBody(elsewhere.url) })
  for (const path of [`${dashboard.ofAccount(sent.page)}?tab=preview`, sent.inbox]) {
    await page.goto(path)
    await page.frameLocator('iframe[title="The message"]').getByText('the end of the mail').waitFor()
    await assertUnharmed(path)
    await page.getByRole('tab', { name: 'Source' }).click()
    await page.getByText('MIME-Version: 1.0').waitFor()
  }
})

test('subjects, names, file names and header fields are text wherever they stand', skip, async () => {
  const { page } = watched
  for (const [index, text] of hostileTexts(elsewhere.url).entries()) {
    const subject = `${index} ${text}`
    const sent = await send({ subject, html: '<p>x</p>', text })
    const heading = page.getByRole('heading', { level: 1 }).getByText(`${index} `, { exact: false })
    const message = dashboard.ofAccount(sent.page)
    await page.goto(message)
    await heading.waitFor()
    // Nothing of it was taken for markup.
    if (!/\p{Bidi_Control}/u.test(subject)) assert.equal(await heading.textContent(), subject)
    for (const tab of ['Timeline', 'Source', 'Headers', 'Attachments']) {
      await page.getByRole('tab', { name: tab }).click()
      await page.getByRole('region', { name: tab, exact: true }).waitFor()
      if (tab === 'Attachments') await page.getByText('image/svg+xml').waitFor()
      await assertUnharmed(message)
    }
    await page.goto(sent.inbox)
    await heading.waitFor()
    for (const tab of ['Headers', 'Attachments']) {
      await page.getByRole('tab', { name: tab }).click()
      await assertUnharmed(sent.inbox)
    }
  }
  for (const path of ['/inbox', dashboard.ofAccount('/sending/activity')]) {
    await page.goto(path)
    await page.getByText(/^0 /).first().waitFor()
    await assertUnharmed(path)
  }
})

test('mail that came in, and what a Worker says of it', skip, async () => {
  const { page } = watched
  const { instance } = dashboard
  const text = hostileTexts(elsewhere.url)[0] ?? assert.fail()
  const code = `export default { async email() { throw new Error(${JSON.stringify(text)}) } }`
  await deployWorker(instance, 'hostile', { modules: { 'index.js': code } })
  await rule(instance, 'w@yourdomain.com', { type: 'worker', value: ['hostile'] })
  const sender = '"<svg/onload=alert(1)>"@pass.posthorn.test'
  const content = `From: ${SENDER}\nTo: w@yourdomain.com\nSubject: ${text}\nMessage-ID: <<img/src=x/onerror=alert(1)>@x>\n\nHello\n`
  await toMx(instance, { from: sender, to: 'w@yourdomain.com', content })
  const path = `/accounts/${instance.dev.account_id}/email/activity?direction=routing`
  const line = await until(async () =>
    (await api<ActivityBody[]>(instance, 'GET', path)).find(({ from }) => from === sender),
  )
  const log = dashboard.ofAccount('/routing/activity')
  await page.goto(log)
  await page.getByText(sender).first().waitFor()
  await assertUnharmed(log)
  const message = dashboard.ofAccount(`/messages/${line.message_id}`)
  await page.goto(message)
  await page
    .getByRole('region', { name: 'Timeline' })
    .getByText(/onerror|script/i)
    .first()
    .waitFor()
  await assertUnharmed(message)
  const analytics = dashboard.ofAccount('/routing/analytics')
  await page.goto(analytics)
  await page.getByRole('region', { name: 'By routing rule' }).getByRole('listitem').first().waitFor()
  await assertUnharmed(analytics)
})
