import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CDPSession } from 'playwright-core'
import { NO_BROWSER, openDashboard } from '#test/browser.ts'
import type { Instance } from '#test/instance.ts'
import { api } from '#test/routing-instance.ts'

/** Fifty thousand rows of the log, from the first to the last. */
const MANY = 50_000
/** With the overscan, and what a tall window shows. */
const MOST_ROWS = 100

interface Scrolled {
  readonly rows: number
  readonly mostInPage: number
  readonly frames: number
  readonly dropped: number
  readonly longTasks: readonly number[]
}

test('fifty thousand rows scroll, and few of them are in the page', { skip: NO_BROWSER }, async (t) => {
  await using dashboard = await openDashboard()
  const { page, instance } = dashboard
  await fill(instance)
  await dashboard.open(dashboard.ofAccount('/sending/activity'))
  await page.getByText('100 rows so far').waitFor()

  const reading = await page.evaluate<Scrolled>(`(${scroll})({ toEnd: true })`)
  assert.equal(reading.rows, MANY)
  await page.getByText('That is all in this time range.').waitFor()
  await page.getByText(`${MANY.toLocaleString('en')} rows`, { exact: true }).waitFor()
  const cdp = await page.context().newCDPSession(page)
  // What others do on the machine meanwhile counts for nothing in it.
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  const before = await busySeconds(cdp)
  const passing = await page.evaluate<Scrolled>(`(${scroll})({ toEnd: false })`)
  const perFrame = (((await busySeconds(cdp)) - before) * 1000) / passing.frames
  t.diagnostic(`a frame with rows that are all new takes the page ${perFrame.toFixed(1)} ms of its processor`)
  for (const [what, { mostInPage, frames, dropped, longTasks }] of [
    ['while it is read', reading],
    ['back to the top', passing],
  ] as const) {
    assert.ok(mostInPage < MOST_ROWS, `${mostInPage} rows in the page`)
    t.diagnostic(
      `${what}: ${frames} frames, ${dropped} dropped, long tasks (ms): ${longTasks.join(', ') || 'none'}`,
    )
  }
  await page.getByRole('link', { name: `Number ${MANY - 1}`, exact: true }).waitFor()
  await dashboard.examine('activity-many')
})

async function busySeconds(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0
}

/** Events as the rooms append them, written straight into the outbox. */
async function fill(instance: Instance): Promise<void> {
  using database = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'), { timeout: 10_000 })
  const { account_id: accountId, zone_id: zoneId } = instance.dev
  const [domain] = database.prepare('select id from domain where zone_id = ?').all(zoneId)
  const insert = database.prepare(
    `insert into event (id, at, account_id, domain_id, message_id, delivery_id, type, terminal, detail)
     values (?, ?, ?, ?, ?, ?, 'delivered', 1, ?)`,
  )
  const id = () => randomBytes(16).toString('hex')
  const now = Date.now()
  for (let begun = 0; begun < MANY; begun += 5000) {
    database.exec('begin immediate')
    for (let number = begun; number < begun + 5000; number++) {
      const recipient = `user${number}@example.com`
      const detail = { sender: 'app@yourdomain.com', recipient, subject: `Number ${number}`, attempt: 1 }
      const at = now - (MANY - number) * 1000
      insert.run(id(), at, accountId, domain?.['id'] ?? null, id(), id(), JSON.stringify(detail))
    }
    database.exec('commit')
  }
  const last = `/accounts/${accountId}/email/activity?subject=Number%20${MANY - 1}`
  // The projector takes it at its own pace.
  for (const end = Date.now() + 90_000; (await api<unknown[]>(instance, 'GET', last)).length === 0; ) {
    assert.ok(Date.now() < end, 'the events did not come into history')
    await sleep(250)
  }
}

/** In the page: scrolls the log, to its end as it is read or back up, and counts what that took. */
const scroll = `async ({ toEnd }) => {
  const log = document.querySelector('[data-scroll-restoration-id=activity]')
  const longTasks = []
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longTasks.push(Math.round(duration))
  })
  observer.observe({ type: 'longtask' })
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
  let [frames, dropped, mostInPage] = [0, 0, 0]
  let before = await frame()
  const isOver = () =>
    toEnd ? log.textContent.includes('That is all') && log.scrollTop + log.clientHeight >= log.scrollHeight - 2 : log.scrollTop === 0
  const end = performance.now() + 60_000
  while (!isOver() && performance.now() < end) {
    log.scrollBy({ top: toEnd ? 8000 : -8000, behavior: 'instant' })
    const now = await frame()
    frames += 1
    dropped += Math.max(0, Math.round((now - before) / (1000 / 60)) - 1)
    before = now
    mostInPage = Math.max(mostInPage, log.querySelectorAll('[role=row]').length)
  }
  observer.disconnect()
  const rows = Number(log.querySelector('[role=table]').getAttribute('aria-rowcount')) - 1
  return { rows, mostInPage, frames, dropped, longTasks }
}`
