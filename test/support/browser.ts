import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { AxeResults } from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { type Instance, startInstance } from './instance.ts'

/** Of the system; tests that look at pages skip without one. */
const CHROMIUM = process.env['POSTHORN_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
export const NO_BROWSER = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}`

/** Where pictures of pages go (`npm run screenshots`), never into the repository. Without it none are taken: drawing four of
 *  each page takes longer than everything else that is done to it. */
const PICTURES = process.env['POSTHORN_SCREENSHOTS']
const VIEWPORTS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const

// The browser itself would call home, and fail to.
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A development instance and somebody who looks at its dashboard. */
export interface Dashboard extends AsyncDisposable {
  readonly instance: Instance
  readonly browser: Browser
  /** In a window of a desktop; signed in by the one click of development. */
  readonly page: Page
  /** `/<account id>` and the path below it. */
  ofAccount(path: string): string
  /** Opens a page of the instance; `path` begins with a slash. */
  open(path: string): Promise<void>
  /** Has the page examined as a desktop and as a phone show it, in light and in dark: nothing that hinders people, nothing
   *  wider than the screen. Takes its picture each time, where somebody wants to look. */
  examine(name: string): Promise<void>
  /** Somebody else's window, who is not signed in. */
  anotherWindow(): Promise<{ readonly context: BrowserContext; readonly page: Page }>
}

/** Disposing asserts that no page failed, that none asked anybody but the instance for anything, and that no dialog of
 *  a script opened. */
export async function openDashboard(environment: Record<string, string> = {}): Promise<Dashboard> {
  // Of a dashboard that is being worked on, another build than the one that is served.
  const { POSTHORN_DASHBOARD } = process.env
  const instance = await startInstance({ ...(POSTHORN_DASHBOARD && { POSTHORN_DASHBOARD }), ...environment })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })
  const origin = new URL(instance.dev.api).origin
  const faults: string[] = []

  async function newPage() {
    const context = await browser.newContext({ viewport: VIEWPORTS.desktop, baseURL: origin })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin })
    const page = await context.newPage()
    watch(page, origin, faults)
    return { context, page }
  }

  const { page } = await newPage()
  await page.goto('/')
  await page.getByRole('button', { name: 'Sign in to this development instance' }).click()
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  return {
    instance,
    browser,
    page,
    ofAccount: (path) => `/${instance.dev.account_id}${path}`,
    async open(path) {
      await page.goto(path)
    },
    examine: (name) => examine(page, name),
    anotherWindow: newPage,
    async [Symbol.asyncDispose]() {
      await browser.close()
      await instance[Symbol.asyncDispose]()
      assert.deepEqual(faults, [])
    },
  }
}

function watch(page: Page, origin: string, faults: string[]): void {
  page.setDefaultTimeout(15_000)
  page.on('pageerror', (error) => faults.push(`page: ${error.message}`))
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    // A refused request is the page's to show; a policy that was violated is its fault.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
      faults.push(`console: ${message.text()}`)
    }
  })
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(origin) && !/^(?:data|blob|about):/.test(url)) faults.push(`request: ${url}`)
  })
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

async function examine(page: Page, name: string): Promise<void> {
  if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true })
  // What lists ask for again and again leaves no idle moment: nothing is on its way that was never there.
  await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
  for (const [kind, viewport] of Object.entries(VIEWPORTS)) {
    await page.setViewportSize(viewport)
    await page.evaluate(TWO_FRAMES)
    const width = await page.evaluate<number>('document.documentElement.scrollWidth')
    assert.ok(width <= viewport.width, `${name} is ${width} pixels wide on a ${kind}`)
    for (const mode of ['light', 'dark'] as const) {
      await page.evaluate(`document.documentElement.dataset.mode = '${mode}'`)
      await page.evaluate(NO_TRANSITION)
      if (PICTURES !== undefined) {
        const path = join(PICTURES, `${name}-${kind}-${mode}.png`)
        await page.screenshot({ path, animations: 'disabled', fullPage: kind === 'phone' })
      }
      if (kind === 'phone') await findBarriers(page, `${name} (${mode})`, mode)
    }
  }
  await page.setViewportSize(VIEWPORTS.desktop)
}

/** What a page makes of another width is laid out: a picture taken before shows neither. */
const TWO_FRAMES = 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))'

/** Colours on their way from one mode to the other have the contrast of neither. */
const NO_TRANSITION = `${TWO_FRAMES}.then(() => {
  for (const each of document.getAnimations()) if (each instanceof CSSTransition) each.finish()
})`

/** Only colours can differ between light and dark. */
const RULES = { light: {}, dark: { runOnly: ['color-contrast'] } } as const

/** WCAG 2.2 AA as far as a program can tell. */
async function findBarriers(page: Page, name: string, mode: keyof typeof RULES): Promise<void> {
  await page.evaluate(axeSource)
  const options = JSON.stringify({ resultTypes: ['violations'], iframes: false, ...RULES[mode] })
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${options})`)
  const found = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`)
  assert.deepEqual(found, [], name)
}
