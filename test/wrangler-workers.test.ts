import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Instance, startInstance } from '#test/instance.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** The life of a Worker with `wrangler`, unmodified (clients.md §3): what its user sees, and what came of it. The tests
 *  run in order. */
let instance: Instance
let wrangler: Wrangler

before(async () => {
  instance = await startInstance()
  wrangler = await openWrangler(instance)
  writeFileSync(join(wrangler.folder, 'index.js'), SOURCE)
  configure({})
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})

const SOURCE = `import { EmailMessage } from 'cloudflare:email'
export default {
  async email(message, env) { await env.EMAIL.send(new EmailMessage(message.to, message.from, 'x')) },
  async fetch() { return new Response('hi') },
}`

const CONFIG = {
  ...{ name: 'email-worker', main: 'index.js', compatibility_date: '2026-10-01' },
  compatibility_flags: ['nodejs_compat'],
  vars: { GREETING: 'hi', OBJ: { a: 1 } },
  send_email: [
    { name: 'EMAIL' },
    { name: 'ONE', destination_address: 'me@dest.test' },
    { name: 'LIST', allowed_sender_addresses: ['noreply@yourdomain.com'] },
  ],
  queues: {
    producers: [{ binding: 'Q', queue: 'mail-events' }],
    consumers: [{ queue: 'mail-events', max_batch_size: 10 }],
  },
  analytics_engine_datasets: [{ binding: 'AE', dataset: 'mail' }],
  triggers: { crons: ['*/5 * * * *'] },
  addresses: ['support@yourdomain.com', '*@yourdomain.com'],
  observability: { enabled: true },
}

function configure(more: object): void {
  writeFileSync(join(wrangler.folder, 'wrangler.json'), JSON.stringify({ ...CONFIG, ...more }))
}

/** What the API says. */
async function read<T>(path: string): Promise<T> {
  const { dev } = instance
  const headers = { authorization: `Bearer ${dev.api_token}` }
  const response = await fetch(`${dev.api}/accounts/${dev.account_id}${path}`, { headers })
  // The test states the shape that the API documents.
  return ((await response.json()) as { result: T }).result
}

interface Settings {
  readonly bindings: readonly { readonly name: string; readonly type: string }[]
}
interface Rule {
  readonly enabled: boolean
  readonly actions: readonly { readonly value?: readonly string[] }[]
}

const SCRIPT = '/workers/scripts/email-worker'
const bindings = async () => (await read<Settings>(`${SCRIPT}/settings`)).bindings
const secrets = async () =>
  (await bindings()).flatMap(({ name, type }) => (type === 'secret_text' ? [name] : []))

/** What is never the same, besides what the support replaces. */
function shown(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<version>')
    .replaceAll(/\d+\.\d\d sec/g, '<seconds>')
    .replaceAll(/Startup Time: \d+ ms/g, 'Startup Time: <ms> ms')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n')
}

const BOUND = `Worker Startup Time: <ms> ms
Your Worker has access to the following bindings:
Binding                                                            Resource
env.EMAIL (unrestricted)                                           Send Email
env.ONE (me@dest.test)                                             Send Email
env.LIST (unrestricted - senders: noreply@yourdomain.com)          Send Email`

test('secrets of a Worker that is not there', async () => {
  assert.match(await wrangler.refuses('secret list'), /Worker "email-worker" not found\./)
})

test('the first deploy: its queue is made, its addresses lead to it', async () => {
  const printed = shown(await wrangler.prints('deploy'))
  assert.ok(printed.includes('✨ Q provisioned 🎉'), printed)
  assert.ok(printed.includes(BOUND), printed)
  const end = `Uploaded email-worker (<seconds>)
Deployed email-worker triggers (<seconds>)
  email-worker.<id>.localhost
  schedule: */5 * * * *
  Producer for mail-events
  Consumer for mail-events
Email Routing plan:
yourdomain.com
  + support@yourdomain.com -> worker (email-worker)
  + *@yourdomain.com -> worker (email-worker)
2 changes across 1 zone (2 added)
Applying Email Routing changes (0/2, 0%)
Applying Email Routing changes (2/2, 100%)
Email Routing addresses applied.
Current Version ID: <version>`
  assert.equal(printed.slice(-end.length), end)
  assert.deepEqual(await bindings(), [
    { name: 'GREETING', type: 'plain_text', text: 'hi' },
    { name: 'OBJ', type: 'json', json: { a: 1 } },
    { name: 'EMAIL', type: 'send_email' },
    { name: 'ONE', type: 'send_email', destination_address: 'me@dest.test' },
    { name: 'LIST', type: 'send_email', allowed_sender_addresses: ['noreply@yourdomain.com'] },
    { name: 'Q', type: 'queue', queue_name: 'mail-events' },
    { name: 'AE', type: 'analytics_engine', dataset: 'mail' },
  ])
  const { schedules } = await read<{ schedules: { cron: string }[] }>(`${SCRIPT}/schedules`)
  assert.deepEqual(
    schedules.map(({ cron }) => cron),
    ['*/5 * * * *'],
  )
  const rules = await read<Rule[]>('/email/routing/rules')
  assert.deepEqual(
    rules.map(({ enabled, actions }) => [enabled, actions[0]?.value]),
    [[true, ['email-worker']]],
  )
})

