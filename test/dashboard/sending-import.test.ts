import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { SuppressionBody, SuppressionDetail } from '#contract/suppressions.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { api } from '#test/routing-instance.ts'

/** Suppressions from files: JSON and CSV, the good entries among the faulty ones, and what sending makes of them. */
let dashboard: Dashboard

before(async () => {
  if (NO_BROWSER === false) dashboard = await openDashboard()
})
after(async () => dashboard?.[Symbol.asyncDispose]())

const skip = { skip: NO_BROWSER }
const path = () => `/accounts/${dashboard.instance.dev.account_id}/email/sending/suppressions`

async function entryOf(email: string): Promise<SuppressionDetail | undefined> {
  const { instance } = dashboard
  const query = `search=${encodeURIComponent(email)}`
  const [found] = await api<SuppressionBody[]>(instance, 'GET', `${path()}?${query}`)
  return found && api<SuppressionDetail>(instance, 'GET', `${path()}/${found.id}`)
}

async function openImport() {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount('/sending/suppressions'))
  await page.getByRole('button', { name: 'Import' }).click()
  const dialog = page.getByRole('dialog', { name: 'Import suppressions' })
  /** The lines with faults, each as its number and what is wrong. */
  async function faults(): Promise<string[]> {
    const rows = dialog.getByRole('group', { name: 'Lines with faults' }).getByRole('row')
    await rows.first().waitFor()
    const texts = await rows.evaluateAll((all) =>
      all.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent).join(': ')),
    )
    return texts.filter((text) => text !== '')
  }
  async function figure(name: string): Promise<string | null> {
    const figure = dialog.locator('dl > div').filter({ has: page.getByText(name, { exact: true }) })
    return figure.getByRole('definition').textContent()
  }
  return { dialog, faults, figure }
}

test(
  'a JSON file: addresses and objects, each fault with its line; what was added is refused',
  skip,
  async () => {
    const { page, instance } = dashboard
    const { dialog, faults, figure } = await openImport()
    const file = `[
  "plain@example.net",
  {"email": "full@example.net", "scope": "yourdomain.com", "note": "Left in May", "expires_at": "2099-01-01T00:00:00Z"},
  {"email": "nobody"},
  7,
  {"email": "elsewhere@example.net", "expires_at": "yesterday"},
  "PLAIN@example.net"
]`
    await dialog
      .getByLabel('File')
      .setInputFiles({ name: 'left.json', mimeType: 'application/json', buffer: Buffer.from(file) })
    await dialog.getByLabel('Contents of left.json').waitFor()
    await dialog.getByRole('combobox', { name: 'Expires' }).click()
    await page.getByRole('option', { name: 'In 90 days' }).click()
    await dialog.getByRole('button', { name: 'Import addresses' }).click()
    const told = await faults()
    assert.deepEqual(
      told.map((text) => /^(\d+): (\S*@example\.net|nobody)?/.exec(text)?.slice(1, 3)),
      [
        ['4', 'nobody'],
        ['5', undefined],
        ['6', 'elsewhere@example.net'],
      ],
      told.join('\n'),
    )
    assert.deepEqual(await Promise.all(['Read', 'Added', 'Repeated', 'Invalid'].map(figure)), [
      '6',
      '2',
      '1',
      '3',
    ])
    await dashboard.examine('sending-import-json')
    await dialog.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('row', { name: /full@example\.net/ }).waitFor()

    const full = await entryOf('full@example.net')
    assert.deepEqual(full?.scope, { type: 'sending_domain', value: 'yourdomain.com' })
    assert.deepEqual([full.note, full.expires_at], ['Left in May', '2099-01-01T00:00:00.000Z'])
    const plain = await entryOf('plain@example.net')
    const days = (Date.parse(plain?.expires_at ?? '') - Date.now()) / 86_400_000
    assert.ok(days > 89 && days <= 90, `${days} days`)
    const sent = await instance.send({
      ...{ from: 'app@yourdomain.com', to: 'plain@example.net', subject: 'Once more', text: 'x' },
    })
    assert.equal(sent.body.errors[0]?.error_chain?.[0]?.name, 'E_RECIPIENT_SUPPRESSED')
  },
)

test('entries that share a line, and the API’s own request, are read as JSON too', skip, async () => {
  const { dialog, faults, figure } = await openImport()
  await dialog
    .getByLabel('Or addresses as text')
    .fill('{"items": [{"email": "request@example.net"}, {"email": "a"}, {"email": "b"}]}')
  await dialog.getByRole('button', { name: 'Import addresses' }).click()
  assert.deepEqual(
    (await faults()).map((text) => /^\d+: \w/.exec(text)?.[0]),
    ['1: a', '1: b'],
  )
  assert.equal(await figure('Added'), '1')
  assert.equal((await entryOf('request@example.net'))?.reason, 'manual')
})

test('a CSV: each faulty line by its number in the file, quoted line ends and all', skip, async () => {
  const { dialog, faults, figure } = await openImport()
  const file = [
    'Email,Note,Scope,Expires',
    'good@example.com,"two',
    'lines",account',
    '',
    'not an address,,,',
    'other@example.com,,,yesterday',
    'fine@example.com,,yourdomain.com',
    'GOOD@example.com,again,',
  ].join('\r\n')
  await dialog
    .getByLabel('File')
    .setInputFiles({ name: 'left.csv', mimeType: 'text/csv', buffer: Buffer.from(file) })
  await dialog.getByLabel('Contents of left.csv').waitFor()
  await dialog.getByRole('button', { name: 'Import addresses' }).click()
  const told = await faults()
  assert.deepEqual(
    told.map((text) => text.split(':', 1)[0]),
    ['5', '6'],
    told.join('\n'),
  )
  assert.match(told[0] ?? '', /^5: not an address/)
  assert.match(told[1] ?? '', /^6: other@example\.com/)
  assert.equal(await figure('Repeated'), '1')
  await dialog.getByRole('button', { name: 'Close' }).click()
  assert.equal((await entryOf('good@example.com'))?.note, 'two\r\nlines')
  assert.equal((await entryOf('fine@example.com'))?.scope.type, 'sending_domain')
  assert.equal(await entryOf('other@example.com'), undefined)
})

test('a file that is none is refused as a whole, and can be mended on the spot', skip, async () => {
  const { dialog, faults } = await openImport()
  const field = dialog.getByLabel('Or addresses as text')
  await field.fill('["half@example.org", {"email": ')
  await dialog.getByRole('button', { name: 'Import addresses' }).click()
  assert.equal((await faults()).length, 1)
  assert.notEqual(await entryOf('half@example.org'), undefined)
})
