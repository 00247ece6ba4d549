import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import type { DomainDeliverability } from '#contract/deliverability.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { askAccount } from '#test/operator.ts'
import { api } from '#test/routing-instance.ts'

/** Figures and usage over the API. What counts, and when, is the registry's test. */
let instance: Instance

before(async () => {
  instance = await startInstance({ POSTHORN_REPUTATION_DAYS: '3' })
})
after(async () => instance[Symbol.asyncDispose]())

const HOUR_MS = 3_600_000
const figures = (query = '') =>
  api<DomainDeliverability[]>(
    instance,
    'GET',
    `/zones/${instance.dev.zone_id}/email/sending/deliverability${query}`,
  )

function count(
  provider: string,
  hoursAgo: number,
  [settled, delivered, hard, complained]: readonly number[],
): void {
  const database = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'))
  database.exec(`pragma busy_timeout = 5000`)
  const domain = `(select id from domain where name = 'yourdomain.com')`
  const hour = Math.floor(Date.now() / HOUR_MS) - hoursAgo
  database
    .prepare(`insert into deliverability values (?, ${domain}, ?, ?, ?, ?, ?, ?)`)
    .run(instance.dev.account_id, hour, provider, settled ?? 0, delivered ?? 0, hard ?? 0, complained ?? 0)
  database
    .prepare(
      `insert into deliverability_standing values (${domain}, ?, 1, 0, '[]', null, 0)
       on conflict (domain_id) do update set changes = changes + 1`,
    )
    .run(instance.dev.account_id)
  database.close()
}

test('before anything was sent there are no rates', async () => {
  const [domain, ...others] = await figures()
  assert.deepEqual(others, [])
  assert.deepEqual(
    [domain?.name, domain?.settled, domain?.delivery_rate, domain?.problems, domain?.providers],
    ['yourdomain.com', 0, null, [], []],
  )
  assert.deepEqual(domain?.thresholds, {
    ...{ delivery_rate: 0.95, hard_bounce_rate: 0.02, complaint_rate: 0.001 },
  })
})

test('rates over the window, by provider; what crossed its threshold is named', async () => {
  count('google', 1, [900, 890, 10, 1])
  count('other', 2, [100, 60, 40, 0])
  count('other', 24 * 5, [1000, 1000, 0, 0])
  const end = Date.now() + 15_000
  let domain = (await figures())[0]
  while (domain?.problems.length === 0 && Date.now() < end) domain = (await figures())[0]
  assert.deepEqual(
    [domain?.settled, domain?.delivered, domain?.hard_bounces, domain?.complaints],
    [1000, 950, 50, 1],
  )
  assert.deepEqual(
    [domain?.delivery_rate, domain?.hard_bounce_rate, domain?.complaint_rate],
    [0.95, 0.05, 0.001],
  )
  assert.deepEqual(domain?.problems, ['delivery_rate.low', 'hard_bounce_rate.high'])
  assert.match(domain?.problems_since ?? '', /^\d{4}-.*Z$/)
  assert.deepEqual(
    domain?.providers.map(({ provider, settled, delivery_rate }) => [provider, settled, delivery_rate]),
    [
      ['google', 900, 890 / 900],
      ['other', 100, 0.6],
    ],
  )
  assert.equal((await figures('?days=31'))[0]?.settled, 2000)
  for (const days of ['0', '32', 'x', '1.5', ''])
    await assert.rejects(figures(`?days=${days}`), /400/, `days=${days}`)
})

test('usage by calendar month, newest first', async () => {
  await instance.send({
    from: 'a@yourdomain.com',
    to: ['x@example.com', 'y@example.com'],
    subject: 's',
    text: 't',
  })
  await instance.send({
    from: 'a@yourdomain.com',
    to: 'suppressed@simulator.posthorn.test',
    subject: 's',
    text: 't',
  })
  const { result } = await askAccount<{ months: { month: string; sent: number }[] }>(
    instance,
    'GET',
    '/usage',
  )
  assert.equal(result.months.length, 12)
  assert.deepEqual(result.months[0], { month: new Date().toISOString().slice(0, 7), sent: 2 })
  const { result: limits } = await askAccount<{ reason: { code: string } }>(instance, 'GET', '/limits')
  assert.equal(limits.reason.code, 'no-quotas')
})