test('secret put, list, bulk and delete', async () => {
  const put = await wrangler.prints('secret put API_SECRET', { input: 's3cr3t' })
  assert.match(put, /Success! Uploaded secret API_SECRET$/)
  const list = [{ name: 'API_SECRET', type: 'secret_text' }]
  assert.deepEqual(JSON.parse(await wrangler.prints('secret list')), list)
  const bulk = JSON.stringify({ A: '1', B: '2' })
  assert.match(await wrangler.prints('secret bulk', { input: bulk }), /2 secrets successfully created$/)
  assert.deepEqual(await secrets(), ['API_SECRET', 'A', 'B'])
  await wrangler.prints('secret bulk', { input: JSON.stringify({ B: null }) })
  assert.match(await wrangler.prints('secret delete A'), /Success! Deleted secret A$/)
  assert.deepEqual(await secrets(), ['API_SECRET'])
  assert.match(await wrangler.refuses('secret delete A'), /This Worker has no secret 'A'\. \[code: 10056\]/)
})

test('the second deploy keeps secrets, inherits the queue, and changes no rule', async () => {
  const printed = shown(await wrangler.prints('deploy --message second'))
  assert.ok(printed.includes(BOUND), printed)
  assert.ok(printed.includes('env.Q (inherited)'), printed)
  assert.ok(printed.includes('Email Routing rules are up to date.'), printed)
  assert.deepEqual(await secrets(), ['API_SECRET'])
  assert.deepEqual(
    (await bindings()).find(({ name }) => name === 'Q'),
    {
      ...{ name: 'Q', type: 'queue', queue_name: 'mail-events' },
    },
  )
})

test('deployments list and versions list', async () => {
  const version = (source: string, message: string) => `Version ID:  <version>
Created:     <time>
Author:      API token <id>
Source:      ${source}
Tag:         -
Message:     ${message}`
  const secret = Array.from({ length: 4 }, () => version('Secret Change', '-'))
  const all = [version('Upload', '-'), ...secret, version('Upload', 'second')]
  assert.equal(shown(await wrangler.prints('versions list')), all.join('\n'))
  const deployments = shown(await wrangler.prints('deployments list'))
  assert.equal(deployments.match(/^Version\(s\): {2}\(100%\) <version>$/gm)?.length, 6)
  assert.match(deployments, /Source: {6}Wrangler 🤠\nMessage: {5}second\nVersion\(s\): {2}\(100%\) <version>/)
  assert.match(await wrangler.prints('deployments status'), /Message: {5}second/)
})

test('versions upload, what it holds back, and rollback', async () => {
  assert.match(await wrangler.prints('versions upload'), /Worker Version ID: /)
  assert.match(
    await wrangler.refuses('secret put X', { input: 'x' }),
    /the latest version of your Worker isn't currently deployed/,
  )
  const [running] = (
    await read<{ deployments: { versions: { version_id: string }[] }[] }>(`${SCRIPT}/deployments`)
  ).deployments
  const { items } = await read<{ items: { id: string }[] }>(`${SCRIPT}/versions`)
  assert.equal(running?.versions[0]?.version_id, items[1]?.id)
  await wrangler.prints(`versions deploy ${items[0]?.id}@100% -y`)
  assert.match(await wrangler.prints(`rollback ${items[1]?.id} -y -m back`), /SUCCESS/)
  await wrangler.prints(`versions deploy ${items[0]?.id}@100% -y`)
})

