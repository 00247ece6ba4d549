import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_BROWSER, openDashboard } from '#test/browser.ts'
import { openInstanceDatabase } from '#test/instance-database.ts'

/** A zone that nobody has proven yet, which a development instance has only if somebody makes it so. */
test('a pending zone says what proves it, and goes on by itself once it is proven', {
  skip: NO_BROWSER,
}, async () => {
  await using dashboard = await openDashboard({ POSTHORN_DAILY_QUOTA_START: '5' })
  const { page, instance } = dashboard
  const { dev } = instance
  await using database = await openInstanceDatabase(instance, undefined)
  const authorization = `Bearer ${dev.api_token}`
  const created = await fetch(`${dev.api}/zones`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'waiting.example', type: 'partial', dns: 'manual' }),
  })
  assert.equal(created.status, 200)
  await database.run(`update zone set status = 'pending', activated_at = null where name = 'waiting.example'`)

  await dashboard.open(dashboard.ofAccount('/overview'))
  await page.getByText('waiting.example is not proven to be yours yet').waitFor()
  await page.getByRole('link', { name: 'Prove waiting.example' }).waitFor()
  const to = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.com`)
  await instance.send({ from: 'app@yourdomain.com', to, subject: 'The last', text: 'x' })
  await page.reload()
  await page.getByText('The daily quota is used up', { exact: false }).waitFor()
  await page.getByText('5 / 5').waitFor()
  await dashboard.examine('overview-attention')

  await dashboard.open(dashboard.ofAccount('/sending/domains'))
  const row = page.getByRole('row', { name: /waiting\.example/ })
  await row.getByText('Pending proof').waitFor()
  await row.getByRole('link', { name: 'Prove ownership' }).click()
  const proof = page.getByRole('region', { name: 'Prove that waiting.example is yours' })
  await proof.getByText('posthorn-verification=', { exact: false }).waitFor()
  await proof.getByRole('button', { name: 'Copy the name _posthorn-challenge' }).click()
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), '_posthorn-challenge')
  // What it will need is shown already, and cannot be had yet.
  await page.getByRole('list', { name: 'Records to be added' }).waitFor()
  const done = page.getByRole('button', { name: 'Done' })
  assert.equal(await done.isDisabled(), true)
  await dashboard.examine('sending-zone-proof')

  await database.run(
    `update zone set status = 'active', activated_at = created_at where name = 'waiting.example'`,
  )
  await proof.waitFor({ state: 'detached' })
  assert.equal(await done.isDisabled(), false)

  await database.run(`update zone set status = 'pending', activated_at = null where name = 'waiting.example'`)
  await page.reload()
  await proof.getByRole('button', { name: 'Remove zone' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove zone' }).click()
  await page.getByRole('heading', { level: 1, name: 'Email Sending' }).waitFor()
  await row.waitFor({ state: 'detached' })
})
