import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import { arrived, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { checkSigned } from '#test/check-signed.ts'
import { deployExample } from '#test/example-worker.ts'
import { fetchAtHost } from '#test/fetch-at-host.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { api } from '#test/routing-instance.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** What config-send-bindings.md and config-mta-sts.md have Workers configured with: bindings that are restricted, and a
 *  host name of the customer's own that passes on the policy of the service. */
let instance: Instance
let wrangler: Wrangler

const opened = new AsyncDisposableStack()
after(() => opened.disposeAsync())

/** As the page has it in JSON. */
const SEND_EMAIL = [
  { name: 'EMAIL' },
  { name: 'NOTIFY_OPS', destination_address: 'ops@yourdomain.com' },
  {
    name: 'EMAIL_TEAM',
    allowed_destination_addresses: ['alice@yourdomain.com', 'bob@yourdomain.com'],
  },
  {
    name: 'RESTRICTED_EMAIL',
    allowed_sender_addresses: ['noreply@yourdomain.com', 'support@yourdomain.com'],
  },
]

/** And in TOML. */
const TOML = `
[[send_email]]
name = "EMAIL"

[[send_email]]
name = "NOTIFY_OPS"
destination_address = "ops@yourdomain.com"

[[send_email]]
name = "EMAIL_TEAM"
allowed_destination_addresses = [ "alice@yourdomain.com", "bob@yourdomain.com" ]

[[send_email]]
name = "RESTRICTED_EMAIL"
allowed_sender_addresses = [ "noreply@yourdomain.com", "support@yourdomain.com" ]
`

const SENDS = 'config-send-bindings/four-bindings.js'
const POLICY_HOST = 'mta-sts.yourdomain.com'

before(async () => {
  instance = opened.use(await startInstance())
  wrangler = opened.use(await openWrangler(instance))
  await deployExample(wrangler, { name: 'bindings', source: SENDS, config: { send_email: SEND_EMAIL } })
  await deployExample(wrangler, {
    ...{ name: 'mta-sts-proxy', source: 'config-mta-sts/mta-sts-proxy.ts' },
    config: { workers_dev: true, routes: [{ pattern: POLICY_HOST, custom_domain: true }] },
  })
})
beforeEach(() => emptyInbox(instance))

interface Wish {
  readonly from?: string
  readonly to?: string | null
}

/** What `send()` of a binding resolves to, or is refused with. */
async function send(
  binding: string,
  wish: Wish,
): Promise<{ messageId?: string; code?: string; message?: string }> {
  const message = { from: 'noreply@yourdomain.com', subject: 'Hello', text: 'Hello.', ...wish }
  const body = JSON.stringify({ binding, message })
  return JSON.parse((await instance.askWorker('bindings', '/', { body })).text)
}

async function isSent(binding: string, wish: Wish, to: string): Promise<void> {
  const said = await send(binding, wish)
  const copy = await theOneArrived(instance)
  assert.deepEqual(said, { messageId: copy.mail.messageId })
  assert.equal(copy.to, to)
  await checkSigned(instance, copy)
  await emptyInbox(instance)
}

async function isRefused(binding: string, wish: Wish, code: string, about: string): Promise<void> {
  const { messageId, ...said } = await send(binding, wish)
  assert.deepEqual([messageId, said.code], [undefined, code])
  assert.ok(said.message?.includes(about), `${said.message} says ${about}`)
  await arrived(instance, 0)
}

test('no restriction: to anybody, since the domain is onboarded', async () => {
  await isSent('EMAIL', { to: 'somebody@example.com' }, 'somebody@example.com')
  const stranger = { from: 'me@elsewhere.example', to: 'somebody@example.com' }
  await isRefused('EMAIL', stranger, 'E_SENDER_DOMAIN_NOT_AVAILABLE', 'elsewhere.example')
})

test('destination_address: to that one alone, which need not be said', async () => {
  await isSent('NOTIFY_OPS', { to: 'ops@yourdomain.com' }, 'ops@yourdomain.com')
  await isSent('NOTIFY_OPS', { to: null }, 'ops@yourdomain.com')
  await isSent('NOTIFY_OPS', {}, 'ops@yourdomain.com')
  await isRefused('NOTIFY_OPS', { to: 'dev@yourdomain.com' }, 'E_RECIPIENT_NOT_ALLOWED', 'dev@yourdomain.com')
})

test('allowed_destination_addresses: to those alone', async () => {
  await isSent('EMAIL_TEAM', { to: 'alice@yourdomain.com' }, 'alice@yourdomain.com')
  await isSent('EMAIL_TEAM', { to: 'bob@yourdomain.com' }, 'bob@yourdomain.com')
  await isRefused('EMAIL_TEAM', { to: 'carol@yourdomain.com' }, 'E_RECIPIENT_NOT_ALLOWED', 'carol@')
})

test('allowed_sender_addresses: from those alone', async () => {
  const to = 'somebody@example.com'
  await isSent('RESTRICTED_EMAIL', { from: 'support@yourdomain.com', to }, to)
  await isRefused('RESTRICTED_EMAIL', { from: 'ceo@yourdomain.com', to }, 'E_SENDER_NOT_VERIFIED', 'ceo@')
})

const bindings = async () => {
  const path = `/accounts/${instance.dev.account_id}/workers/scripts/bindings/settings`
  return (await api<{ bindings: unknown }>(instance, 'GET', path)).bindings
}

test('the same in TOML', async () => {
  const inJson = await bindings()
  assert.deepEqual(
    inJson,
    SEND_EMAIL.map((binding) => ({ type: 'send_email', ...binding })),
  )
  const folder = join(wrangler.folder, 'toml')
  mkdirSync(folder)
  copyFileSync(join(import.meta.dirname, 'worker-examples', SENDS), join(folder, 'index.js'))
  const head = 'name = "bindings"\nmain = "index.js"\ncompatibility_date = "2026-06-30"\n'
  writeFileSync(join(folder, 'wrangler.toml'), head + TOML)
  await wrangler.prints('deploy --config toml/wrangler.toml')
  assert.deepEqual(await bindings(), inJson)
  await isRefused('EMAIL_TEAM', { to: 'carol@yourdomain.com' }, 'E_RECIPIENT_NOT_ALLOWED', 'carol@')
})

const PATH = '/.well-known/mta-sts.txt'

/** As a sender asks for it. */
function servicePolicy(): Promise<string> {
  const { host, port } = instance.dev.policies
  const servername = 'mta-sts.mx.posthorn.test'
  return new Promise((resolve, reject) => {
    httpsRequest(
      {
        ...{ host, port, path: PATH, servername, headers: { host: servername }, agent: false },
        ca: readFileSync(instance.dev.ca),
      },
      (response) => resolve(text(response)),
    )
      .on('error', reject)
      .end()
  })
}

test('MTA-STS: a Worker on a custom domain passes on the policy of the service', async () => {
  const { port } = instance.dev.workers
  const { status, text: policy, headers } = await fetchAtHost(port, `http://${POLICY_HOST}${PATH}`)
  assert.equal(status, 200)
  assert.match(headers['content-type'] ?? '', /^text\/plain/)
  assert.equal(policy, 'version: STSv1\r\nmode: enforce\r\nmx: *.mx.posthorn.test\r\nmax_age: 86400\r\n')
  assert.equal(policy, await servicePolicy())
  assert.equal((await instance.askWorker('mta-sts-proxy', PATH)).text, policy)
  assert.equal((await fetchAtHost(port, `http://${POLICY_HOST}/`)).status, 404)
})

test('nothing of it went anywhere else', () => assert.equal(wrangler.strayConnections(), 0))