test('versions secret: what is set and taken away runs once it is deployed', async () => {
  const deployed = async (printed: string, words: RegExp) => {
    const [, id] = words.exec(printed) ?? assert.fail(printed)
    await wrangler.prints(`versions deploy ${id}@100% -y`)
    return secrets()
  }
  const put = await wrangler.prints('versions secret put LATER --message soon', { input: 'x' })
  assert.match(await wrangler.refuses('secret put X', { input: 'x' }), /isn't currently deployed/)
  const set = await deployed(put, /Created version (\S+) with secret LATER/)
  assert.deepEqual(set, ['API_SECRET', 'LATER'])
  const gone = await wrangler.prints('versions secret bulk', { input: JSON.stringify({ LATER: null }) })
  const words = /Created version (\S+) with 0 secrets created and 1 secret deleted/
  assert.deepEqual(await deployed(gone, words), ['API_SECRET'])
})

test('secrets that the configuration requires', async () => {
  configure({ secrets: { required: ['API_SECRET'] } })
  await wrangler.prints('deploy')
  assert.deepEqual(await secrets(), ['API_SECRET'])
  configure({ secrets: { required: ['API_SECRET', 'MISSING'] } })
  assert.match(await wrangler.refuses('deploy'), /required secrets have not been set: MISSING/)
})

const REFUSED: readonly [more: object, says: RegExp][] = [
  [
    { ai: { binding: 'AI' } },
    /Binding 'AI' needs Workers AI, which this service does not have\. \[code: 10021\]/,
  ],
  [{ r2_buckets: [{ binding: 'R2', bucket_name: 'mail' }] }, /This service has no R2: take its bindings out/],
  [{ d1_databases: [{ binding: 'DB', database_id: 'x', database_name: 'x' }] }, /Binding 'DB' needs D1, /],
  [
    { durable_objects: { bindings: [{ name: 'DO', class_name: 'X', script_name: 'other' }] } },
    /Binding 'DO' needs Durable Objects, /,
  ],
  [
    { services: [{ binding: 'O', service: 'nobodys' }] },
    /'O': this account has no Worker 'nobodys'\. \[code: 10143\]/,
  ],
  [
    { kv_namespaces: [{ binding: 'KV', id: 'c'.repeat(32) }] },
    /'KV': KV namespace '<id>' not found\. \[code: 10041\]/,
  ],
  [
    { send_email: [{ name: 'E', destination_address: 'nobody' }] },
    /Binding 'E' of type send_email: 'nobody': /,
  ],
]

test('what a deploy is refused for names the binding', async () => {
  const { items: before } = await read<{ items: unknown[] }>(`${SCRIPT}/versions`)
  for (const [more, says] of REFUSED) {
    configure({ ...more, addresses: [] })
    assert.match(await wrangler.refuses('deploy'), says)
  }
  const { items } = await read<{ items: unknown[] }>(`${SCRIPT}/versions`)
  assert.equal(items.length, before.length)
})

test('routes and a custom domain', async () => {
  configure({
    workers_dev: false,
    routes: ['yourdomain.com/api/*', { pattern: 'api.yourdomain.com', custom_domain: true }],
  })
  const printed = await wrangler.prints('deploy')
  assert.match(printed, / {2}yourdomain\.com\/api\/\*\n {2}api\.yourdomain\.com \(custom domain\)\n/)
  const domains = await read<{ hostname: string; service: string }[]>('/workers/domains')
  assert.deepEqual(
    domains.map(({ hostname, service }) => [hostname, service]),
    [['api.yourdomain.com', 'email-worker']],
  )
  await wrangler.prints('deploy')
})

test('delete switches the rules off; the next deploy takes its addresses up again', async () => {
  assert.match(await wrangler.prints('delete --force'), /Successfully deleted email-worker$/)
  const states = async () => (await read<Rule[]>('/email/routing/rules')).map(({ enabled }) => enabled)
  assert.deepEqual(await states(), [false])
  assert.deepEqual(await read('/workers/domains'), [])
  const lines = await read<{ action: { type: string } }[]>('/audit_logs?per_page=3')
  assert.deepEqual(lines.map(({ action }) => action.type).sort(), [
    'catch_all.update',
    'rule.update',
    'worker.delete',
  ])
  configure({})
  assert.match(await wrangler.prints('deploy'), /2 changes across 1 zone \(2 updated\)/)
  assert.deepEqual(await states(), [true])
})

test('a Worker that others call is not deleted without saying so', async () => {
  configure({
    name: 'caller',
    addresses: [],
    queues: {},
    services: [{ binding: 'O', service: 'email-worker' }],
  })
  await wrangler.prints('deploy')
  configure({})
  assert.match(
    await wrangler.prints('delete'),
    /email-worker is currently in use by other Workers:\n\n- Worker caller/,
  )
  // Nobody was there to say no.
  assert.equal(await read(`${SCRIPT}/settings`), null)
})

test('a secret makes a Worker that is not there yet', async () => {
  const printed = await wrangler.prints('secret put FIRST --name draft', { input: 'x' })
  assert.match(printed, /Creating new Worker "draft"\.\.\.\n.*Success! Uploaded secret FIRST$/s)
})

test('nothing of it went anywhere else', () => {
  assert.equal(wrangler.strayConnections(), 0)
  assert.doesNotMatch(instance.log(), /s3cr3t/)
})
