import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { SuppressionBody, SuppressionDetail } from '#contract/suppressions.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'

/** The suppression list, as a person keeps it; each effect is asked of the API too. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }

async function list<R = SuppressionBody[]>(below = ''): Promise<R> {
  const { dev } = dashboard.instance
  const url = `${dev.api}/accounts/${dev.account_id}/email/sending/suppressions${below}`
  const response = await fetch(url, { headers: { authorization: `Bearer ${dev.api_token}` } })
  // The test states the shape that the API documents.
  return ((await response.json()) as { readonly result: R }).result
}

const open = () => dashboard.open(dashboard.ofAccount('/sending/suppressions'))

test('an empty list says how addresses come to it; one is added by hand', skip, async () => {
  const { page } = dashboard
  await open()
  await page.getByText('Nobody is suppressed').waitFor()
  await dashboard.examine('sending-suppressions-empty')
  await page.getByRole('button', { name: 'Add address' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Address').fill('alex')
  await dialog.getByRole('button', { name: 'Add address' }).click()
  await dialog.getByText("has no '@'", { exact: false }).waitFor()
  await dialog.getByLabel('Address').fill('alex@example.com')
  await dialog.getByRole('combobox', { name: 'Scope' }).click()
  await page.getByRole('option', { name: 'yourdomain.com' }).click()
  await dialog.getByRole('combobox', { name: 'Expires' }).click()
  await page.getByRole('option', { name: 'In 30 days' }).click()
  await dialog.getByLabel('Note').fill('Asked by phone')
  await dialog.getByRole('button', { name: 'Add address' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('row', { name: /alex@example\.com/ }).waitFor()
  const [entry] = await list()
  assert.deepEqual(entry?.scope, { type: 'sending_domain', value: 'yourdomain.com' })
  const days = (Date.parse(entry.expires_at ?? '') - Date.now()) / 86_400_000
  assert.ok(days > 29 && days <= 30, `${days} days`)
})

test('an address that is there already is said to be', skip, async () => {
  const { page } = dashboard
  await open()
  await page.getByRole('row', { name: /alex@example\.com/ }).waitFor()
  await page.getByRole('button', { name: 'Add address' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Address').fill('Alex@example.com')
  await dialog.getByRole('combobox', { name: 'Scope' }).click()
  await page.getByRole('option', { name: 'yourdomain.com' }).click()
  await dialog.getByLabel('Note').fill('Asked again')
  await dialog.getByRole('button', { name: 'Add address' }).click()
  await dialog.getByText('It is on the list already, for yourdomain.com', { exact: false }).waitFor()
  const [entry, ...others] = await list()
  assert.deepEqual(others, [])
  assert.equal((await list<SuppressionDetail>(`/${entry?.id}`)).note, 'Asked by phone')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'detached' })
})

test('a file is imported, and each faulty line is named', skip, async () => {
  const { page } = dashboard
  await open()
  await page.getByRole('button', { name: 'Import' }).click()
  const dialog = page.getByRole('dialog')
  const lines = ['email,note', ...Array.from({ length: 60 }, (_, n) => `person${n}@example.net,"No. ${n}"`)]
  await dialog.getByLabel('File').setInputFiles({
    name: 'left.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from([...lines, 'not an address,', 'person0@example.net,again'].join('\n')),
  })
  await dialog.getByLabel('Contents of left.csv').waitFor()
  await dialog.getByRole('button', { name: 'Import addresses' }).click()
  await dialog.getByRole('group', { name: 'Lines with faults' }).getByText('not an address').waitFor()
  await dashboard.examine('sending-suppressions-import')
  await dialog.getByRole('button', { name: 'Close' }).click()
  assert.equal((await list('?per_page=1000')).length, 61)
})

test(
  'the list is paged, searched and filtered by its address; a bounce is on it by itself',
  skip,
  async () => {
    const { page, instance } = dashboard
    const recipient = 'bounce+list@simulator.posthorn.test'
    const answer = await instance.send({
      ...{ from: 'app@yourdomain.com', to: [recipient], subject: 'Into the void', text: 'x' },
    })
    assert.deepEqual(answer.body.result?.permanent_bounces, [recipient])
    await open()
    await page.getByRole('row', { name: new RegExp('bounce\\+list@.*Hard bounce') }).waitFor()
    assert.equal(await page.getByRole('row').count(), 51)
    await page.getByRole('button', { name: 'Show more' }).click()
    await page.getByRole('row').nth(62).waitFor()
    await page.getByRole('row', { name: /alex@example\.com/ }).waitFor()
    assert.equal(await page.getByRole('row').count(), 63)

    // A part before the @ is enough.
    await page.getByRole('searchbox', { name: 'Search addresses' }).fill('person7')
    await page.keyboard.press('Enter')
    await page.getByRole('row', { name: /person8@/ }).waitFor({ state: 'detached' })
    await page.getByRole('row', { name: /person7@/ }).waitFor()
    assert.match(page.url(), /search=person7/)
    await page.getByRole('searchbox', { name: 'Search addresses' }).fill('')

    await page.getByRole('combobox', { name: 'Reason' }).click()
    await page.getByRole('option', { name: 'Hard bounce' }).click()
    await page.getByRole('row', { name: /person8@/ }).waitFor({ state: 'detached' })
    await page.getByRole('row', { name: /bounce\+list@/ }).waitFor()
    assert.match(page.url(), /reason=hard_bounce/)
    await page.getByRole('combobox', { name: 'Reason' }).click()
    await page.getByRole('option', { name: 'Every reason' }).click()
    await page.getByRole('combobox', { name: 'Scope' }).click()
    await page.getByRole('option', { name: 'yourdomain.com' }).click()
    await page.getByRole('row', { name: /person8@/ }).waitFor({ state: 'detached' })
    await page.getByRole('row', { name: /alex@example\.com/ }).waitFor()
    await page.reload()
    await page.getByRole('row', { name: /alex@example\.com/ }).waitFor()
  },
)

test('what is shown is exported', skip, async () => {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/suppressions?reason=hard_bounce'))
  await page.getByRole('row', { name: /bounce\+list@/ }).waitFor()
  await page.getByRole('button', { name: 'Export' }).click()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'As CSV' }).click(),
  ])
  const [head, line, ...rest] = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\r\n')
  assert.match(head ?? '', /^email,expires_at,scope,note,reason/)
  assert.match(line ?? '', /^bounce\+list@simulator\.posthorn\.test,.*hard_bounce/)
  assert.deepEqual(rest, [])
})

test('an entry shows its note, and its expiry is changed; then it is deleted', skip, async () => {
  const { page } = dashboard
  await open()
  await page.getByRole('button', { name: 'bounce+list@simulator.posthorn.test', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('refused for good', { exact: false }).waitFor()
  await dialog.getByLabel('Note').fill('Keep it out')
  await dialog.getByRole('combobox', { name: 'Expires' }).click()
  await page.getByRole('option', { name: 'In 90 days' }).click()
  await dashboard.examine('sending-suppressions-entry')
  await dialog.getByRole('button', { name: 'Save changes' }).click()
  await dialog.waitFor({ state: 'detached' })
  const [entry] = await list('?reason=hard_bounce')
  const detail = await list<SuppressionDetail>(`/${entry?.id}`)
  assert.equal(detail.note, 'Keep it out')
  assert.notEqual(detail.expires_at, null)
  await dashboard.examine('sending-suppressions')

  await page.getByRole('button', { name: 'Delete bounce+list@simulator.posthorn.test' }).click()
  await dialog.getByRole('button', { name: 'Delete entry' }).click()
  // Behind a dialog no row is there for who cannot see.
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('row', { name: /bounce\+list@/ }).waitFor({ state: 'detached' })
  assert.deepEqual(await list('?reason=hard_bounce'), [])
})
