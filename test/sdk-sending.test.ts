import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Cloudflare from 'cloudflare'
import {
  has,
  method,
  methodsOf,
  misshapen,
  openSdkWorld,
  type SdkWorld,
  testMethods,
  wrong,
} from '#test/sdk-methods.ts'

/** Every method of `emailSending` of the official SDK (clients.md §1.1), by its results and its error classes. */
let world: SdkWorld
const made = { suppression: '', subdomain: '' }

before(async () => {
  world = await openSdkWorld()
  const { suppressions, subdomains } = world.client.emailSending
  made.suppression = (await suppressions.create({ ...world.account, email: 'made@x.example', note: 'n' })).id
  made.subdomain = (await subdomains.create({ ...world.zone, name: 'made.yourdomain.com' })).tag
})
after(async () => world[Symbol.asyncDispose]())

const TAG = /^[0-9a-f]{32}$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const CONTROL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const MESSAGE_ID = /^<[0-9a-f]{32}@yourdomain\.com>$/

const mail = (change: object = {}) => ({
  ...{ ...world.account, from: 'app@yourdomain.com', to: 'x@example.com', subject: 's', text: 't' },
  ...change,
})

const raw = (change: object = {}) => ({
  ...{ ...world.account, from: 'app@yourdomain.com', recipients: ['raw@example.com'] },
  mime_message: 'From: app@yourdomain.com\r\nTo: raw@example.com\r\nSubject: raw\r\n\r\nwords\r\n',
  ...change,
})

const sent = (to: string) => ({
  ...{ delivered: [to], permanent_bounces: [], queued: [], message_id: MESSAGE_ID },
  suppressed_recipients: [],
})

const elsewhere = { from: 'app@elsewhere.example' }

/** One key for two messages. */
const keyed = { headers: { 'Idempotency-Key': 'one-of-a-kind' } }

const SENDING = [
  method(
    'emailSending.send',
    (as) => as.emailSending.send(mail()),
    (result) => has(result, sent('x@example.com')),
    wrong(10001, () => world.client.emailSending.send(mail({ to: 'nobody' }))),
    wrong(10204, () => world.client.emailSending.send(mail(elsewhere)), Cloudflare.PermissionDeniedError),
    wrong(
      10205,
      async () => {
        await world.client.emailSending.send(mail(), keyed)
        await world.client.emailSending.send(mail({ subject: 'another' }), keyed)
      },
      Cloudflare.ConflictError,
    ),
  ),
  method(
    'emailSending.sendRaw',
    (as) => as.emailSending.sendRaw(raw()),
    (result) => has(result, sent('raw@example.com')),
    wrong(10001, () => world.client.emailSending.sendRaw(raw({ recipients: [] }))),
    wrong(10202, () => world.client.emailSending.sendRaw(raw({ mime_message: 'no header' }))),
    wrong(10204, () => world.client.emailSending.sendRaw(raw(elsewhere)), Cloudflare.PermissionDeniedError),
    wrong(
      10205,
      () => world.client.emailSending.sendRaw(raw({ recipients: ['other@example.com'] }), keyed),
      Cloudflare.ConflictError,
    ),
  ),
]

const scope = { type: 'account' }

const entry = (email: string, change: object = {}) => ({
  ...{ id: UUID, email, reason: 'manual', created_at: TIME, expires_at: null, read_only: false, scope },
  ...change,
})

const SUPPRESSIONS = [
  method(
    'emailSending.suppressions.create',
    (as) => as.emailSending.suppressions.create({ ...world.account, email: 'two@x.example' }),
    (result) => has(result, { id: UUID, scope }),
    wrong(10001, () => world.client.emailSending.suppressions.create({ ...world.account, email: 'nobody' })),
  ),
  method(
    'emailSending.suppressions.list',
    (as) => as.emailSending.suppressions.list({ ...world.account, reason: 'manual' }),
    ({ result, result_info }) => {
      has(result[0], entry('two@x.example'))
      has(result[1], entry('made@x.example'))
      assert.equal(result.length, 2)
      has(result_info, { count: 2, per_page: 100, cursor: null, next_cursor: null })
    },
    wrong(10001, () =>
      world.client.emailSending.suppressions.list({ ...world.account, scope_value: 'yourdomain.com' }),
    ),
  ),
  method(
    'emailSending.suppressions.get',
    (as) => as.emailSending.suppressions.get(made.suppression, world.account),
    (result) => has(result, entry('made@x.example', { note: 'n' })),
    wrong(
      10000,
      () => world.client.emailSending.suppressions.get('nope', world.account),
      Cloudflare.NotFoundError,
    ),
  ),
  method(
    'emailSending.suppressions.edit',
    (as) => as.emailSending.suppressions.edit(made.suppression, { ...world.account, note: '' }),
    (result) => has(result, entry('made@x.example', { note: null })),
    wrong(10207, () => {
      const change = { ...world.account, scope: { type: 'account' } }
      return world.client.emailSending.suppressions.edit(made.suppression, change)
    }),
  ),
  method(
    'emailSending.suppressions.delete',
    (as) => as.emailSending.suppressions.delete(made.suppression, world.account),
    (result) => has(result, { id: UUID, scope }),
  ),
  method(
    'emailSending.suppressions.import',
    (as) => as.emailSending.suppressions.import({ ...world.account, items: [{ email: 'bulk@x.example' }] }),
    (result) =>
      has(result, {
        ...{ total: 1, processed: 1, deduplicated: 0, errors: 0, invalid: 0, skipped: 0 },
        items: [{ index: 0, status: 'processed', id: result.items[0]?.id, email: 'bulk@x.example', scope }],
      }),
    wrong(10001, () => world.client.emailSending.suppressions.import({ ...world.account, items: [] })),
  ),
]

