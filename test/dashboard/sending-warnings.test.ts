import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DomainDeliverability } from '#contract/deliverability.ts'
import { arrived } from '#test/arrived.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { openInstanceDatabase } from '#test/instance-database.ts'
import { complaintReport, statusReport } from '#test/returned-mail.ts'
import { api, SENDER, toMx } from '#test/routing-instance.ts'

/** Mail that is not wanted, sent and come back by the doors of the instance: what the rates say of it is shown where
 *  somebody looks. */
let dashboard: Dashboard

const SENT = 120
const BOUNCED = 9
const COMPLAINED = 2
const PATIENCE_MS = 40_000

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }

async function figures(): Promise<DomainDeliverability> {
  const { instance } = dashboard
  const path = `/zones/${instance.dev.zone_id}/email/sending/deliverability`
  const [domain] = await api<DomainDeliverability[]>(instance, 'GET', path)
  return domain ?? assert.fail('no domain')
}

async function until(holds: (domain: DomainDeliverability) => boolean, also = async () => {}) {
  const end = Date.now() + PATIENCE_MS
  let domain = await figures()
  while (!holds(domain)) {
    assert.ok(Date.now() < end, JSON.stringify(domain))
    await also()
    await sleep(200)
    domain = await figures()
  }
}

test('while all is well nothing is said', skip, async () => {
  const { page, instance } = dashboard
  const addresses = Array.from({ length: SENT }, (_, n) => `person${n}@customers.example`)
  for (let first = 0; first < SENT; first += 40) {
    const to = addresses.slice(first, first + 40)
    const { status } = await instance.send({ from: 'app@yourdomain.com', to, subject: 'News', text: 'x' })
    assert.equal(status, 200)
  }
  await until(({ delivered }) => delivered === SENT)
  await dashboard.open(dashboard.ofAccount('/sending/domains'))
  await page.getByRole('main').getByRole('link', { name: 'yourdomain.com', exact: true }).click()
  const section = page.getByRole('region', { name: 'Deliverability' })
  await section.getByText('120', { exact: true }).first().waitFor()
  assert.equal(await section.getByRole('alert').count(), 0)
})

test(
  'bounces and complaints over their thresholds are told on the domain’s page, in the list and at home',
  skip,
  async () => {
    const { page, instance } = dashboard
    await using database = await openInstanceDatabase(instance, undefined)
    const copies = await arrived(instance, SENT)
    for (const { to: recipient, returnPath } of copies.slice(0, BOUNCED)) {
      const content = statusReport({ recipient })
      assert.match(await toMx(instance, { from: '', to: returnPath, content }), /^250/)
    }
    for (const { returnPath } of copies.slice(BOUNCED, BOUNCED + COMPLAINED)) {
      const content = complaintReport({ from: SENDER, original: `Return-Path: <${returnPath}>\n` })
      assert.match(await toMx(instance, { to: 'fbl@cf-bounce.yourdomain.com', content }), /^250/)
    }
    await until(({ hard_bounces, complaints }) => hard_bounces === BOUNCED && complaints === COMPLAINED)
    // Somebody looks each minute at what has changed: that minute is over.
    await until(
      ({ problems }) => problems.length === 3,
      () => database.run('update deliverability_standing set looked_at = 0'),
    )

    await dashboard.open(dashboard.ofAccount('/sending/domains'))
    const row = page.getByRole('row', { name: /^yourdomain\.com/ })
    await row.getByText('Too many bounces').waitFor()
    await row.getByText('Too many complaints').waitFor()
    await dashboard.examine('sending-domains-warnings')
    await row.getByRole('link', { name: 'yourdomain.com' }).click()
    const section = page.getByRole('region', { name: 'Deliverability' })
    const alerts = section.getByRole('alert')
    await alerts.filter({ hasText: 'More than 2% of the addresses do not exist' }).waitFor()
    await alerts.filter({ hasText: 'More than 0.1% mark the mail as spam' }).waitFor()
    await alerts.filter({ hasText: 'Less than 95% arrive' }).waitFor()
    await section.getByText('7.5%', { exact: true }).first().waitFor()
    await section.getByText('1.7%', { exact: true }).first().waitFor()
    await dashboard.examine('sending-domain-warnings')

    await dashboard.open(dashboard.ofAccount('/overview'))
    await page.getByText('More than 2% of the addresses do not exist', { exact: false }).waitFor()
    await page.getByText('More than 0.1% mark the mail as spam', { exact: false }).waitFor()
    await dashboard.examine('overview-warnings')
    const warning = page.getByText('Less than 95% arrive', { exact: false })
    await warning.getByRole('link', { name: 'yourdomain.com' }).click()
    await page.getByRole('heading', { level: 1, name: 'yourdomain.com' }).waitFor()

    // Who bounced or complained is mailed no more.
    await dashboard.open(dashboard.ofAccount('/sending/suppressions?reason=complaint'))
    await page.getByRole('row', { name: new RegExp(`^${copies[BOUNCED]?.to}`) }).waitFor()
    assert.equal(await page.getByRole('row').count(), 1 + COMPLAINED)
  },
)
