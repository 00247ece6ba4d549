import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { readProject, type WorkerProject } from './worker-project.ts'

/** A folder with these files. */
function folderWith(files: Readonly<Record<string, string>>): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'posthorn-project-'))
  for (const [name, content] of Object.entries({ 'src/index.ts': 'export default {}', ...files })) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

async function read(files: Readonly<Record<string, string>>): Promise<WorkerProject> {
  using folder = folderWith(files)
  const project = await readProject(folder.path)
  assert.ok(!('faults' in project), JSON.stringify(project))
  return project
}

async function faultsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  using folder = folderWith(files)
  const project = await readProject(folder.path)
  assert.ok('faults' in project)
  return project.faults.map((fault) => fault.replaceAll(folder.path, '<folder>'))
}

const JSONC = `{
  // as the pages have it
  "name": "mailer", "main": "src/index.ts", "compatibility_date": "2026-06-30",
  "compatibility_flags": ["nodejs_compat"],
  "vars": { "GREETING": "hi", "LIMITS": { "a": 1 } },
  "send_email": [{ "name": "EMAIL" }, { "name": "OPS", "destination_address": "ops@yourdomain.com", "remote": true }],
  "kv_namespaces": [{ "binding": "KV", "id": "<id>" }],
  "queues": { "producers": [{ "binding": "Q", "queue": "jobs" }],
    "consumers": [{ "queue": "jobs", "max_batch_timeout": 2, "dead_letter_queue": "dead" }] },
  "analytics_engine_datasets": [{ "binding": "STATS" }],
  "services": [{ "binding": "OTHER", "service": "other" }],
  "triggers": { "crons": ["*/5 * * * *"] },
  "addresses": ["support@yourdomain.com", "*@Yourdomain.com"],
}`

const TOML = `
name = "mailer"
main = "src/index.ts"
compatibility_date = "2026-06-30"
compatibility_flags = ["nodejs_compat"]
addresses = ["support@yourdomain.com", "*@Yourdomain.com"]
[vars]
GREETING = "hi"
LIMITS = { a = 1 }
[[send_email]]
name = "EMAIL"
[[send_email]]
name = "OPS"
destination_address = "ops@yourdomain.com"
remote = true
[[kv_namespaces]]
binding = "KV"
id = "<id>"
[[queues.producers]]
binding = "Q"
queue = "jobs"
[[queues.consumers]]
queue = "jobs"
max_batch_timeout = 2
dead_letter_queue = "dead"
[[analytics_engine_datasets]]
binding = "STATS"
[[services]]
binding = "OTHER"
service = "other"
[triggers]
crons = ["*/5 * * * *"]
`

test('JSONC and TOML say the same', async () => {
  const one = await read({ 'wrangler.jsonc': JSONC })
  const other = await read({ 'wrangler.toml': TOML })
  assert.deepEqual(one.bindings, other.bindings)
  assert.deepEqual(one.bindings, [
    { name: 'GREETING', type: 'plain_text', text: 'hi' },
    { name: 'LIMITS', type: 'json', json: { a: 1 } },
    { name: 'Q', type: 'queue', queueName: 'jobs' },
    { name: 'STATS', type: 'analytics_engine', dataset: 'STATS' },
    { name: 'OTHER', type: 'service', service: 'other' },
    { name: 'EMAIL', type: 'send_email' },
    { name: 'OPS', type: 'send_email', destinationAddress: 'ops@yourdomain.com' },
  ])
  for (const project of [one, other]) {
    assert.deepEqual(project.consumers, [
      {
        ...{ queue: 'jobs', deadLetterQueue: 'dead', batchSize: 10, maxWaitMs: 2000 },
        ...{ maxRetries: 3, maxConcurrency: null, retryDelay: 0 },
      },
    ])
    assert.deepEqual(
      [project.name, project.crons, project.addresses, project.catchAlls, project.remarks],
      ['mailer', ['*/5 * * * *'], ['support@yourdomain.com'], ['yourdomain.com'], []],
    )
  }
})

test('the configuration of the local development pages, which names no code, finds it', async () => {
  const project = await read({
    'wrangler.jsonc':
      '{  "name": "email-sending-worker",  "compatibility_date": "2026-06-30",  "send_email": [{ "name": "EMAIL" }],}',
  })
  assert.match(project.main, /src\/index\.ts$/)
})

test('secrets of this machine stand above variables, and .env counts where there is no .dev.vars', async () => {
  const config = {
    'wrangler.jsonc':
      '{"name": "a", "compatibility_date": "2026-06-30", "vars": {"A": "1", "B": "2"}, "secrets": {"required": ["S", "T"]}}',
  }
  const withVars = await read({ ...config, '.dev.vars': 'A="from file"\nS=secret', '.env': 'B=never' })
  assert.deepEqual(withVars.bindings, [
    { name: 'B', type: 'plain_text', text: '2' },
    { name: 'A', type: 'secret_text', text: 'from file' },
    { name: 'S', type: 'secret_text', text: 'secret' },
  ])
  assert.deepEqual(withVars.remarks, [
    'wrangler.jsonc: secrets.required: T is missing; put it into .dev.vars',
  ])
  const withEnv = await read({ ...config, '.env': 'S=1\nT=2', '.env.local': 'T=3' })
  assert.deepEqual(
    withEnv.bindings
      .filter(({ type }) => type === 'secret_text')
      .map((binding) => 'text' in binding && binding.text),
    ['1', '3'],
  )
})

