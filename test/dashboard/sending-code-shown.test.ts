import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { deployWorker } from '#test/deploy-worker.ts'
import { api } from '#test/routing-instance.ts'

/** What somebody copies from “Send a test” and runs as it stands, in a folder that is not the instance's: each sample
 *  knows where the instance is, and which authority signs its certificate. */
const run = promisify(execFile)
let dashboard: Dashboard
let folder: string

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  folder = await mkdtemp(join(tmpdir(), 'posthorn-shown-'))
  await symlink(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'))
})
after(async () => {
  await dashboard?.[Symbol.asyncDispose]()
  if (folder) await rm(folder, { recursive: true, force: true })
})

async function copied(tab: string, to: string): Promise<string> {
  const { page } = dashboard
  await dashboard.open(dashboard.ofAccount(`/sending/test?to=${encodeURIComponent(to)}`))
  await page.getByRole('tab', { name: tab, exact: true }).click()
  await page.getByRole('button', { name: `Copy the request as ${tab}`, exact: true }).click()
  return page.evaluate<string>('navigator.clipboard.readText()')
}

const PROGRAMS = {
  curl: ['send.sh', 'bash'],
  'Node (fetch)': ['fetch.mjs', process.execPath],
  'Node (SDK)': ['sdk.mjs', process.execPath],
  Python: ['send.py', 'python3'],
  'SMTP (curl)': ['smtp-curl.sh', 'bash'],
  'SMTP (swaks)': ['smtp-swaks.sh', 'bash'],
} as const

for (const [tab, [file, command]] of Object.entries(PROGRAMS)) {
  const absent = tab === 'SMTP (swaks)' && !existsSync('/usr/bin/swaks') ? 'no swaks here' : false
  test(`${tab}, as it is copied`, { skip: NO_BROWSER || absent }, async () => {
    const { instance } = dashboard
    const to = `${file.split('.', 1)[0]}@example.com`
    const code = await copied(tab, to)
    if (tab.startsWith('SMTP')) assert.ok(code.includes(join(instance.directory, 'ca', 'ca.pem')), code)
    writeFileSync(join(folder, file), code)
    const env = { ...process.env, API_TOKEN: instance.dev.api_token }
    await run(command, [file], { cwd: folder, env, timeout: 30_000 })
    const [arrived] = await instance.inbox(`to:${to}`)
    assert.equal(arrived?.Subject, 'A test from Posthorn')
    assert.equal(arrived.From.Address, 'hello@yourdomain.com')
  })
}

test('Worker, as it is copied', { skip: NO_BROWSER }, async () => {
  const { instance } = dashboard
  const code = await copied('Worker', 'worker@example.com')
  const bindings = [{ type: 'send_email', name: 'EMAIL' }]
  await deployWorker(instance, 'copied', { metadata: { bindings }, modules: { 'index.js': code } })
  const script = `/accounts/${instance.dev.account_id}/workers/scripts/copied`
  await api(instance, 'POST', `${script}/subdomain`, { enabled: true })
  assert.equal((await instance.askWorker('copied', '/')).status, 200)
  const [arrived] = await instance.inbox('to:worker@example.com')
  assert.equal(arrived?.Subject, 'A test from Posthorn')
})

test('whoever is not signed in is not told of paths of this machine', { skip: NO_BROWSER }, async () => {
  const { dashboard: url } = dashboard.instance.dev
  const text = await (await fetch(`${url}/session/v1`)).text()
  assert.ok(text.includes('submission') && !text.includes('ca.pem'), text)
})
