import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Cloudflare from 'cloudflare'
import { PERMISSIONS } from '#model/permission.ts'
import { checkedFetch } from '#test/checked-fetch.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { addSecondAccount } from '#test/second-account.ts'

/** Domains in and out of sending and routing, as the official SDK and wrangler do it (clients.md §1.1, §2). */
let instance: Instance
let client: Cloudflare

before(async () => {
  instance = await startInstance()
  client = sdkClient(instance.dev)
})
after(async () => instance[Symbol.asyncDispose]())

const zone = () => ({ zone_id: instance.dev.zone_id })
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const subdomainDns = (tag: string, rest = '') =>
  `/zones/${instance.dev.zone_id}/email/sending/subdomains/${tag}/dns${rest}`

interface Answer {
  readonly status: number
  readonly success: boolean
  readonly result: unknown
  readonly result_info?: unknown
  readonly errors: readonly {
    readonly code: number
    readonly error_chain?: readonly { readonly message: string }[]
    readonly source?: { readonly pointer: string }
  }[]
}

/** A request as wrangler makes it: of its own, not the SDK's. */
async function ask(
  method: string,
  path: string,
  body?: unknown,
  token = instance.dev.api_token,
): Promise<Answer> {
  const response = await checkedFetch(`${instance.dev.api}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  // The tests state the shape that the API documents.
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }
}

async function refusal(call: PromiseLike<unknown>) {
  try {
    await call
  } catch (error) {
    if (error instanceof Cloudflare.APIError) return error
    throw error
  }
  return assert.fail('it was not refused')
}

async function newZone(name: string): Promise<{ readonly zone_id: string }> {
  const made = await client.zones.create({ account: { id: instance.dev.account_id }, name, type: 'full' })
  return { zone_id: made.id }
}

test('emailSending.subdomains: all six methods, and dns.get', async () => {
  const { subdomains } = client.emailSending
  const made = await subdomains.create({ ...zone(), name: 'News.YourDomain.com' })
  assert.match(made.tag, /^[0-9a-f]{32}$/)
  assert.match(made.created ?? '', TIME)
  assert.match(made.modified ?? '', TIME)
  assert.deepEqual(
    { ...made, tag: '', created: '', modified: '' },
    {
      ...{ tag: '', created: '', modified: '', enabled: true, name: 'news.yourdomain.com' },
      ...{ dkim_selector: 'cf-bounce', return_path_domain: 'cf-bounce.news.yourdomain.com' },
      ...{ preview_enabled: true, drop_suppressed_recipients: false },
    },
  )
  assert.deepEqual(await subdomains.create({ ...zone(), name: 'news.yourdomain.com' }), made)
  assert.deepEqual(await subdomains.get(made.tag, zone()), made)
  const listed: string[] = []
  for await (const { name } of subdomains.list(zone())) listed.push(name)
  assert.deepEqual(listed, ['yourdomain.com', 'news.yourdomain.com'])

  const edited = await subdomains.edit(made.tag, {
    ...zone(),
    preview_enabled: false,
    drop_suppressed_recipients: true,
  })
  assert.deepEqual([edited.preview_enabled, edited.drop_suppressed_recipients], [false, true])
  assert.deepEqual(await subdomains.get(made.tag, zone()), edited)

  const records: string[] = []
  for await (const { type, name, content, priority, ttl } of subdomains.dns.get(made.tag, zone())) {
    assert.equal(ttl, 1)
    records.push([type, name, priority, content?.replace(/p=.{300,}/, 'p=…')].filter(Boolean).join(' '))
  }
  assert.deepEqual(records, [
    'MX cf-bounce.news.yourdomain.com 13 route1.mx.posthorn.test',
    'MX cf-bounce.news.yourdomain.com 24 route2.mx.posthorn.test',
    'MX cf-bounce.news.yourdomain.com 86 route3.mx.posthorn.test',
    'TXT cf-bounce.news.yourdomain.com v=spf1 include:_spf.mx.posthorn.test ~all',
    'TXT cf-bounce._domainkey.news.yourdomain.com v=DKIM1; h=sha256; k=rsa; p=…',
    'TXT _dmarc.news.yourdomain.com v=DMARC1; p=reject;',
  ])

  const mail = { from: 'a@news.yourdomain.com', to: 'x@example.com', subject: 's', text: 't' }
  assert.equal((await instance.send(mail)).status, 200)
  const deleted = await subdomains.delete(made.tag, zone())
  assert.deepEqual(deleted, { success: true, errors: [], messages: [], result: null } as unknown)
  assert.deepEqual((await instance.send(mail)).body.errors[0]?.code, 10204)
  assert.ok((await refusal(subdomains.get(made.tag, zone()))) instanceof Cloudflare.NotFoundError)
  assert.ok((await refusal(subdomains.delete(made.tag, zone()))) instanceof Cloudflare.NotFoundError)
  const again = await subdomains.create({ ...zone(), name: 'news.yourdomain.com' })
  assert.equal(again.tag, made.tag)
  assert.equal((await instance.send(mail)).status, 200)
  await subdomains.delete(again.tag, zone())
})

test('emailRouting: settings, enable, disable, unlock, and dns', async () => {
  const { emailRouting } = client
  const there = await newZone('routed.example')
  const fresh = await emailRouting.get(there)
  assert.match(fresh.created ?? '', TIME)
  assert.deepEqual(
    { ...fresh, created: '', modified: '' },
    {
      ...{ id: there.zone_id, tag: there.zone_id, name: 'routed.example', enabled: false },
      ...{ created: '', modified: '', status: 'unconfigured', skip_wizard: false, support_subaddress: false },
    },
  )
  // What is needed is told before it is there; the key's record has its content once the key is made.
  const before_ = await emailRouting.dns.get(there)
  assert.deepEqual(
    before_.map(({ type, name, content }) => [type, name, content !== undefined]),
    [
      ...[1, 2, 3].map(() => ['MX', 'routed.example', true]),
      ['TXT', 'routed.example', true],
      ['TXT', 'cf2024-1._domainkey.routed.example', false],
    ],
  )

  const enabled = await emailRouting.enable(there)
  assert.deepEqual([enabled.enabled, enabled.status, enabled.id], [true, 'ready', fresh.id])
  const needed = await emailRouting.dns.get(there)
  assert.match(needed[4]?.content ?? '', /^v=DKIM1; h=sha256; k=rsa; p=/)
  const stored = await ask('GET', `/zones/${there.zone_id}/dns_records?type=MX`)
  assert.ok(Array.isArray(stored.result) && stored.result.length === 3)
  for (const { locked, meta } of stored.result as { locked: boolean; meta: { email_routing: boolean } }[])
    assert.ok(locked && meta.email_routing)

  const updated = await emailRouting.update({ ...there, support_subaddress: true, enabled: false })
  assert.deepEqual([updated.enabled, updated.support_subaddress, updated.skip_wizard], [true, true, false])
  const edited = await emailRouting.edit({ ...there, skip_wizard: true })
  assert.deepEqual([edited.support_subaddress, edited.skip_wizard], [true, true])

  assert.equal((await emailRouting.unlock(there)).status, 'unlocked')
  assert.equal((await emailRouting.enable(there)).status, 'ready')
  assert.equal((await emailRouting.dns.edit({ ...there, name: 'routed.example' })).status, 'unlocked')
  assert.equal((await emailRouting.get(there)).status, 'unlocked')
  const disabled = await emailRouting.disable(there)
  assert.deepEqual([disabled.enabled, disabled.status], [false, 'unconfigured'])
  const left = await ask('GET', `/zones/${there.zone_id}/dns_records`)
  assert.deepEqual(left.result, [])

  const created = await emailRouting.dns.create({ ...there, name: 'routed.example' })
  assert.deepEqual([created.enabled, created.status], [true, 'ready'])
  const gone = await emailRouting.dns.delete(there)
  assert.deepEqual([gone.enabled, gone.name], [false, 'routed.example'])
})

test('routing for a subdomain: its own settings, records with what is wrong, and its end', async () => {
  const { emailRouting } = client
  const sub = await emailRouting.dns.create({ ...zone(), name: 'in.yourdomain.com' })
  assert.deepEqual([sub.name, sub.enabled, sub.status], ['in.yourdomain.com', true, 'ready'])
  const path = `/zones/${instance.dev.zone_id}/email/routing/dns`
  const { result } = await ask('GET', `${path}?subdomain=in.yourdomain.com`)
  const shown = result as { record: { name: string }[]; errors: unknown[] }
  assert.deepEqual([shown.record.length, shown.errors], [5, []])
  const none = await ask('GET', `${path}?subdomain=other.yourdomain.com`)
  const codes = (none.result as { errors: { code: string }[] }).errors.map(({ code }) => code)
  assert.deepEqual(codes, ['mx.missing', 'mx.missing', 'mx.missing', 'spf.missing', 'dkim.missing'])

  const locked = await refusal(emailRouting.dns.edit({ ...zone(), name: 'in.yourdomain.com' }))
  assert.ok(locked instanceof Cloudflare.BadRequestError)
  const off = await ask('DELETE', `${path}?subdomain=in.yourdomain.com`)
  assert.equal((off.result as { enabled: boolean }).enabled, false)
  assert.equal((await emailRouting.get(zone())).enabled, true)
  assert.equal((await ask('DELETE', `${path}?subdomain=never.yourdomain.com`)).status, 400)
})

test('what stands in the way is named, and nothing is changed', async () => {
  const there = await newZone('busy.example')
  const add = (type: string, content: string, priority?: number) =>
    ask('POST', `/zones/${there.zone_id}/dns_records`, { type, name: '@', content, priority })
  await add('MX', 'mx.example.net', 10)
  await add('TXT', 'v=spf1 include:_spf.example.net -all')
  const refused = await refusal(client.emailRouting.enable(there))
  assert.ok(refused instanceof Cloudflare.BadRequestError)
  assert.equal(refused.errors[0]?.code, 2067)
  assert.match(JSON.stringify(refused.error), /MX busy\.example mx\.example\.net/)

  const preview = await ask('POST', `/zones/${there.zone_id}/email/routing/dns/preview`, {})
  const { errors, status, spf } = preview.result as {
    errors: { code: string; existing?: object }[]
    status: string
    spf: object
  }
  assert.equal(status, 'unconfigured')
  assert.deepEqual(errors.find(({ code }) => code === 'mx.foreign')?.existing, {
    type: 'MX',
    name: 'busy.example',
    content: 'mx.example.net',
    priority: 10,
  })
  assert.deepEqual(spf, {
    existing: 'v=spf1 include:_spf.example.net -all',
    merged: 'v=spf1 include:_spf.mx.posthorn.test include:_spf.example.net -all',
    ...{ lookups: 2, limit: 10 },
  })
  assert.equal((await client.emailRouting.get(there)).status, 'unconfigured')
})

test('preview, DNS status and repair of a sending subdomain', async () => {
  const base = `/zones/${instance.dev.zone_id}/email/sending/subdomains`
  const preview = await ask('POST', `${base}/preview`, { name: 'try.yourdomain.com' })
  const shown = preview.result as {
    records: { content?: string }[]
    errors: { code: string }[]
    status: string
  }
  assert.equal(shown.records.length, 6)
  assert.equal(shown.status, 'unconfigured')
  assert.ok(shown.errors.some(({ code }) => code === 'dmarc.missing'))
  const [apex] = (await ask('GET', base)).result as { tag: string; name: string }[]
  assert.equal(apex?.name, 'yourdomain.com')
  const dnsOf = (rest = '') => subdomainDns(apex?.tag ?? '', rest)
  const status = async () =>
    (await ask('GET', dnsOf('/status'))).result as {
      status: string
      errors: { code: string }[]
      records: { type: string; state: string; locked: boolean }[]
    }
  const fine = await status()
  assert.deepEqual([fine.status, fine.errors], ['ready', []])
  assert.deepEqual(
    fine.records.map(({ state, locked }) => `${state} ${locked}`),
    [...Array<string>(5).fill('ready true'), 'ready false'],
  )

  // The policy is not locked: its owner takes it away, and the repair brings it back.
  const { result } = await ask('GET', `/zones/${instance.dev.zone_id}/dns_records?name=_dmarc.yourdomain.com`)
  const [dmarc] = result as { id: string }[]
  await ask('DELETE', `/zones/${instance.dev.zone_id}/dns_records/${dmarc?.id}`)
  const wrong = await status()
  assert.deepEqual([wrong.status, wrong.errors.map(({ code }) => code)], ['misconfigured', ['dmarc.missing']])
  const repaired = await ask('POST', dnsOf())
  assert.ok((repaired.result as { state: string }[]).every(({ state }) => state === 'ready'))
  assert.equal((await status()).status, 'ready')
})

test('a DKIM key is changed by one call, and mail is signed with the new one', async () => {
  const base = `/zones/${instance.dev.zone_id}/email/sending/subdomains`
  const [apex] = (await ask('GET', base)).result as { tag: string }[]
  const rotated = await ask('POST', `${base}/${apex?.tag}/dkim/rotate`)
  const keys = rotated.result as { selector: string; state: string; record: { content: string } }[]
  assert.deepEqual(
    keys.map(({ selector, state }) => [selector, state]),
    [
      ['cf-bounce', 'retiring'],
      ['cf-bounce-2', 'active'],
    ],
  )
  assert.equal(
    (await client.emailSending.subdomains.get(apex?.tag ?? '', zone())).dkim_selector,
    'cf-bounce-2',
  )
  await instance.send({ from: 'a@yourdomain.com', to: 'rotated@example.com', subject: 'rotated', text: 't' })
  const [message] = await instance.inbox('to:rotated@example.com')
  assert.match(await instance.raw(message?.ID ?? ''), /\bs=cf-bounce-2;/)
  const routing = await ask('POST', `/zones/${instance.dev.zone_id}/email/routing/dkim/rotate`)
  assert.equal((routing.result as unknown[]).length, 2)
  assert.equal((await client.emailRouting.get(zone())).status, 'ready')
})

test('wrangler email: its requests as they were recorded', async () => {
  const { account_id: account, zone_id: id } = instance.dev
  for (const mail of ['routing', 'sending']) {
    const listed = await ask('GET', `/accounts/${account}/email/${mail}/zones?page=1`)
    const [first] = listed.result as Record<string, unknown>[]
    const found = (listed.result as Record<string, unknown>[]).find((entry) => entry['id'] === id)
    assert.ok(first && found)
    assert.deepEqual(Object.keys(found).toSorted(), [
      ...[
        'created',
        'enabled',
        'id',
        'modified',
        'name',
        'skip_wizard',
        'status',
        'support_subaddress',
        'tag',
      ],
    ])
    assert.deepEqual([found['name'], found['enabled'], found['status']], ['yourdomain.com', true, 'ready'])
    const past = await ask('GET', `/accounts/${account}/email/${mail}/zones?page=99`)
    assert.deepEqual([past.status, past.result], [200, []])
  }
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['POST', '/unlock', {}],
    ['POST', '/disable', {}],
    ['POST', '/enable', {}],
    ['GET', '/dns', undefined],
  ] as const) {
    const answered = await ask(method, `/zones/${id}/email/routing${path}`, body)
    assert.deepEqual([answered.status, answered.success], [200, true], `${method} ${path}`)
  }
  const made = await ask('POST', `/zones/${id}/email/sending/subdomains`, { name: 'wrangler.yourdomain.com' })
  const { tag } = made.result as { tag: string }
  assert.equal((await ask('GET', subdomainDns(tag))).success, true)
  const removed = await ask('DELETE', `/zones/${id}/email/sending/subdomains/${tag}`)
  assert.deepEqual([removed.status, removed.success, removed.result], [200, true, null])
})

test('sending limits', async () => {
  const { account_id } = instance.dev
  await instance.send({ from: 'a@yourdomain.com', to: 'limits@example.com', subject: 's', text: 't' })
  const { result } = await ask('GET', `/accounts/${account_id}/email/sending/limits`)
  const { quota, usage } = result as {
    quota: null
    usage: { sent: number; over_quota: boolean; resets_at: string }
  }
  assert.equal(quota, null)
  assert.ok(usage.sent >= 1 && !usage.over_quota)
  assert.match(usage.resets_at, /T00:00:00\.000Z$/)
})

test('requests that are wrong say where', async () => {
  const { subdomains } = client.emailSending
  for (const [name, code] of [
    ['example.com', 2062],
    ['cf-bounce.yourdomain.com', 2063],
    ['a..yourdomain.com', 1001],
    ['-.yourdomain.com', 1001],
  ] as const) {
    const error = await refusal(subdomains.create({ ...zone(), name }))
    assert.deepEqual([error.status, error.errors[0]?.code], [400, code], name)
    assert.match(JSON.stringify(error.error), /"pointer":"\/name"/)
  }
  const missing = await ask('POST', `/zones/${instance.dev.zone_id}/email/sending/subdomains`, {})
  assert.deepEqual([missing.status, missing.errors[0]?.source?.pointer], [400, '/name'])
})

test('another account’s zone and domain are not there, and each change is in the audit log', async () => {
  const { account_id, zone_id } = instance.dev
  const other = addSecondAccount(instance.directory, PERMISSIONS)
  const stranger = sdkClient({ ...instance.dev, api_token: other.token })
  const [apex] = (await ask('GET', `/zones/${zone_id}/email/sending/subdomains`)).result as { tag: string }[]
  for (const call of [
    () => stranger.emailRouting.get(zone()),
    () => stranger.emailRouting.disable(zone()),
    () => stranger.emailSending.subdomains.delete(apex?.tag ?? '', zone()),
    () => client.emailSending.subdomains.get('0'.repeat(32), zone()),
  ]) {
    const error = await refusal(call())
    assert.deepEqual([error.status, error.errors[0]?.code], [404, 7003])
  }
  const powerless = addSecondAccount(instance.directory, ['Workers:Read'])
  for (const path of ['routing/zones', 'sending/zones', 'sending/limits']) {
    const answer = await ask(
      'GET',
      `/accounts/${powerless.accountId}/email/${path}`,
      undefined,
      powerless.token,
    )
    assert.deepEqual([answer.status, answer.errors[0]?.code], [403, 9109], path)
  }
  const { result } = await ask('GET', `/accounts/${account_id}/audit_logs?per_page=100`)
  const actions = (result as { action: { type: string } }[]).map(({ action }) => action.type)
  for (const wanted of ['onboard', 'remove', 'enable', 'disable', 'unlock', 'update', 'rotate', 'switch'])
    assert.ok(
      actions.some((action) => action.includes(wanted)),
      `${wanted}: ${[...new Set(actions)].join(' ')}`,
    )
  assert.doesNotMatch(JSON.stringify(result), /PRIVATE|private_key/)
})