const base = (more: string) => ({
  'wrangler.jsonc': `{"name": "a", "compatibility_date": "2026-06-30", ${more}}`,
})

const WRONG: Readonly<Record<string, readonly [files: Readonly<Record<string, string>>, fault: string]>> = {
  'no configuration': [{}, '<folder> has no wrangler.jsonc, wrangler.json or wrangler.toml'],
  'no JSON': [
    { 'wrangler.jsonc': '{\n "name" 1}' },
    'wrangler.jsonc: line 2, column 9: colon expected, so this is no JSON',
  ],
  'no TOML': [{ 'wrangler.toml': 'name = "a"\nmain =' }, 'wrangler.toml: line 2, column 7: '],
  'a list': [{ 'wrangler.json': '[]' }, 'wrangler.json: must be an object, in braces: { … }'],
  'a name': [
    { 'wrangler.json': '{"name": "My Worker"}' },
    'wrangler.json: name must be 1 to 63 small letters, digits, "-" and "_"',
  ],
  'a field of a list': [
    base('"queues": {"consumers": [{"queue": "q", "max_batch_size": 0}]}'),
    'wrangler.jsonc: queues.consumers[0].max_batch_size must be at least 1',
  ],
  'a missing field': [
    base('"kv_namespaces": [{"id": "x"}]'),
    'wrangler.jsonc: kv_namespaces[0].binding is missing',
  ],
  'no list': [base('"send_email": {"name": "EMAIL"}'), 'wrangler.jsonc: send_email must be a list'],
  'a cron': [base('"triggers": {"crons": ["daily"]}'), 'wrangler.jsonc: triggers.crons[0] is no cron: '],
  'a date': [
    { 'wrangler.jsonc': '{"compatibility_date": "2026-02-30"}' },
    'wrangler.jsonc: compatibility_date must be a date',
  ],
  'code that is not there': [
    base('"main": "src/other.ts"'),
    'wrangler.jsonc: main: there is no file src/other.ts in <folder>',
  ],
  'another product': [
    base('"d1_databases": [{"binding": "DB"}]'),
    'wrangler.jsonc: d1_databases needs D1, which this service does not have',
  ],
  'an address': [
    base('"addresses": ["support"]'),
    `wrangler.jsonc: addresses[0]: "support": The address has no '@'`,
  ],
  'a restriction': [
    base('"send_email": [{"name": "E", "allowed_sender_addresses": ["me"]}]'),
    `wrangler.jsonc: send_email[0].allowed_sender_addresses[0]: "me": The address has no '@'`,
  ],
  'a name twice': [
    base('"vars": {"E": "x"}, "send_email": [{"name": "E"}]'),
    'wrangler.jsonc: two bindings are called E',
  ],
}

for (const [what, [files, expected]] of Object.entries(WRONG)) {
  test(`what is wrong is named: ${what}`, async () => {
    const faults = await faultsOf(files)
    assert.ok(
      faults.some((fault) => fault.startsWith(expected)),
      faults.join('\n'),
    )
  })
}

test('what is left aside is told of', async () => {
  const { remarks, compatibilityDate } = await read({
    'wrangler.jsonc':
      '{"compatibility_date": "2199-01-01", "adresses": [], "build": {"command": "x"}, "durable_objects": {"bindings": []}, "observability": {"enabled": true}}',
  })
  assert.ok(compatibilityDate < '2199')
  assert.deepEqual(
    remarks.map((remark) => remark.replaceAll(/"\d{4}-\d\d-\d\d"/g, '<date>')),
    [
      'wrangler.jsonc: adresses is no field that is known here, and is left aside',
      'wrangler.jsonc: build is not run; run your own build beside this',
      'wrangler.jsonc: compatibility_date <date> is later than the runtime here, which is of <date>: that is taken',
    ],
  )
})

test('whatever JSON a configuration is, it is read or refused', async () => {
  using folder = folderWith({})
  const names = fc.constantFrom(
    'name',
    'main',
    'vars',
    'queues',
    'send_email',
    'addresses',
    'triggers',
    'env',
    'rules',
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 }), async (config) => {
      writeFileSync(join(folder.path, 'wrangler.json'), JSON.stringify(config))
      const project = await readProject(folder.path)
      assert.ok('faults' in project ? project.faults.length > 0 : project.name !== '')
    }),
    { numRuns: 200 },
  )
})