const subdomain = (name: string, change: object = {}) => ({
  ...{ tag: TAG, name, enabled: true, created: CONTROL_TIME, modified: CONTROL_TIME },
  ...{ dkim_selector: 'cf-bounce', return_path_domain: `cf-bounce.${name}` },
  ...{ preview_enabled: true, drop_suppressed_recipients: false, ...change },
})

const SUBDOMAINS = [
  method(
    'emailSending.subdomains.create',
    (as) => as.emailSending.subdomains.create({ ...world.zone, name: 'two.yourdomain.com' }),
    (result) => has(result, subdomain('two.yourdomain.com')),
    wrong(2062, () =>
      world.client.emailSending.subdomains.create({ ...world.zone, name: 'elsewhere.example' }),
    ),
  ),
  method(
    'emailSending.subdomains.list',
    (as) => as.emailSending.subdomains.list(world.zone),
    ({ result }) => {
      const names = ['yourdomain.com', 'two.yourdomain.com', 'made.yourdomain.com']
      assert.deepEqual(
        result.map(({ name }) => name),
        names,
      )
      for (const [index, name] of names.entries()) has(result[index], subdomain(name))
    },
  ),
  method(
    'emailSending.subdomains.get',
    (as) => as.emailSending.subdomains.get(made.subdomain, world.zone),
    (result) => has(result, subdomain('made.yourdomain.com')),
    wrong(7003, () => world.client.emailSending.subdomains.get('nope', world.zone), Cloudflare.NotFoundError),
  ),
  method(
    'emailSending.subdomains.edit',
    (as) => as.emailSending.subdomains.edit(made.subdomain, { ...world.zone, preview_enabled: false }),
    (result) => has(result, subdomain('made.yourdomain.com', { preview_enabled: false })),
    wrong(1001, () =>
      world.client.emailSending.subdomains.edit(made.subdomain, {
        ...world.zone,
        ...misshapen({ preview_enabled: 'no' }),
      }),
    ),
  ),
  method(
    'emailSending.subdomains.dns.get',
    (as) => as.emailSending.subdomains.dns.get(made.subdomain, world.zone),
    ({ result }) => {
      const name = 'cf-bounce.made.yourdomain.com'
      has(result[0], { type: 'MX', name, content: 'route1.mx.posthorn.test', priority: 13, ttl: 1 })
      has(result[3], { type: 'TXT', name, content: 'v=spf1 include:_spf.mx.posthorn.test ~all', ttl: 1 })
      assert.deepEqual(
        result.map(({ type }) => type),
        ['MX', 'MX', 'MX', 'TXT', 'TXT', 'TXT'],
      )
    },
  ),
  method(
    'emailSending.subdomains.delete',
    (as) => as.emailSending.subdomains.delete(made.subdomain, world.zone),
    // The SDK does not unwrap this one.
    (result) => has(result, { success: true, errors: [], messages: [], result: null }),
  ),
]

test('client.emailSending has no method that is not here', () => {
  const all = methodsOf(world.client.emailSending, 'emailSending')
  const here = [...SENDING, ...SUPPRESSIONS, ...SUBDOMAINS].map(({ name }) => name)
  assert.deepEqual(here.toSorted(), all.toSorted())
})

testMethods(() => world, { nobody: 10101, powerless: 10102, stranger: 10000 }, [...SENDING, ...SUPPRESSIONS])
testMethods(() => world, { nobody: 10000, powerless: 9109, stranger: 7003 }, SUBDOMAINS)

test('client.emailSending.suppressions.import, more than ten times a minute', async () => {
  const items = [{ email: 'often@x.example' }]
  await assert.rejects(async () => {
    for (let asked = 0; asked < 11; asked++)
      await world.client.emailSending.suppressions.import({ ...world.account, items })
  }, Cloudflare.RateLimitError)
})
